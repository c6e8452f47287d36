/// A run's course in time: what is sent when, and which part of it is measured.
struct Plan: Sendable {
    /// Messages a second of the whole fleet; nil: flat out, or bursts.
    var rate: Double?
    /// The rate at the end of the measured part; nil: it stays.
    var endRate: Double?
    var burst: Burst?
    var isPoisson = false
    /// Before and after the measured part, ns: the rate rises from and falls to nothing. Flat out it is time that does not count.
    var rampUpNanoseconds: UInt64 = 0
    var rampDownNanoseconds: UInt64 = 0
    /// Of the measured part; nil: until the count is reached.
    var durationNanoseconds: UInt64?
    var messageCount: Int?
    var tickNanoseconds: UInt64

    var isOpenLoop: Bool { rate != nil || burst != nil }

    var totalNanoseconds: UInt64? { durationNanoseconds.map { rampUpNanoseconds + $0 + rampDownNanoseconds } }

    /// Of the run, ns after its start.
    var measured: Range<UInt64> { rampUpNanoseconds..<(durationNanoseconds.map { rampUpNanoseconds + $0 } ?? .max) }

    var hasRamps: Bool { rampUpNanoseconds > 0 || rampDownNanoseconds > 0 }

    var schedule: Schedule? {
        if let burst {
            return Schedule(shape: .bursts(count: burst.count, interval: burst.intervalNanoseconds), tickNanoseconds: tickNanoseconds)
        }
        guard let rate else { return nil }
        let (from, to) = (rate / 1e9, (endRate ?? rate) / 1e9)
        let length = durationNanoseconds.map { Double($0) } ?? .infinity
        var stretches = [Schedule.Stretch(length: length, from: from, to: to)]
        if rampUpNanoseconds > 0 { stretches.insert(.init(length: Double(rampUpNanoseconds), from: 0, to: from), at: 0) }
        if rampDownNanoseconds > 0 { stretches.append(.init(length: Double(rampDownNanoseconds), from: to, to: 0)) }
        return Schedule(shape: .stretches(stretches), tickNanoseconds: tickNanoseconds)
    }

    /// Messages of the whole fleet that the run is to send at most; a Poisson process is bound by time alone.
    var messageLimit: Int {
        var limit = messageCount ?? .max
        if !isPoisson, let schedule, let totalNanoseconds { limit = min(limit, schedule.messageCount(within: totalNanoseconds)) }
        return limit
    }
}

/// `N@interval`: so many messages at once, every interval.
struct Burst: Equatable, Sendable {
    var count: Int
    var intervalNanoseconds: UInt64
    var text: String
}

/// What happened in each second of a run: how much was sent and answered, and how long messages that were due in it took.
struct SecondSeries: Sendable {
    /// A day of seconds; what comes later is added to the last one.
    private static let limit = 86_400

    private(set) var sent: [UInt32] = []
    private(set) var acknowledged: [UInt32] = []
    /// `LatencyBuckets.count` for each second, by the second in which the message was due.
    private var latencies: [UInt32] = []
    private(set) var start: UInt64 = 0

    var count: Int { sent.count }

    mutating func begin(start: UInt64) { self.start = start }

    mutating func note(sent count: Int, now: UInt64) {
        guard count > 0 else { return }
        let second = second(now)
        sent[second] += UInt32(clamping: count)
    }

    mutating func note(acknowledgedAt now: UInt64) { acknowledged[second(now)] += 1 }

    mutating func note(latencyMicroseconds: UInt64, dueAt time: UInt64) {
        let second = second(time)
        latencies[second * LatencyBuckets.count + LatencyBuckets.index(microseconds: latencyMicroseconds)] += 1
    }

    mutating func add(_ other: SecondSeries) {
        if other.count > 0 { grow(to: other.count) }
        for second in 0..<other.count {
            sent[second] += other.sent[second]
            acknowledged[second] += other.acknowledged[second]
        }
        for index in other.latencies.indices { latencies[index] += other.latencies[index] }
    }

    /// Counts of the buckets of one second.
    func latencies(in second: Int) -> ArraySlice<UInt32> {
        latencies[(second * LatencyBuckets.count)..<((second + 1) * LatencyBuckets.count)]
    }

    private mutating func second(_ time: UInt64) -> Int {
        let second = time > start ? min(Int((time - start) / 1_000_000_000), Self.limit - 1) : 0
        if second >= count { grow(to: second + 1) }
        return second
    }

    private mutating func grow(to size: Int) {
        guard size > count else { return }
        let missing = size - count
        sent.append(contentsOf: repeatElement(0, count: missing))
        acknowledged.append(contentsOf: repeatElement(0, count: missing))
        latencies.append(contentsOf: repeatElement(0, count: missing * LatencyBuckets.count))
    }
}

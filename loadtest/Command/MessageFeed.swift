/// The messages of one connection as they fall due, and how far sending has come.
struct MessageFeed: Sendable {
    private(set) var stream: MessageStream
    private var arrivals: Arrivals?
    /// Messages of this connection that the run is to send at most.
    private let limit: Int
    /// Messages below this number could not be sent when they were due.
    private var overdueLimit = 0

    /// Messages sent later than scheduled because window or socket was full.
    private(set) var overrunCount = 0

    init(connection: Int, options: LoadOptions) {
        let fleet = options.description.fleet
        stream = MessageStream(description: options.description, encoder: options.encoder, connection: connection)
        limit = fleet.messageCount(on: connection, ofFirst: options.plan.messageLimit)
        arrivals = options.plan.schedule.map { schedule in
            Arrivals(
                schedule: schedule, fleet: fleet, connection: connection, limit: limit,
                poissonSeed: options.plan.isPoisson ? options.description.seed : nil)
        }
    }

    var isOpenLoop: Bool { arrivals != nil }
    var sentCount: Int { stream.count }
    /// Messages that may be sent by now.
    var dueCount: Int { arrivals?.dueCount ?? limit }
    var hasDue: Bool { sentCount < dueCount }
    var isFinished: Bool { sentCount >= limit }
    /// Due and not sent; only a schedule makes messages due.
    var unsentCount: Int { arrivals.map { $0.dueCount - sentCount } ?? 0 }

    /// When the due and not sent messages were due, ns on the monotonic clock.
    /// - Parameter start: of the run, likewise.
    func forEachUnsent(start: UInt64, _ body: (_ dueTime: UInt64) -> Void) {
        guard var arrivals else { return }
        for number in sentCount..<max(sentCount, arrivals.dueCount) { body(start + arrivals.dueTime(ofNext: number)) }
    }

    mutating func advance(elapsed: UInt64) { arrivals?.advance(elapsed: elapsed) }

    /// Remembers that what is due could not all be sent. Flat out nothing is ever due.
    mutating func noteOverrun() {
        if let arrivals, sentCount < arrivals.dueCount { overdueLimit = max(overdueLimit, arrivals.dueCount) }
    }

    /// The next message. The caller has found it due.
    /// - Parameter start: start of the run, ns on the monotonic clock.
    mutating func take(wallTime: Int64, start: UInt64, now: UInt64) -> InFlightMessage {
        let message = stream.take(wallTime: wallTime)
        if message.number < overdueLimit { overrunCount += 1 }
        return InFlightMessage(
            number: message.number, time: message.time,
            startNanoseconds: arrivals != nil ? start + arrivals!.dueTime(ofNext: message.number) : now,
            step: message.step, isRepeat: false)
    }
}

/// A message that is sent and not yet acknowledged.
struct InFlightMessage: Equatable, Sendable {
    /// In the connection's own numbering.
    var number: Int
    /// Of the last reading before any lateness, µs since the epoch; see `MessageStream.take`.
    var time: Int64
    /// When it was due (open loop) or written (flat out), ns on the monotonic clock.
    var startNanoseconds: UInt64
    /// From reading to reading, µs.
    var step: UInt32
    /// The second copy of a message that is sent twice on purpose.
    var isRepeat: Bool
}

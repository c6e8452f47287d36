import Glibc
import Synchronization

/// What one worker has done.
struct WorkerOutcome: Sendable {
    var recorder: AckRecorder
    /// By connection index.
    var sent: [Int: Int] = [:]
    var unacknowledged = 0
    var unsent = 0
    var overrun = 0
    var repeated = 0
    var republished = 0
    var reconnects = 0
    var newestTime: Int64 = 0
    /// When sending ended, ns on the monotonic clock.
    var sendingEnd: UInt64 = 0
    var failure: LoadError?
}

/// Longest wait in poll(2): bounds how late a deadline, a stop, or PUBACKs too few for a wake-up are seen.
private let pollMilliseconds: Int32 = 10
/// In open loop answers are looked for this often: the resolution of the latencies, at 2 % of a core.
private let lookNanoseconds: UInt64 = 200_000

/// Drives some of the connections from one thread: send what is due, poll, take acknowledgements.
struct PublishWorker<Connection: LoadConnection> {
    private let options: LoadOptions
    private let counters: LoadCounters
    private let schedule: Schedule?
    private var connections: [Connection]
    private var recorder: AckRecorder
    private var polled: [pollfd] = []
    private var reported = (sent: 0, acknowledged: 0, overrun: 0, reconnects: 0)
    private var stormCount: UInt64 = 0

    init(indices: [Int], options: LoadOptions, counters: LoadCounters, ledger: LedgerWriter?) {
        self.options = options
        self.counters = counters
        schedule = options.plan.schedule
        connections = indices.map { Connection(index: $0, options: options) }
        recorder = AckRecorder(options: options, ledger: ledger)
    }

    /// The whole life of the worker; blocking.
    mutating func run() -> WorkerOutcome {
        var failure: LoadError?
        var sendingEnd: UInt64 = 0
        do {
            for index in connections.indices { try connections[index].connect() }
            let start = waitForStart()
            recorder.begin(start: start)
            try publish(start: start)
            sendingEnd = Clock.nanoseconds()
            try drain(start: start)
            for index in connections.indices { try connections[index].close() }
        } catch {
            failure = error
            counters.isStopping.store(true, ordering: .relaxed)
        }
        recordUnanswered()
        do {
            try recorder.flush(force: true)
        } catch {
            failure = failure ?? error
        }
        report()
        return outcome(failure: failure, sendingEnd: sendingEnd == 0 ? Clock.nanoseconds() : sendingEnd)
    }

    /// All connections of all workers are up before the first message, so that connecting is not measured.
    private func waitForStart() -> UInt64 {
        counters.readyWorkers.wrappingAdd(1, ordering: .releasing)
        return counters.waitForStart()
    }

    private mutating func publish(start: UInt64) throws(LoadError) {
        // One tick more in open loop, for what fell due within the last one.
        let end = options.plan.totalNanoseconds.map { $0 + (schedule?.tickNanoseconds ?? 0) } ?? .max
        while true {
            let now = Clock.nanoseconds()
            let elapsed = now > start ? now - start : 0
            if elapsed >= end || counters.isStopping.load(ordering: .relaxed) {
                // What fell due while a reconnect blocked the last turn was due all the same.
                for index in connections.indices { connections[index].advance(elapsed: elapsed) }
                return
            }
            var isFinished = true
            for index in connections.indices {
                try turn(index, sends: true, start: start, now: now)
                isFinished = isFinished && connections[index].feed.isFinished
            }
            if isFinished { return }
            // Before answers are taken, so that some messages are in flight.
            breakConnectionsIfDue(elapsed: elapsed, now: now)
            try wait(start: start)
        }
    }

    private mutating func drain(start: UInt64) throws(LoadError) {
        let deadline = Clock.nanoseconds() + options.drainNanoseconds
        while connections.contains(where: { !$0.isIdle }), Clock.nanoseconds() < deadline {
            for index in connections.indices { try turn(index, sends: false, start: start, now: Clock.nanoseconds()) }
            try wait(start: start)
        }
    }

    /// All at once, without a DISCONNECT, as a network that fails for a moment does.
    private mutating func breakConnectionsIfDue(elapsed: UInt64, now: UInt64) {
        guard let interval = options.stormNanoseconds, elapsed / interval > stormCount else { return }
        stormCount = elapsed / interval
        for index in connections.indices { connections[index].disconnect(now: now, retryAtOnce: true) }
    }

    /// Lets one connection send and reconnect.
    private mutating func turn(_ index: Int, sends: Bool, start: UInt64, now: UInt64) throws(LoadError) {
        do {
            if sends { connections[index].advance(elapsed: now > start ? now - start : 0) }
            try connections[index].reconnectIfDue(now: now)
            try connections[index].flush(now: now)
            if connections[index].isWorthFilling {
                if sends {
                    try connections[index].publish(start: start, now: now)
                } else {
                    try connections[index].publishRest(start: start, now: now)
                }
            }
            connections[index].setWaitsForAcksInBulk(sends && schedule == nil && !connections[index].feed.isFinished)
            try connections[index].keepAlive(now: now)
        } catch {
            try handle(error, of: index, now: now)
        }
    }

    /// Waits for PUBACKs, for room in a socket or for the next tick, and takes what has come.
    private mutating func wait(start: UInt64) throws(LoadError) {
        var timeout = pollMilliseconds
        if let schedule {
            let now = Clock.nanoseconds()
            let elapsed = now > start ? now - start : 0
            let tick = schedule.nextTick(after: elapsed) - elapsed
            let isWaiting = connections.contains { !$0.isIdle }
            Clock.sleep(nanoseconds: isWaiting ? min(tick, lookNanoseconds) : min(tick, UInt64(pollMilliseconds) * 1_000_000))
            timeout = 0
        }
        polled.removeAll(keepingCapacity: true)
        for connection in connections {
            let events = POLLIN | (connection.hasOutgoing ? POLLOUT : 0)
            // poll(2) skips negative descriptors: connections that are down.
            polled.append(pollfd(fd: connection.descriptor ?? -1, events: Int16(events), revents: 0))
        }
        // EINTR leaves revents at 0, and the next turn looks again.
        let readyCount = poll(&polled, nfds_t(polled.count), timeout)
        let now = Clock.nanoseconds()
        // After a wait in vain, fewer PUBACKs than `setWaitsForAcksInBulk` asks for may have come.
        let isStalled = readyCount == 0 && schedule == nil
        for index in connections.indices where isStalled || polled[index].revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 {
            try receive(index, now: now)
        }
        try recorder.flush(force: false)
        report()
    }

    private mutating func receive(_ index: Int, now: UInt64) throws(LoadError) {
        do {
            try connections[index].receive(into: &recorder, now: now)
        } catch {
            try handle(error, of: index, now: now)
        }
    }

    /// A broken connection ends the run, or starts a reconnect.
    private mutating func handle(_ error: LoadError, of index: Int, now: UInt64) throws(LoadError) {
        guard error.code == .unavailable, options.reconnects else { throw error }
        connections[index].disconnect(now: now, retryAtOnce: false)
    }

    /// Adds what is new to the shared counters.
    private mutating func report() {
        let current = (
            sent: connections.reduce(0) { $0 + $1.feed.sentCount }, acknowledged: recorder.count,
            overrun: connections.reduce(0) { $0 + $1.feed.overrunCount }, reconnects: connections.reduce(0) { $0 + $1.reconnectCount }
        )
        counters.add(current.sent - reported.sent, to: counters.sent)
        recorder.note(sent: current.sent - reported.sent, now: Clock.nanoseconds())
        counters.add(current.acknowledged - reported.acknowledged, to: counters.acknowledged)
        counters.add(current.overrun - reported.overrun, to: counters.overrun)
        counters.add(current.reconnects - reported.reconnects, to: counters.reconnects)
        reported = current
    }

    /// What was never answered has been waited for until now. Without it a stall at the end would be in no percentile.
    private mutating func recordUnanswered() {
        guard options.isAcknowledged else { return }
        let (now, start) = (Clock.nanoseconds(), recorder.series.start)
        for connection in connections {
            for message in connection.unacknowledged { recorder.recordUnanswered(dueAt: message.startNanoseconds, now: now) }
            connection.feed.forEachUnsent(start: start) { recorder.recordUnanswered(dueAt: $0, now: now) }
        }
    }

    private func outcome(failure: LoadError?, sendingEnd: UInt64) -> WorkerOutcome {
        var outcome = WorkerOutcome(recorder: recorder, sendingEnd: sendingEnd, failure: failure)
        for connection in connections {
            outcome.sent[connection.index] = connection.feed.sentCount
            outcome.unacknowledged += connection.unacknowledged.count
            outcome.unsent += connection.feed.unsentCount
            outcome.overrun += connection.feed.overrunCount
            outcome.repeated += connection.repeatCount
            outcome.republished += connection.republishedCount
            outcome.reconnects += connection.reconnectCount
            outcome.newestTime = max(outcome.newestTime, connection.feed.stream.newestTime)
        }
        return outcome
    }
}

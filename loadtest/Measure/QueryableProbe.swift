import Histogram
import Synchronization

/// From the time a message was due to the first answer that shows its reading.
///
/// A device of its own publishes `rate` messages a second on schedule, the same way as the fleet. Its newest sequence number is asked for
/// again and again while something is missing; an answer shows every probe up to its number. So a probe's latency is too long by at most
/// one poll interval and one question, never too short.
struct QueryableProbe<Connection: LoadConnection> {
    let probe: ProbeOptions
    /// Of a fleet of one device, open loop at the probe's rate.
    let options: LoadOptions
    let counters: LoadCounters

    /// Blocking, until the counters say that the run is over and every probe due by then is visible, or the patience is over.
    func run(waitForStart: () -> UInt64) -> ProbeOutcome {
        var outcome = ProbeOutcome()
        do {
            try run(waitForStart: waitForStart, into: &outcome)
        } catch {
            outcome.failure = error
        }
        return outcome
    }

    private func run(waitForStart: () -> UInt64, into outcome: inout ProbeOutcome) throws(LoadError) {
        var connection = Connection(index: 0, options: options)
        var recorder = AckRecorder(options: options, ledger: nil)
        let reader = GatewayReader(client: HTTPClient(endpoint: probe.endpoint, token: probe.token), table: probe.table)
        try connection.connect()
        let start = waitForStart()
        guard start > 0 else { return }
        recorder.begin(start: start)
        outcome.series.begin(start: start)
        var seen = 0
        var elapsed: UInt64 = 0
        while true {
            let end = counters.probingEndNanoseconds.load(ordering: .relaxed)
            let now = Clock.nanoseconds()
            // What fell due while a question hung is due all the same, and is sent late.
            elapsed = max(elapsed, (end > 0 ? end : now) - start)
            connection.advance(elapsed: elapsed)
            if end > 0, seen == connection.feed.dueCount || now >= end + probe.patienceNanoseconds { break }
            do {
                try connection.reconnectIfDue(now: now)
                try connection.flush(now: now)
                if connection.isWorthFilling { try connection.publish(start: start, now: now) }
                if connection.descriptor != nil { try connection.receive(into: &recorder, now: now) }
                try connection.keepAlive(now: now)
            } catch {
                guard error.code == .unavailable else { throw error }
                connection.disconnect(now: now, retryAtOnce: false)
            }
            if seen < connection.feed.sentCount {
                // A gateway that is away shows nothing: that is what is measured.
                let shown = try visibleCount(reader, question: &outcome) ?? seen
                while seen < min(shown, connection.feed.sentCount) {
                    outcome.record(dueAt: start + probe.dueTime(seen), now: Clock.nanoseconds())
                    seen += 1
                }
            }
            let next = seen < connection.feed.sentCount ? now + probe.pollNanoseconds : start + probe.dueTime(connection.feed.sentCount)
            let present = Clock.nanoseconds()
            if next > present { Clock.sleep(nanoseconds: min(next - present, 10_000_000)) }
        }
        outcome.dueCount = connection.feed.dueCount
        for number in seen..<connection.feed.dueCount {
            outcome.recordMissing(dueAt: start + probe.dueTime(number), now: Clock.nanoseconds())
        }
        try connection.close()
    }

    /// How many of the probes are visible; nil when there was no answer.
    private func visibleCount(_ reader: GatewayReader, question outcome: inout ProbeOutcome) throws(LoadError) -> Int? {
        let description = options.description
        let before = Clock.nanoseconds()
        let fields: [String: JSONValue]
        do {
            fields = try reader.latest(device: description.naming.name(of: 0))
        } catch {
            guard error.code == .unavailable else { throw error }
            return nil
        }
        outcome.question.record(min((Clock.nanoseconds() - before) / 1_000, Latency.highestMicroseconds))
        let expectation = ReadingExpectation(dialect: description.dialect, generator: description.generator)
        let row = expectation.plain(DeviceVerifier.Row(time: 0, fields: fields))
        return expectation.sequence(of: row, device: 0).map { $0 + 1 }
    }
}

import Synchronization

/// From the time a reading was due to the gateway's word that it is on disk: POST `/api/v1/write`, answered after the commit.
///
/// The gateway's acknowledgement of an MQTT message goes to the broker and cannot be seen from here. What can be seen is how long a commit
/// takes that shares log and disk with the load; it goes past the broker.
struct DurableProbe {
    /// Between two tries of one probe.
    private static let retryNanoseconds: UInt64 = 20_000_000

    let probe: ProbeOptions
    /// Of a fleet of one device.
    let description: RunDescription
    let counters: LoadCounters

    /// Blocking, until the counters say that the run is over and every probe due by then is on disk, or the patience is over.
    func run(waitForStart: () -> UInt64) -> ProbeOutcome {
        var outcome = ProbeOutcome()
        let client = HTTPClient(endpoint: probe.endpoint, token: probe.token)
        let start = waitForStart()
        guard start > 0 else { return outcome }
        outcome.series.begin(start: start)
        while true {
            let due = start + probe.dueTime(outcome.dueCount)
            let end = counters.probingEndNanoseconds.load(ordering: .relaxed)
            // What fell due while a write hung is due all the same, and is written late.
            if end > 0, due > end { return outcome }
            let now = Clock.nanoseconds()
            guard now >= due else {
                Clock.sleep(nanoseconds: min(due - now, 10_000_000))
                continue
            }
            do {
                let isTaken = try write(outcome.dueCount, client)
                outcome.dueCount += 1
                if isTaken {
                    outcome.record(dueAt: due, now: Clock.nanoseconds())
                } else {
                    outcome.recordMissing(dueAt: due, now: Clock.nanoseconds())
                }
            } catch {
                outcome.failure = error
                return outcome
            }
        }
    }

    private var isPatienceOver: Bool {
        let end = counters.probingEndNanoseconds.load(ordering: .relaxed)
        return end > 0 && Clock.nanoseconds() >= end + probe.patienceNanoseconds
    }

    /// Tries until it is taken or the patience is over; false: it was not taken.
    private func write(_ sequence: Int, _ client: HTTPClient) throws(LoadError) -> Bool {
        let readings = MessageReadings(device: 0, sequence: sequence, count: 1, time: Clock.epochMicroseconds(), step: 1)
        var body: [UInt8] = []
        let encoder = PayloadEncoder(
            dialect: .json, generator: description.generator, naming: description.naming, fleet: description.fleet, template: nil)
        encoder.appendNative(readings, separator: UInt8(ascii: ","), to: &body)
        let path = "/api/v1/write" + (probe.table.map { "?table=\(GatewayReader.percentEncoded($0))" } ?? "")
        while !isPatienceOver {
            do throws(LoadError) {
                let response = try client.post(path, type: "application/json", body: body)
                if (200..<300).contains(response.status) { return true }
                throw HTTPWriteTarget.refusal("POST \(path)", response)
            } catch {
                guard error.code == .unavailable else { throw error }
            }
            Clock.sleep(nanoseconds: Self.retryNanoseconds)
        }
        return false
    }
}

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

    /// Blocking, until the counters say that the run is over.
    func run(waitForStart: () -> UInt64) -> ProbeOutcome {
        var outcome = ProbeOutcome()
        let client = HTTPClient(endpoint: probe.endpoint, token: probe.token)
        let start = waitForStart()
        guard start > 0 else { return outcome }
        outcome.series.begin(start: start)
        while !counters.isProbingOver.load(ordering: .relaxed) {
            let (now, due) = (Clock.nanoseconds(), start + probe.dueTime(outcome.sentCount))
            guard now >= due else {
                Clock.sleep(nanoseconds: min(due - now, 10_000_000))
                continue
            }
            do {
                if try !write(outcome.sentCount, client) { outcome.missingCount += 1 }
                outcome.sentCount += 1
                outcome.record(dueAt: due, now: Clock.nanoseconds())
            } catch {
                outcome.failure = error
                return outcome
            }
        }
        return outcome
    }

    /// Tries until it is taken or the run is over; false: it was not taken.
    private func write(_ sequence: Int, _ client: HTTPClient) throws(LoadError) -> Bool {
        let readings = MessageReadings(device: 0, sequence: sequence, count: 1, time: Clock.epochMicroseconds(), step: 1)
        var body: [UInt8] = []
        let encoder = PayloadEncoder(
            dialect: .json, generator: description.generator, naming: description.naming, fleet: description.fleet, template: nil)
        encoder.appendNative(readings, separator: UInt8(ascii: ","), to: &body)
        let path = "/api/v1/write" + (probe.table.map { "?table=\(GatewayReader.percentEncoded($0))" } ?? "")
        while true {
            do throws(LoadError) {
                let response = try client.post(path, type: "application/json", body: body)
                if (200..<300).contains(response.status) { return true }
                throw HTTPWriteTarget.refusal("POST \(path)", response)
            } catch {
                guard error.code == .unavailable else { throw error }
            }
            if counters.isProbingOver.load(ordering: .relaxed) { return false }
            Clock.sleep(nanoseconds: Self.retryNanoseconds)
        }
    }
}

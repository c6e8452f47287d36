import Testing

@testable import gaugehouse_load

@Suite("Runs that end in a stall")
struct StallTests {
    private static let millisecond: UInt64 = 1_000_000

    private func options(_ endpoint: HTTPEndpoint, rate: Double?, isPoisson: Bool = false) -> LoadOptions {
        LoadOptions(
            host: "", port: 1,
            writeTarget: HTTPWriteTarget(
                target: .gaugehouseHTTP, endpoint: endpoint, token: nil, format: .ndjson, database: "", table: nil, batchLimit: 1_000),
            description: RunDescription(
                run: "r", prefix: "d-", devices: 4, connections: 2, seed: 5, payloadSize: 0, startTime: Clock.epochMicroseconds()),
            plan: Plan(
                rate: rate, isPoisson: isPoisson, durationNanoseconds: 600 * Self.millisecond, tickNanoseconds: Self.millisecond),
            topic: TopicTemplate("{device}")!, qualityOfService: 1, window: 10, threadCount: 1, reconnects: true,
            drainNanoseconds: 200 * Self.millisecond, keepAliveSeconds: 0, keepsAcknowledged: false)
    }

    /// Runs against a server that takes what is written for 200 ms, and hangs until the run is over.
    private func report(rate: Double?, isPoisson: Bool = false) throws -> LoadReport {
        let begin = Clock.nanoseconds()
        let server = StandInServer { request in
            let now = Clock.nanoseconds()
            if request.method == "POST", now > begin + 200 * Self.millisecond { Clock.sleep(nanoseconds: 2_000 * Self.millisecond) }
            return (200, "{}")
        }
        let run = LoadRun(
            options: options(server.endpoint, rate: rate, isPoisson: isPoisson), probe: nil, ledger: nil, showsProgress: false)
        return try run.run().report
    }

    @Test("messages never sent and never acknowledged are in the percentiles, with the time waited", arguments: [false, true])
    func openLoop(isPoisson: Bool) throws {
        let report = try report(rate: 1_000, isPoisson: isPoisson)
        let latency = try #require(report.latencyMicroseconds)
        #expect(report.unsent > 100 && report.unacknowledged > 0 && report.acknowledged > 0)
        // A Poisson process may have messages due at the very end, which is no longer measured.
        #expect((0...(isPoisson ? 5 : 0)).contains(report.unsent + report.unacknowledged - report.unanswered))
        #expect(latency.count == report.acknowledged + report.unanswered)
        if !isPoisson { #expect(latency.count == 600) }
        // The first that hung was due some 200 ms after the start, the run ends at 800 ms.
        #expect((500_000...1_500_000).contains(latency.p999))
        #expect((report.series.first?.max ?? 0) > 500_000)
        #expect(report.series.reduce(0) { $0 + $1.acknowledged } == report.acknowledged)
    }

    @Test("flat out, what is in flight at the end is")
    func flatOut() throws {
        let report = try report(rate: nil)
        #expect(report.unsent == 0 && report.unacknowledged > 0 && report.unanswered == report.unacknowledged)
        #expect((report.latencyMicroseconds?.max ?? 0) > 500_000)
    }
}

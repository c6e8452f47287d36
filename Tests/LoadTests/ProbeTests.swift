import Histogram
import Synchronization
import Testing

@testable import gaugehouse_load

@Suite("Probes of a gateway that stalls at the end of the run", .serialized)
struct ProbeTests {
    private static let millisecond: UInt64 = 1_000_000
    /// ns after the start: the gateway says nothing from the first to the last, and the run ends in between.
    private static let (stallStart, runEnd, stallEnd) = (100 * millisecond, 300 * millisecond, 700 * millisecond)
    /// At 100 probes a second, both ends included.
    private static let dueCount = 31

    private let counters = LoadCounters()

    /// A gateway that hangs in the stall on the targets that `path` is in; after it, it answers again or is away.
    private func gateway(stallsAt path: String, comesBack: Bool) -> StandInServer {
        let counters = counters
        let written = Mutex(0)
        return StandInServer { request in
            let start = counters.waitForStart()
            var now = Clock.nanoseconds()
            while request.target.contains(path), (start + Self.stallStart..<start + Self.stallEnd).contains(now) {
                Clock.sleep(nanoseconds: Self.millisecond)
                now = Clock.nanoseconds()
            }
            if request.target.contains(path), now > start + Self.stallStart, !comesBack { return (503, "away") }
            guard request.method == "POST" else {
                let count = written.withLock { $0 }
                return (200, count == 0 ? "{\"values\":{}}" : "{\"values\":{\"seq\":{\"value\":\(count - 1)}}}")
            }
            written.withLock { $0 += request.body.ranges(of: "\"seq\":").count }
            return (200, "{}")
        }
    }

    private func probe(_ server: StandInServer) -> ProbeOptions {
        ProbeOptions(
            endpoint: server.endpoint, rate: 100, pollNanoseconds: Self.millisecond, patienceNanoseconds: 600 * Self.millisecond)
    }

    private func options(_ server: StandInServer) -> LoadOptions {
        LoadOptions(
            host: "", port: 1,
            writeTarget: HTTPWriteTarget(
                target: .gaugehouseHTTP, endpoint: server.endpoint, token: nil, format: .ndjson, database: "", table: nil, batchLimit: 1_000
            ),
            description: RunDescription(
                run: "r", prefix: "d-", devices: 1, connections: 1, seed: 5, payloadSize: 0, startTime: Clock.epochMicroseconds()),
            plan: Plan(rate: 100, tickNanoseconds: Self.millisecond), topic: TopicTemplate("{device}")!, qualityOfService: 1, window: 10,
            threadCount: 1, reconnects: true, drainNanoseconds: 0, keepAliveSeconds: 0, keepsAcknowledged: false
        ).probing("probe-", rate: 100)
    }

    /// Lets the probe run for as long as the fleet would send.
    private func run(_ probe: @escaping @Sendable (_ waitForStart: () -> UInt64) -> ProbeOutcome) -> ProbeOutcome {
        let counters = counters
        let thread = WorkerThread { probe(counters.waitForStart) }
        let start = Clock.nanoseconds()
        counters.startNanoseconds.store(start, ordering: .releasing)
        while Clock.nanoseconds() < start + Self.runEnd { Clock.sleep(nanoseconds: Self.millisecond) }
        counters.probingEndNanoseconds.store(start + Self.runEnd, ordering: .relaxed)
        return thread.join()
    }

    private func check(_ outcome: ProbeOutcome, comesBack: Bool) {
        #expect(outcome.failure == nil)
        #expect(outcome.dueCount == Self.dueCount)
        #expect(outcome.latency.totalCount == UInt64(Self.dueCount))
        // Those due from 100 ms on were waited for until 700 ms at least.
        #expect((400_000...900_000).contains(outcome.latency.valueAtPercentile(50)))
        let answered = SecondReport.list(outcome.series).reduce(0) { $0 + $1.acknowledged }
        #expect(answered == Self.dueCount - outcome.missingCount)
        if comesBack { #expect(outcome.missingCount == 0) } else { #expect((20...30).contains(outcome.missingCount)) }
    }

    @Test("each one due while a question hung counts, visible late or never", arguments: [true, false])
    func queryable(comesBack: Bool) {
        let server = gateway(stallsAt: "/latest", comesBack: comesBack)
        let (probe, options, counters) = (probe(server), options(server), counters)
        let outcome = run { QueryableProbe<HTTPWriteConnection>(probe: probe, options: options, counters: counters).run(waitForStart: $0) }
        check(outcome, comesBack: comesBack)
    }

    @Test("each one due while a write hung counts, on disk late or never", arguments: [true, false])
    func durable(comesBack: Bool) {
        let server = gateway(stallsAt: "/write", comesBack: comesBack)
        let (probe, description, counters) = (probe(server), options(server).description, counters)
        let outcome = run { DurableProbe(probe: probe, description: description, counters: counters).run(waitForStart: $0) }
        check(outcome, comesBack: comesBack)
    }
}

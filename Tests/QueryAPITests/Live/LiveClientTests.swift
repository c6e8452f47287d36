import HTTPTypes
import Synchronization
import Telemetry
import TelemetryStore
import Testing

@testable import QueryAPI

/// Live clients that are many, slow, gone, or there when the server stops.
@Suite(.timeLimit(.minutes(3))) struct LiveClientTests {
    /// Commits `count` readings with a text each that fills what lies between server and client.
    private static func flood(_ bed: TestBed, _ count: Int, from first: Int = 0) throws {
        let text = FieldValue.string(String(repeating: "x", count: 2_000))
        for start in stride(from: first, to: first + count, by: 100) {
            try bed.commit(
                (start..<(start + 100)).map { number in
                    let time = TestBed.now - .milliseconds(Int64(10_000_000 - number))
                    return Reading(device: "d", time: time, fields: ["n": .integer(Int64(number)), "text": text])
                })
        }
    }

    @Test func aSlowClientIsToldExactlyWhatItMissedAndHoldsNobodyUp() async throws {
        let count = 20_000
        try await TestBed.run(store: { $0.feedByteCount = 1 << 20 }, isLive: true) { bed in
            try await LiveConnection.open(bed) { slow in
                _ = try await slow.nextEvent()
                try Self.flood(bed, count)
                // Others see what comes meanwhile.
                try await LiveConnection.open(bed) { other in
                    try bed.commit("other", ["n": .integer(-1)])
                    #expect(try await other.next(1)[0].id == "\(count + 1)")
                }
                var (shown, missed, gaps, expected) = (0, 0, 0, 1)
                while shown + missed < count + 1 {
                    let event = try await slow.next(1)[0]
                    if event.name == "gap" {
                        gaps += 1
                        let json = try event.json
                        let dropped = Int(json["dropped"]?.number ?? "") ?? 0
                        #expect(json["exact"] == .boolean(true))
                        missed += dropped
                        expected += dropped
                        #expect(event.id == "\(expected - 1)")
                    } else {
                        #expect(event.id == "\(expected)")
                        shown += 1
                        expected += 1
                    }
                }
                #expect(shown + missed == count + 1)
                #expect(gaps > 0)
                #expect(missed > count / 4)
                #expect(try await bed.get("/metrics").lines.contains("gaugehouse_live_readings_missed_total \(missed)"))
            }
        }
    }

    @Test func oneClientTooManyIsToldToComeBackAndPlacesAreGivenBack() async throws {
        try await TestBed.run(isLive: true, configure: { $0.liveClientLimit = 2 }) { bed in
            for _ in 0..<3 {
                try await LiveConnection.open(bed) { first in
                    _ = try await first.nextEvent()
                    try await LiveConnection.open(bed) { second in
                        _ = try await second.nextEvent()
                        let answer = try await bed.get("/api/v1/live")
                        #expect(answer.status == 503)
                        #expect(answer.headers[.retryAfter] == "1")
                        #expect(try answer.json["type"] == .string("/problems/too-many-live-clients"))
                    }
                }
                try await Self.until("all places are free") { try await bed.get("/metrics").lines.contains("gaugehouse_live_clients 0") }
            }
            // What is refused for another reason takes no place.
            for _ in 0..<5 { try await bed.expectProblem(400, param: "fields", "/api/v1/live?fields=nope") }
            #expect(try await bed.get("/metrics").lines.contains("gaugehouse_live_clients_refused_total 3"))
        }
    }

    @Test func ofEachDeviceTheNewestIsShownAtMostSoOften() async throws {
        try await TestBed.run(isLive: true) { bed in
            try await LiveConnection.open(bed, "?max_hz=4") { live in
                _ = try await live.nextEvent()
                let start = ContinuousClock.now
                var number: Int64 = 0
                while ContinuousClock.now - start < .seconds(2) {
                    for device in ["a", "b"] { try bed.commit(device, ["n": .integer(number)], age: .milliseconds(100_000 - number)) }
                    number += 1
                    try await Task.sleep(for: .milliseconds(5))
                }
                var (events, last): ([LiveEvent], [String: String]) = ([], [:])
                while last["a"] != "\(number - 1)" || last["b"] != "\(number - 1)" {
                    let event = try await live.next(1)[0]
                    #expect(event.name == "reading")
                    events.append(event)
                    last[try event.json["device"]?.text ?? ""] = try event.json["values"]?["n"]?.number
                }
                let seconds = Double((ContinuousClock.now - start) / .milliseconds(1)) / 1_000
                #expect(Double(events.count) <= 2 * (4 * seconds + 1), "\(events.count) events in \(seconds) s")
                let ids = events.compactMap { Int($0.id) }
                #expect(ids == ids.sorted() && Set(ids).count == ids.count)
            }
        }
    }

    /// The next one is minutes away.
    @Test(.timeLimit(.minutes(1))) func aTurnThatIsLongIsShownToItsEnd() async throws {
        let count = 2_000
        try await TestBed.run(isLive: true) { bed in
            try await LiveConnection.open(bed, "?max_hz=0.01") { live in
                _ = try await live.nextEvent()
                try bed.commit((0..<count).map { Reading(device: "d\($0)", time: TestBed.now, fields: ["n": .integer(1)]) })
                #expect(try await live.next(count).map(\.id) == (1...count).map { "\($0)" })
            }
        }
    }

    /// No statistics come before an hour has passed.
    @Test(.timeLimit(.minutes(1))) func oneReadingWakesWhoeverWaitsForIt() async throws {
        let end = Atomic<SequenceNumber>(6)
        let clients = LiveClients(limit: 1) { end.load(ordering: .relaxed) }
        let ticking = Task { try await clients.run() }
        let place = try clients.enter()
        async let waiting: Void = place.wait(.init(newsBehind: 5, notBefore: .now, deadline: .now + .seconds(3_600)))
        end.store(7, ordering: .relaxed)
        await waiting
        ticking.cancel()
        try await ticking.value
    }

    @Test func manyClientsAllSeeEverything() async throws {
        let (clients, readings) = (60, 200)
        try await TestBed.run(isLive: true) { bed in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<clients {
                    group.addTask {
                        try await LiveConnection.open(bed) { live in
                            _ = try await live.nextEvent()
                            return try await live.next(readings).map(\.id) == (1...readings).map { "\($0)" }
                        }
                    }
                }
                try await Self.until("all are there") { try await bed.get("/metrics").lines.contains("gaugehouse_live_clients \(clients)") }
                // Each has its first event once the tick after its entering is over.
                try await Task.sleep(for: .milliseconds(200))
                for number in 0..<readings { try bed.commit("d", ["n": .integer(Int64(number))], age: .milliseconds(Int64(number))) }
                for try await isComplete in group { #expect(isComplete) }
            }
        }
    }

    @Test func aServerThatStopsEndsItsStreams() async throws {
        let (beds, continuation) = AsyncStream.makeStream(of: TestBed.self)
        let (connected, hasConnected) = AsyncStream.makeStream(of: Void.self)
        async let ended: Bool = {
            var found = beds.makeAsyncIterator()
            let bed = try #require(await found.next())
            return try await LiveConnection.open(bed) { live in
                _ = try await live.nextEvent()
                hasConnected.yield()
                while try await live.nextEvent() != nil {}
                return live.hasEnded
            }
        }()
        try await TestBed.run(isLive: true) { bed in
            continuation.yield(bed)
            var waiting = connected.makeAsyncIterator()
            await waiting.next()
        }
        #expect(try await ended)
    }

    @Test func aClientThatDoesNotReadDoesNotKeepTheServerFromStopping() async throws {
        let (beds, continuation) = AsyncStream.makeStream(of: TestBed.self)
        let (connected, hasConnected) = AsyncStream.makeStream(of: Void.self)
        let client = Task {
            var found = beds.makeAsyncIterator()
            let bed = try #require(await found.next())
            try await LiveConnection.open(bed) { live in
                _ = try await live.nextEvent()
                hasConnected.yield()
                try await Task.sleep(for: .seconds(100))
            }
        }
        let stopping = try await Self.clock {
            try await TestBed.run(store: { $0.feedByteCount = 32 << 20 }, isLive: true) { bed in
                continuation.yield(bed)
                var waiting = connected.makeAsyncIterator()
                await waiting.next()
                try Self.flood(bed, 10_000)
                // Until its socket is full.
                try await Task.sleep(for: .seconds(1))
            }
        }
        #expect(stopping < .seconds(40))
        client.cancel()
        _ = await client.result
    }

    private static func clock(_ body: () async throws -> Void) async throws -> Duration {
        let start = ContinuousClock.now
        try await body()
        return ContinuousClock.now - start
    }

    private static func until(_ what: String, _ isTrue: () async throws -> Bool) async throws {
        let start = ContinuousClock.now
        while !(try await isTrue()) {
            guard ContinuousClock.now - start < .seconds(30) else {
                Issue.record("not within 30 s: \(what)")
                return
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

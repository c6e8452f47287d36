import Dispatch
import Foundation
import Telemetry
import TelemetryStore
import Testing

@testable import Ingest

/// Replay through a real broker into a real store.
@Suite struct DeadLetterReplayTests {
    private func replay(_ station: Station, _ selection: DeadLetterSelection = .init(), isTrial: Bool = false) throws
        -> DeadLetterReplay.Report
    {
        var replay = DeadLetterReplay(path: station.directory.file("dead-letters"), brokers: [station.options], selection: selection)
        return try replay.run(isTrial: isTrial)
    }

    private func letters(_ station: Station) -> DeadLetterFile {
        DeadLetterFile(path: station.directory.file("dead-letters"), byteLimit: 64 << 20)
    }

    /// The second time the broker surely has the subscription: it knows the session.
    private func start(_ station: Station) async throws {
        for _ in 0..<2 {
            station.stop()
            try station.start()
            #expect(await station.isConnected())
        }
    }

    @Test func lettersGoThroughTheMendedMappingOnceAndInOrder() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        station.subscription = SubscriptionOptions(filter: "plant/#", topic: "plant/{device}/data", table: "telemetry")
        try await start(station)
        let now = nowMilliseconds()
        // More than a window, so that acks and marks come in between.
        try broker.publish((0..<350).map { "{\"ts\":\(now - 1_000 + $0),\"a\":\($0)}" }, topic: "plant/hall-1/boiler/data")
        #expect(await eventually { station.statistics.rejects == [.unmatchedTopic: 350] })
        station.stop()

        station.subscription = SubscriptionOptions(filter: "plant/#", topic: "plant/{hall}/{device}/data", table: "telemetry")
        try await start(station)
        #expect(try replay(station, isTrial: true) == .init(replayed: 350))
        #expect(station.rowCount == 0)
        #expect(try replay(station) == .init(replayed: 350))
        #expect(await eventually { station.rowCount == 350 })
        #expect(await eventually { station.statistics.messages == 350 && station.statistics.rejects.isEmpty })
        // A second replay sends nothing.
        #expect(try replay(station) == .init(replayedBefore: 350))
        #expect(station.statistics.messages == 350)
    }

    @Test func whatCannotBeReplayedIsToldAndStays() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        let letters = letters(station)
        try letters.append(
            [UInt8](repeating: 0x78, count: 65_536), topic: "devices/a/telemetry", reason: .payloadTooLong, byteCount: 2_000_000)
        try letters.append(Array("{\"n\":1}".utf8), topic: "nobody/listens")
        try letters.append(Array("{\"n\":2}".utf8), topic: "devices/a/telemetry")
        try await start(station)
        #expect(try replay(station) == .init(replayed: 1, cut: 1, unheard: 1))
        #expect(await eventually { station.rowCount == 1 })
        #expect(try replay(station) == .init(replayedBefore: 1, cut: 1, unheard: 1))
        #expect(station.rowCount == 1)
    }

    @Test func onlyTheSelectedLettersAreSent() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        for (topic, reason) in [
            ("devices/a/telemetry", RejectReason.late), ("devices/b/telemetry", .future), ("devices/a/telemetry", .badTime),
        ] {
            try letters(station).append(Array("{\"n\":1}".utf8), topic: topic, reason: reason)
        }
        try await start(station)
        var selection = DeadLetterSelection()
        selection.reason = .badTime
        selection.topic = "devices/+/telemetry"
        #expect(try replay(station, selection) == .init(replayed: 1))
        #expect(try replay(station) == .init(replayed: 2, replayedBefore: 1))
        #expect(await eventually { station.statistics.messages == 3 })
    }

    @Test func aBrokerThatIsAwayOrRefusesLosesNoLetter() async throws {
        let broker = try Mosquitto(extra: "acl_file DIR/acl", acl: "topic read #\ntopic write devices/good/telemetry\n")
        let station = try Station(port: broker.port)
        let letters = letters(station)
        try letters.append(Array("{\"n\":1}".utf8), topic: "devices/good/telemetry")
        try letters.append(Array("{\"n\":1}".utf8), topic: "devices/bad/telemetry")
        broker.stop()
        let error = #expect(throws: DeadLetterReplay.Interrupted.self) { try replay(station) }
        #expect(error?.cause == .broker && error?.report == .init())
        try broker.start()
        try await start(station)
        for round in 0..<2 {
            var report = try replay(station)
            #expect(report.refusal?.contains("devices/bad/telemetry: Not authorized") == true)
            report.refusal = nil
            #expect(report == .init(replayed: round == 0 ? 1 : 0, replayedBefore: round, refused: 1))
        }
        #expect(await eventually { station.rowCount == 1 })
        var selection = DeadLetterSelection()
        selection.topic = "devices/good/telemetry"
        #expect(try replay(station, selection) == .init(replayedBefore: 1))
        #expect(await eventually { station.statistics.messages == 1 })
    }

    @Test func aRefusedLetterAmongAckedOnesIsTold() async throws {
        let broker = try Mosquitto(extra: "acl_file DIR/acl", acl: "topic read #\ntopic write devices/good/telemetry\n")
        let station = try Station(port: broker.port)
        let letters = letters(station)
        for index in 0..<300 {
            try letters.append(Array("{\"n\":1}".utf8), topic: index % 50 == 10 ? "devices/bad/telemetry" : "devices/good/telemetry")
        }
        try await start(station)
        var report = try replay(station)
        #expect(report.refusal != nil)
        report.refusal = nil
        #expect(report == .init(replayed: 294, refused: 6))
        #expect(await eventually { station.statistics.messages == 294 })
    }

    @Test func nothingIsSentThatCannotBeMarked() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        for index in 0..<20 { try letters(station).append(Array("{\"n\":\(index)}".utf8), topic: "devices/a/telemetry") }
        try await start(station)
        let marks = station.directory.file("dead-letters/000000000001.replayed")
        // A full disk, for whoever may write everywhere.
        #expect(symlink("/dev/full", marks) == 0)
        for _ in 0..<2 {
            let error = #expect(throws: DeadLetterReplay.Interrupted.self) { try replay(station) }
            #expect(error?.cause == .letters && error?.report == .init())
        }
        unlink(marks)
        #expect(try replay(station) == .init(replayed: 20))
        #expect(await eventually { station.statistics.messages == 20 })
    }

    @Test func aRefusedUserIsToldWhyAtOnce() throws {
        let broker = try Mosquitto(extra: "allow_anonymous false")
        let station = try Station(port: broker.port)
        try letters(station).append([1])
        let error = #expect(throws: DeadLetterReplay.Interrupted.self) { try replay(station) }
        #expect(error?.cause == .broker && error?.description.contains("refused the connection: Not authorized") == true)
    }

    @Test func aBrokerThatDiesMidwayLeavesTheRestForTheNextReplay() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        let letters = letters(station)
        let now = nowMilliseconds()
        for index in 0..<20_000 { try letters.append(Array("{\"ts\":\(now - index),\"n\":\(index)}".utf8), topic: "devices/a/telemetry") }
        try await start(station)
        // A thread of its own: a task might get its turn only when everything is sent.
        let stopped = DispatchSemaphore(value: 0)
        Thread.detachNewThread { [station = Unchecked(station), broker = Unchecked(broker)] in
            let deadline = ContinuousClock.now + .seconds(30)
            while station.value.statistics.messages <= 1_000, ContinuousClock.now < deadline { usleep(1_000) }
            broker.value.stop()
            stopped.signal()
        }
        let error = #expect(throws: DeadLetterReplay.Interrupted.self) { try replay(station) }
        #expect(stopped.wait(timeout: .now() + 10) == .success)
        let sent = try #require(error).report.replayed
        #expect(error?.cause == .broker && sent > 0 && sent < 20_000)
        try broker.start()
        #expect(await eventually { station.statistics.isConnected })
        #expect(try replay(station) == .init(replayed: 20_000 - sent, replayedBefore: sent))
        // Letters of one window may have been sent twice; they carry a time.
        #expect(await eventually(within: .seconds(30)) { station.rowCount == 20_000 })
    }

    @Test func aLetterGoesToTheBrokerItCameFrom() async throws {
        let (broker, other) = (try Mosquitto(), try Mosquitto())
        let station = try Station(port: broker.port)
        let letters = letters(station)
        for port in [broker.port, other.port, 1] {
            try letters.append(Array("{\"n\":\(port)}".utf8), topic: "devices/a/telemetry", broker: "127.0.0.1:\(port)")
        }
        try await start(station)
        var options = station.options
        options.port = other.port
        var replay = DeadLetterReplay(
            path: station.directory.file("dead-letters"), brokers: [options, station.options], selection: DeadLetterSelection())
        var expected = DeadLetterReplay.Report(replayed: 1, unheard: 1)
        expected.homeless = 1
        #expect(try replay.run() == expected)
        #expect(await eventually { station.rowCount == 1 })
        let latest = try #require(station.store.tables[0].latest(device: "a", fields: ["n"]))
        #expect(latest.entries.first?.cell.integer == Int64(broker.port))
    }

    @Test func withoutLettersThereIsNothingToReplay() throws {
        let station = try Station(port: 1)
        let error = #expect(throws: DeadLetterReplay.Interrupted.self) { try replay(station) }
        #expect(error?.cause == .missing)
        #expect(mkdir(station.directory.file("dead-letters"), 0o755) == 0)
        let empty = #expect(throws: DeadLetterReplay.Interrupted.self) { try replay(station) }
        #expect(empty?.cause == .missing)
        try letters(station).append([1])
        var selection = DeadLetterSelection()
        selection.reason = .late
        // Nothing to send: the broker is not asked.
        #expect(try replay(station, selection) == .init())
    }
}

extension DeadLetterReplay.Report {
    fileprivate init(replayed: Int = 0, replayedBefore: Int = 0, cut: Int = 0, unheard: Int = 0, refused: Int = 0) {
        self.init()
        (self.replayed, self.replayedBefore, self.cut, self.unheard) = (replayed, replayedBefore, cut, unheard)
        self.refused = refused
    }
}

private struct Unchecked<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}

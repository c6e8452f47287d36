import Glibc
import Ingest
import Synchronization
import Telemetry
import TelemetryStore
import Testing

/// The promise: an ack leaves only after its message is on disk. It rests on undocumented behaviour of libmosquitto.
@Suite(.serialized) struct DeferredAckTests {
    @Test func noAckIsWrittenBeforeTheCommitReturnsAndThenAllLeaveAtOnce() async throws {
        let broker = try ScriptedBroker()
        let station = try Station(port: broker.port)
        let store = station.store
        let gate = Gate()
        defer { gate.open() }
        try station.start(commit: { (batch, notes) throws(StoreError) in
            gate.enter()
            return try store.commit(&batch, notes: notes)
        })
        #expect(await eventually { broker.packets.contains { $0[0] == 0x82 } })
        let now = nowMilliseconds()
        broker.publish((0..<50).map { "{\"ts\":\(now + $0),\"a\":\($0)}" }, topic: "devices/d/telemetry")
        #expect(await eventually { gate.isEntered })
        try await Task.sleep(for: .milliseconds(300))
        #expect(broker.pubacks.isEmpty)
        gate.open()
        #expect(await eventually { broker.pubacks == Array(1...50) })
        // Corked: 50 acks of 4 bytes in one segment, unless the first batch caught only a part of the messages.
        let ackSegments = broker.segments.filter { $0[0] == 0x40 }
        #expect(ackSegments.count <= 3)
        #expect(station.rowCount == 50)
    }

    @Test func aGatewayThatDiesBetweenCommitAndAckGetsTheMessagesAgainAndStoresThemOnce() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        let store = station.store
        let failure = Gate()
        // The commit is durable, and then the process is gone: nothing is acked.
        try station.start(onFatal: { _ in failure.enter(waits: false) }) { (batch, notes) throws(StoreError) in
            _ = try store.commit(&batch, notes: notes)
            throw StoreError(.fatal, "killed by the test")
        }
        #expect(await station.isConnected())
        try broker.publish((0..<20).map { "{\"a\":\($0)}" }, topic: "devices/d/telemetry")
        #expect(await eventually { failure.isEntered })
        let committed = station.rowCount
        #expect(committed > 0)
        #expect(station.statistics.messages == 0)
        station.stop()

        // Without a time in the payload, only the commit note makes the redelivered messages the same readings.
        try station.start()
        #expect(await eventually { station.statistics.messages >= 20 })
        #expect(station.statistics.duplicates == committed)
        #expect(station.rowCount == 20)
    }

    @Test func aNewMessageLikeAnOldOneIsANewReading() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        try station.start()
        #expect(await station.isConnected())
        for _ in 0..<3 { try broker.publish(["{\"a\":1}"], topic: "devices/d/telemetry") }
        #expect(await eventually { station.rowCount == 3 })
        station.stop()
        try broker.publish(["{\"a\":1}"], topic: "devices/d/telemetry")
        try station.start()
        #expect(await eventually { station.rowCount == 4 })
        #expect(station.statistics.duplicates == 0)
    }

    @Test(arguments: [StoreError.Code.diskFull, .overloaded, .clock])
    func aStoreThatRefusesKeepsTheMessagesWithTheBroker(_ code: StoreError.Code) async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        station.options.commitRetry = .milliseconds(100)
        let store = station.store
        let refuses = Gate()
        try station.start(commit: { (batch, notes) throws(StoreError) in
            guard refuses.isOpen else { throw StoreError(code, "not now") }
            return try store.commit(&batch, notes: notes)
        })
        #expect(await station.isConnected())
        try broker.publish((0..<100).map { "{\"a\":\($0)}" }, topic: "devices/d/telemetry")
        #expect(await eventually { station.statistics.reconnects >= 2 })
        #expect(station.statistics.messages == 0)
        #expect(station.statistics.lastError?.contains("not now") == true)
        #expect(station.rowCount == 0)
        refuses.open()
        #expect(await eventually { station.rowCount == 100 })
        #expect(station.log.lines.filter { $0.contains("not acking") }.count == 1)
        #expect(await eventually { station.log.lines.contains { $0.contains("takes readings again") } })
    }

    @Test func aFatalStoreStopsIngestAndIsReported() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        let reported = Gate()
        try station.start(onFatal: { _ in reported.enter(waits: false) }) { (_, _) throws(StoreError) in
            throw StoreError(.fatal, "fdatasync: Input/output error")
        }
        #expect(await station.isConnected())
        try broker.publish(["{\"a\":1}"], topic: "devices/d/telemetry")
        #expect(await eventually { reported.isEntered })
        #expect(await eventually { station.statistics.connectionsUp == 0 })
        #expect(station.log.lines.contains { $0.hasPrefix("critical") && $0.contains("fdatasync") })
    }
}

/// Something that a test holds closed.
final class Gate: Sendable {
    private let entered = Atomic<Bool>(false)
    private let opened = Atomic<Bool>(false)

    var isEntered: Bool { entered.load(ordering: .acquiring) }
    var isOpen: Bool { opened.load(ordering: .acquiring) }
    func open() { opened.store(true, ordering: .releasing) }

    func enter(waits: Bool = true) {
        entered.store(true, ordering: .releasing)
        while waits, !isOpen { usleep(1_000) }
    }
}

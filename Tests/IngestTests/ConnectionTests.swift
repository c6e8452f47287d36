import Dialects
import Foundation
import Ingest
import Synchronization
import Telemetry
import TelemetryStore
import Testing

/// The loop against a real broker and the real store.
@Suite(.serialized) struct ConnectionTests {
    @Test func whatIsPublishedStandsInTheStoreAndWhatIsRefusedInTheDeadLetters() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        try station.start()
        #expect(await station.isConnected())
        let now = nowMilliseconds()
        let payloads = [
            "{\"ts\":\(now),\"temperature\":21.5,\"status\":\"ok\"}", "not json", "{\"ts\":1000,\"a\":1}",
            "{\"ts\":\(now + 86_400_000),\"a\":1}",
        ]
        try broker.publish(payloads, topic: "devices/dev-1/telemetry")
        try broker.publish([], topic: "devices/dev-1/telemetry", options: ["-n"])
        #expect(await eventually { station.statistics.messages == 5 })
        let statistics = station.statistics
        #expect(statistics.readings == 1)
        #expect(statistics.rejects == [.undecodable: 1, .late: 1, .future: 1])
        #expect(statistics.emptyIgnored == 1)
        let latest = station.store.tables[0].latest(device: "dev-1", fields: nil)
        #expect(latest?.time == Timestamp(microseconds: Int64(now) * 1_000))
        #expect(latest?.entries.map(\.field).sorted() == ["status", "temperature"])
        let letters = station.directory.lines(of: "dead-letters/000000000001.ndjson")
        #expect(letters.count == 3)
        #expect(letters.contains { $0.contains("\"reason\":\"late\"") && $0.contains("device \\\"dev-1\\\" at 1970-01-01T00:16:40Z") })
    }

    @Test func tenThousandMessagesArriveOnceThroughSharedConnections() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        station.options.connections = 2
        try station.start()
        #expect(await station.isConnected())
        let now = nowMilliseconds()
        try broker.publish((0..<10_000).map { "{\"ts\":\(now - $0),\"a\":\($0)}" }, topic: "devices/d/telemetry")
        #expect(await eventually { station.statistics.messages == 10_000 })
        #expect(station.rowCount == 10_000)
    }

    @Test func whatArrivesWhileTheGatewayIsAwayComesWhenItIsBack() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        try station.start()
        #expect(await station.isConnected())
        station.stop()
        try broker.publish((0..<500).map { "{\"a\":\($0)}" }, topic: "devices/d/telemetry")
        try station.start()
        #expect(await eventually { station.statistics.messages == 500 })
        #expect(station.rowCount == 500)
        // The window is ours (v5): batches are larger than the broker's default of 20.
        #expect(station.statistics.largestBatch > 20)
    }

    @Test func aBrokerThatRestartsIsFoundAgainAndEachChangeIsLoggedOnce() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        try station.start()
        #expect(await station.isConnected())
        broker.stop()
        #expect(await eventually { !station.statistics.isConnected })
        try await Task.sleep(for: .milliseconds(1_500))
        try broker.start()
        #expect(await station.isConnected())
        try broker.publish(["{\"a\":1}"], topic: "devices/d/telemetry")
        #expect(await eventually { station.rowCount == 1 })
        #expect(station.statistics.reconnects == 1)
        #expect(station.log.lines.filter { $0.contains("connected (v5") }.count == 2)
        // One for the loss, one for "refused"; not one for each attempt.
        #expect(station.log.lines.filter { $0.contains("retrying for ever") }.count <= 2)
    }

    @Test func anUnreachableBrokerIsLoggedOnceAndStopDoesNotHang() async throws {
        let station = try Station(port: try TestSocket.freePort())
        try station.start()
        try await Task.sleep(for: .milliseconds(1_000))
        #expect(station.log.lines.count == 1)
        #expect(station.log.lines.first?.contains("Connection refused") == true)
        #expect(station.statistics.lastError?.contains("Connection refused") == true)
        let start = ContinuousClock.now
        station.stop()
        #expect(ContinuousClock.now - start < .seconds(2))
    }

    @Test func aBrokerWithoutV5IsSpokenToIn311() async throws {
        let broker = try ScriptedBroker(acceptsV5: false)
        let station = try Station(port: broker.port)
        try station.start()
        #expect(await station.isConnected())
        #expect(broker.connectVersions == [5, 4])
        #expect(await eventually { broker.packets.contains { $0[0] == 0x82 } })
        broker.publish(["{\"a\":1}", "{\"a\":2}"], topic: "devices/d/telemetry", isV5: false)
        #expect(await eventually { broker.pubacks == [1, 2] })
        #expect(station.rowCount == 2)
    }

    @Test func retainedMessagesAreDroppedUnlessWanted() async throws {
        let broker = try Mosquitto()
        try broker.publish([], topic: "devices/d/telemetry", options: ["-r", "-m", "{\"a\":1}"])
        let station = try Station(port: broker.port)
        try station.start()
        #expect(await eventually { station.statistics.retainedDropped == 1 })
        #expect(station.rowCount == 0)
        station.stop()

        let other = try Station(port: broker.port)
        other.options.clientID = "other"
        other.subscription.retained = .store
        try other.start()
        #expect(await eventually { other.rowCount == 1 })
    }

    /// As MQTT 3.1.1 does with each connection.
    @Test func aRetainedStateThatComesAgainIsStoredOnce() async throws {
        let broker = try Mosquitto()
        func publish(_ state: String) throws { try broker.publish([], topic: "devices/d/state", options: ["-r", "-m", state]) }
        let station = try Station(port: broker.port)
        station.subscription = SubscriptionOptions(filter: "devices/+/state", topic: "devices/{device}/state", table: "telemetry")
        station.subscription.dialect.format = .state
        // Of a session that nobody reads, nothing is kept.
        station.subscription.qos = 0
        for (round, (state, rowCount)) in [("online", 1), ("online", 1), ("offline", 2), ("offline", 2), ("online", 3)].enumerated() {
            try publish(state)
            // A session of its own: the broker sends what it has retained.
            station.options.clientID = "c\(round)"
            try station.start()
            #expect(await eventually { station.statistics.messages == 1 })
            #expect(station.rowCount == rowCount, "round \(round)")
            #expect(station.statistics.retainedDropped == (round.isMultiple(of: 2) ? 0 : 1))
            station.stop()
        }
    }

    @Test func theTimeOfReceiptIsGivenWhenTheStoreHasRoom() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        let room = Mutex<Timestamp?>(nil)
        station.awaitMemory = {
            usleep(300_000)
            room.withLock { $0 = SystemClock().now() }
        }
        try station.start()
        #expect(await station.isConnected())
        try broker.publish(["{\"a\":1}"], topic: "devices/d/telemetry")
        #expect(await eventually { station.rowCount == 1 })
        let time = try #require(station.store.tables[0].latest(device: "d", fields: nil)?.time)
        #expect(time >= room.withLock { $0 } ?? .distantFuture)
    }

    @Test func anOrdinaryStopAcksEverything() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        try station.start()
        #expect(await station.isConnected())
        try broker.publish((0..<200).map { "{\"a\":\($0)}" }, topic: "devices/d/telemetry")
        #expect(await eventually { station.rowCount == 200 })
        station.stop()
        try station.start()
        #expect(await station.isConnected())
        try await Task.sleep(for: .milliseconds(300))
        #expect(station.statistics.messages == 0)
    }

    @Test func anIdleConnectionUsesNoProcessorTime() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        try station.start()
        #expect(await station.isConnected())
        try await Task.sleep(for: .milliseconds(200))
        let before = try #require(threadTicks(named: "mqtt-1"))
        try await Task.sleep(for: .seconds(2))
        let after = try #require(threadTicks(named: "mqtt-1"))
        // Ticks of 10 ms, sampled: a loop that spins takes 200 of them. Threads of other tests' connections have the same name.
        #expect(after - before <= 5)
    }

    @Test func aSubscriptionThatCannotWorkIsRefusedAtOnce() throws {
        let station = try Station(port: 1)
        station.subscription.table = "nowhere"
        #expect(throws: MQTTIngest.InvalidSubscription.self) { try station.start() }
        station.subscription.table = "telemetry"
        station.subscription.qos = 2
        #expect(throws: MQTTIngest.InvalidSubscription.self) { try station.start() }
        station.subscription.qos = 1
        station.subscription.topic = "{device"
        #expect(throws: MQTTIngest.InvalidSubscription.self) { try station.start() }
    }
}

/// User and system time of this process's threads of that name, in clock ticks; nil without such a thread.
private func threadTicks(named name: String) -> Int? {
    let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    let ticks: [Int] = tasks.compactMap { task in
        guard let stat = try? String(contentsOfFile: "/proc/self/task/\(task)/stat", encoding: .utf8), stat.contains("(\(name))") else {
            return nil
        }
        // Fields 14 and 15, counted behind the name.
        let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
        return fields.count > 12 ? (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0) : nil
    }
    return ticks.isEmpty ? nil : ticks.reduce(0, +)
}

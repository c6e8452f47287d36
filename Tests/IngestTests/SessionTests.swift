import Dialects
import Foundation
import Ingest
import Telemetry
import TelemetryStore
import Testing

/// What the broker's session is subscribed to follows the configuration, running or not, and nothing is lost on the way.
@Suite(.serialized) struct SessionTests {
    private let other = SubscriptionOptions(filter: "other/+", topic: "other/{device}", table: "weather")

    @Test func aReloadAddsAndRemovesSubscriptions() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        try station.start()
        #expect(await station.isConnected())
        let first = station.subscription
        station.subscription = other
        try station.reload()
        try await station.publishUntilStored(broker, topic: "other/d", table: 1)
        let messages = station.statistics.messages
        try broker.publish(["{\"a\":1}"], topic: "devices/d/telemetry")
        try await Task.sleep(for: .milliseconds(300))
        #expect(station.statistics.messages == messages, "the filter that was removed is still subscribed to")
        station.furtherSubscriptions = [first]
        try station.reload()
        try await station.publishUntilStored(broker, topic: "devices/d/telemetry", table: 0)
        #expect(station.statistics.reconnects == 0)
    }

    @Test func aReloadThatCannotWorkChangesNothing() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        try station.start()
        #expect(await station.isConnected())
        station.subscription.table = "nowhere"
        #expect(throws: MQTTIngest.InvalidSubscription.self) { try station.reload() }
        try broker.publish(["{\"a\":1}"], topic: "devices/d/telemetry")
        #expect(await eventually { station.rowCount == 1 })
    }

    @Test func reloadsUnderLoadLoseNothingAndDoubleNothing() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        try station.start()
        #expect(await station.isConnected())
        let publishing = Task { try broker.publish((0..<20_000).map { "{\"a\":\($0)}" }, topic: "devices/d/telemetry") }
        for round in 0..<40 {
            station.furtherSubscriptions = round.isMultiple(of: 2) ? [other] : []
            station.subscription.dialect.exclude = ["x\(round)"]
            // Now and then what only a new connection can take over.
            if round % 10 == 9 { station.options.keepAlive = .seconds(Int64(30 + round)) }
            try station.reload()
            try await Task.sleep(for: .milliseconds(20))
        }
        try await publishing.value
        #expect(await eventually { station.rowCount >= 20_000 })
        #expect(station.rowCount == 20_000)
    }

    @Test func aFilterThatLeftTheConfigurationWhileAwayIsUnsubscribedFrom() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        station.furtherSubscriptions = [other]
        try station.start()
        try await station.publishUntilStored(broker, topic: "other/d", table: 1)
        station.stop()
        station.furtherSubscriptions = []
        try station.start()
        try await station.publishUntilStored(broker, topic: "devices/d/telemetry", table: 0)
        let messages = station.statistics.messages
        try broker.publish(["{\"a\":1}"], topic: "other/d")
        try await Task.sleep(for: .milliseconds(300))
        #expect(station.statistics.messages == messages)
    }

    @Test(arguments: [(3, 1), (1, 3), (2, 4)])
    func connectionsMayComeAndGo(before: Int, after: Int) async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        station.options.connections = before
        try station.start()
        try await station.publishUntilStored(broker, topic: "devices/first/telemetry", table: 0)
        station.stop()
        // Each session has its share of these.
        try broker.publish((0..<900).map { "{\"a\":\($0)}" }, topic: "devices/d/telemetry")
        station.options.connections = after
        try station.start()
        #expect(await eventually { station.deviceCount("d") == 900 })
        // And now nothing goes to a session that nobody reads.
        #expect(await eventually { before <= after || station.log.lines.contains { $0.contains("has ended") } })
        // With times: while both subscriptions exist, a message may come twice.
        let now = nowMilliseconds()
        try broker.publish((0..<900).map { "{\"ts\":\(now - $0),\"a\":\($0)}" }, topic: "devices/e/telemetry")
        #expect(await eventually { station.deviceCount("e") == 900 }, "\(station.deviceCount("e")) of 900")
    }

    @Test func aSessionUnderAnotherNameIsDrainedFirst() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        try station.start()
        try await station.publishUntilStored(broker, topic: "devices/first/telemetry", table: 0)
        station.stop()
        try broker.publish((0..<500).map { "{\"a\":\($0)}" }, topic: "devices/d/telemetry")
        station.options.clientID = "renamed"
        try station.start()
        #expect(await eventually { station.deviceCount("d") == 500 })
        #expect(await eventually { station.log.lines.contains { $0.contains("has ended") } })
        #expect(station.statistics.isConnected && station.statistics.connections == 1)
    }

    @Test func aRenameThatTheBrokerRefusesLosesNothing() async throws {
        let broker = try Mosquitto(extra: "clientid_prefixes gauge")
        let station = try Station(port: broker.port)
        try station.start()
        try await station.publishUntilStored(broker, topic: "devices/first/telemetry", table: 0, options: ["-i", "gauge-pub"])
        station.options.clientID = "other"
        try station.reload()
        #expect(await eventually { station.statistics.lastError?.contains("refused") == true })
        // Whom nobody follows must not be unsubscribed.
        try await Task.sleep(for: .seconds(3))
        try broker.publish((0..<100).map { "{\"a\":\($0)}" }, topic: "devices/d/telemetry", options: ["-i", "gauge-pub"])
        station.options.clientID = "gaugehouse"
        try station.reload()
        #expect(await eventually { station.deviceCount("d") == 100 })
    }

    @Test func renamesUnderLoadLoseNothing() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        station.options.clientID = "c0"
        try station.start()
        #expect(await station.isConnected())
        try await Task.sleep(for: .seconds(1))
        let now = nowMilliseconds()
        let publishing = Task {
            for part in 0..<30 {
                let payloads = (part * 500..<part * 500 + 500).map { "{\"ts\":\(now - $0),\"a\":\($0)}" }
                try broker.publish(payloads, topic: "devices/d/telemetry")
            }
        }
        for round in 1...4 {
            station.options.clientID = "c\(round)"
            try station.reload()
            try await Task.sleep(for: .milliseconds(400))
        }
        try await publishing.value
        #expect(await eventually { station.deviceCount("d") >= 15_000 })
        #expect(station.deviceCount("d") == 15_000)
    }

    @Test func aShareThatIsRetiredKeepsTheTimesOfWhatIsRedelivered() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        let store = station.store
        station.options.connections = 2
        // On disk, and then the process is gone: nothing is acked.
        try station.start(commit: { (batch, notes) throws(StoreError) in
            _ = try store.commit(&batch, notes: notes)
            throw StoreError(.fatal, "killed by the test")
        })
        #expect(await station.isConnected())
        try await Task.sleep(for: .milliseconds(500))
        try broker.publish((0..<20).map { "{\"a\":\($0)}" }, topic: "devices/d/telemetry")
        #expect(await eventually { station.statistics.connectionsUp == 0 })
        station.stop()
        #expect(station.rowCount > 0)
        station.options.connections = 1
        try station.start()
        #expect(await eventually { station.log.lines.contains { $0.contains("has ended") } })
        #expect(station.rowCount == 20)
    }

    @Test func aRetiredSessionIsReadByTheSubscriptionsOfItsSection() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        var options = MQTTOptions()
        (options.port, options.clientID) = (broker.port, "second")
        station.furtherBrokers = [MQTTBroker(options: options, subscriptions: [other])]
        try station.start()
        try await station.publishUntilStored(broker, topic: "other/first", table: 1)
        station.stop()
        try broker.publish((0..<50).map { "{\"a\":\($0)}" }, topic: "other/d")
        options.clientID = "third"
        station.furtherBrokers = [MQTTBroker(options: options, subscriptions: [other])]
        try station.start()
        #expect(await eventually { station.log.lines.contains { $0.contains("has ended") } })
        #expect(station.store.tables[1].device("d")?.summary.readingCount == 50)
        #expect(station.statistics.rejects == [:])
    }

    @Test func aSessionThatStaysBehindAtAnotherBrokerIsToldOf() async throws {
        let brokers = [try Mosquitto(), try Mosquitto()]
        let station = try Station(port: brokers[0].port)
        try station.start()
        try await station.publishUntilStored(brokers[0], topic: "devices/d/telemetry", table: 0)
        station.options.port = brokers[1].port
        try station.reload()
        try await station.publishUntilStored(brokers[1], topic: "devices/d/telemetry", table: 0)
        let told = station.log.lines.filter { $0.contains("127.0.0.1:\(brokers[0].port) is left to itself") }
        #expect(told.count == 1)
        // Once: the session is now the other broker's.
        station.stop()
        try station.start()
        #expect(await station.isConnected())
        try await station.publishUntilStored(brokers[1], topic: "devices/d/telemetry", table: 0)
        #expect(station.log.lines.filter { $0.contains("is left to itself") } == told)
    }

    @Test func aReloadBeforeTheStartStartsNothing() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        try station.start(before: { ingest in try ingest.reload(station.brokers) })
        #expect(await station.isConnected())
        try await Task.sleep(for: .seconds(2))
        #expect(station.statistics.reconnects == 0, "two connections fight over one session")
    }

    @Test func aRefusedSubscriptionIsToldOfAndHarmsNoOther() async throws {
        let broker = try ScriptedBroker(refused: "secret/+")
        let station = try Station(port: broker.port)
        station.furtherSubscriptions = [SubscriptionOptions(filter: "secret/+", topic: "secret/{device}", table: "telemetry")]
        try station.start()
        #expect(await eventually { station.statistics.refusedFilters == ["secret/+ at 127.0.0.1:\(broker.port)"] })
        broker.publish(["{\"a\":1}"], topic: "devices/d/telemetry")
        #expect(await eventually { station.rowCount == 1 })
        #expect(station.statistics.reconnects == 0 && station.statistics.isConnected)
        station.furtherSubscriptions = []
        try station.reload()
        #expect(station.statistics.refusedFilters.isEmpty)
    }

    @Test func severalBrokersAreReadAtOnce() async throws {
        let brokers = [try Mosquitto(), try Mosquitto()]
        let station = try Station(port: brokers[0].port)
        var options = MQTTOptions()
        (options.port, options.clientID) = (brokers[1].port, "second")
        station.furtherBrokers = [MQTTBroker(options: options, subscriptions: [other])]
        try station.start()
        #expect(await station.isConnected())
        try await station.publishUntilStored(brokers[0], topic: "devices/d/telemetry", table: 0)
        try await station.publishUntilStored(brokers[1], topic: "other/d", table: 1)
        brokers[1].stop()
        #expect(await eventually { station.statistics.awayBrokers == ["127.0.0.1:\(brokers[1].port)"] })
        // One that leaves the configuration is no longer missed.
        station.furtherBrokers = []
        try station.reload()
        #expect(await eventually { station.statistics.isConnected })
    }

    @Test func whatTheBrokerDropsIsSeen() async throws {
        let broker = try Mosquitto(extra: "sys_interval 1\nmax_queued_messages 10")
        let station = try Station(port: broker.port)
        try station.start()
        try await station.publishUntilStored(broker, topic: "devices/first/telemetry", table: 0)
        // Somebody else's session is too short for these.
        let sleeper = try ChildProcess(
            try ChildProcess.path("mosquitto_sub"),
            ["-p", "\(broker.port)", "-i", "sleeper", "-c", "-q", "1", "-t", "devices/+/telemetry", "-E"])
        #expect(sleeper.wait() == 0)
        try broker.publish((0..<300).map { "{\"a\":\($0)}" }, topic: "devices/d/telemetry")
        let name = "127.0.0.1:\(broker.port)"
        #expect(await eventually { (station.statistics.brokerDropped[name] ?? 0) > 0 })
        #expect(await eventually { station.log.lines.contains { $0.hasPrefix("warning: mqtt: the broker dropped ") } })
    }

    @Test func aTopicMayNameTheTable() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        station.subscription = SubscriptionOptions(filter: "t/#", topic: "t/{table}/{device#}", table: "telemetry")
        try station.start()
        #expect(await station.isConnected())
        try await station.publishUntilStored(broker, topic: "t/weather/roof/north", table: 1)
        #expect(station.store.tables[1].device("roof/north") != nil)
        try broker.publish(["{\"a\":1}"], topic: "t/nowhere/d")
        #expect(await eventually { station.statistics.rejects[.unknownTable] == 1 })
    }

    @Test func messagesWithTimesRelativeToNowDoNotMeetInOneBatch() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        station.subscription.dialect = DialectOptions(format: .senml)
        try station.start()
        try await station.publishUntilStored(
            broker, topic: "devices/first/telemetry", table: 0, payload: "[{\"n\":\"t\",\"t\":-5,\"v\":0}]")
        station.stop()
        try broker.publish((0..<10).map { "[{\"n\":\"t\",\"t\":-5,\"v\":\($0)}]" }, topic: "devices/d/telemetry")
        try station.start()
        #expect(await eventually { station.deviceCount("d") == 10 })
    }

    @Test func theBrokersOwnCountsAreReadingsWhereSomebodyWantsThem() async throws {
        let broker = try Mosquitto(extra: "sys_interval 1")
        let station = try Station(port: broker.port)
        var status = SubscriptionOptions(
            filter: "$SYS/broker/publish/messages/dropped", topic: "$SYS/{device}/publish/messages/{field}", table: "weather")
        status.dialect.format = .value
        status.retained = .store
        station.furtherSubscriptions = [status]
        try station.start()
        #expect(await eventually { station.store.tables[1].device("broker") != nil })
    }
}

extension Station {
    /// Subscribing takes its time: publishes until the table holds something new.
    fileprivate func publishUntilStored(
        _ broker: Mosquitto, topic: String, table: Int, payload: String = "{\"a\":0}", options: [String] = []
    ) async throws {
        let before = store.tables[table].summary().rowCount
        for _ in 0..<100 where store.tables[table].summary().rowCount == before {
            try broker.publish([payload], topic: topic, options: options)
            _ = await eventually(within: .milliseconds(200)) { self.store.tables[table].summary().rowCount > before }
        }
        #expect(store.tables[table].summary().rowCount > before, "nothing came by \(topic)")
    }

    fileprivate func deviceCount(_ device: String) -> Int { store.tables[0].device(device)?.summary.readingCount ?? 0 }
}

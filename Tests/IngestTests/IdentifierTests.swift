import Dialects
import Ingest
import Telemetry
import TelemetryStore
import Testing

/// A copy is left to another subscription only when that one has its own: with a real broker, whatever it grants and whenever.
@Suite(.serialized) struct IdentifierTests {
    private let everything = SubscriptionOptions(filter: "#", topic: "{device}/#", table: "weather")
    private let others = SubscriptionOptions(filter: "devices/#", topic: "devices/{device}/#", table: "weather")

    private func station(_ port: Int, further: [SubscriptionOptions]) throws -> Station {
        let station = try Station(port: port)
        station.furtherSubscriptions = further
        return station
    }

    private func payloads(_ count: Int) -> [String] {
        let now = nowMilliseconds()
        return (0..<count).map { "{\"a\":\($0),\"ts\":\(now - $0)}" }
    }

    /// Wildcards do not begin with the broker's own topics: MQTT 5.0, section 4.7.2.
    @Test func topicsThatBeginWithADollarAreLeftToTheFilterThatNamesThem() async throws {
        let broker = try Mosquitto()
        let laboratory = SubscriptionOptions(filter: "$lab/+/x", topic: "$lab/{device}/x", table: "weather")
        let station = try station(broker.port, further: [everything, laboratory])
        try station.start()
        #expect(await station.isConnected())
        for _ in 0..<100 where station.statistics.overlapsIgnored == 0 {
            try broker.publish(payloads(1), topic: "devices/warm/telemetry")
            _ = await eventually(within: .milliseconds(100)) { station.statistics.overlapsIgnored > 0 }
        }
        try broker.publish(payloads(100), topic: "$lab/d/x")
        #expect(await eventually { station.readings("d", table: 1) == 100 })
    }

    /// The first filter fits and its template does not, so that the second decides; of the second the session keeps nothing.
    @Test func aSubscriptionOfLowerQoSThatDecidesTakesTheCopyOfAnother() async throws {
        let broker = try Mosquitto()
        let telemetry = SubscriptionOptions(filter: "line/#", topic: "line/{device}/telemetry", table: "weather")
        var status = SubscriptionOptions(filter: "line/+/status", topic: "line/{device}/status", table: "weather")
        status.qos = 0
        let station = try station(broker.port, further: [telemetry, status])
        try station.start()
        #expect(await station.isConnected())
        try broker.publish(payloads(1), topic: "line/warm/telemetry")
        #expect(await eventually { station.readings("warm", table: 1) == 1 })
        station.stop()
        try broker.publish(payloads(100), topic: "line/d/status")
        try station.start()
        #expect(await eventually { station.readings("d", table: 1) == 100 })
    }

    /// What was published while the first filter was refused has no copy for it, and may come when it is granted.
    @Test func whatCameWhileAFilterWasRefusedIsTakenWhenItIsGranted() async throws {
        let broker = try Mosquitto(refusing: "devices/+/telemetry")
        let station = try station(broker.port, further: [others])
        try station.start()
        #expect(await eventually { station.statistics.refusedFilters.count == 1 })
        try broker.publish(payloads(1), topic: "devices/warm/other")
        #expect(await eventually { station.readings("warm", table: 1) == 1 })
        station.stop()
        try broker.publish(payloads(2_000), topic: "devices/d/telemetry")
        try broker.grant("devices/+/telemetry")
        try station.start()
        #expect(await eventually { station.readings("d", table: 0) == 2_000 })
        #expect(station.statistics.refusedFilters == [])
    }

    /// A message with an identifier says that all filters were granted before it was published.
    @Test(arguments: [(nil, 1, 2), ("devices/+/telemetry", 1, 0), (nil, 0, 0)])
    func identifiersAreUsedOnceAllIsGranted(refused: String?, granted: UInt8, marked: Int) async throws {
        let broker = try ScriptedBroker(refused: refused, grantedQoS: granted)
        let station = try station(broker.port, further: [others])
        try station.start()
        #expect(await eventually { broker.subscriptions.count >= 3 + marked })
        try await Task.sleep(for: .milliseconds(100))
        // The first two, and the broker's own counts, go without; then the first two again.
        #expect(broker.subscriptions.map(\.identifier).map { $0 != nil } == [false, false, false] + [Bool](repeating: true, count: marked))
        let identifiers = broker.subscriptions.compactMap(\.identifier)
        #expect(marked == 0 || (identifiers[1] == identifiers[0] + 1 && identifiers[0] & 0xFFF == 1))
        #expect(station.log.lines.contains { $0.contains("only QoS 0") } == (granted == 0))
    }
}

extension Station {
    fileprivate func readings(_ device: String, table: Int) -> Int { store.tables[table].device(device)?.summary.readingCount ?? 0 }
}

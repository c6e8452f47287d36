import Dialects
import Ingest
import Telemetry
import TelemetryStore
import Testing

/// Where filters overlap, the first in the configuration takes the message, once, though the broker sends it several times.
@Suite(.serialized) struct OverlapTests {
    private let everything = SubscriptionOptions(filter: "#", topic: "{device}/#", table: "weather")
    private let others = SubscriptionOptions(filter: "devices/#", topic: "devices/{device}/#", table: "weather")

    @Test(arguments: [
        ("a/b", "a/b", true), ("a/b", "a/c", false), ("a/+", "a/b", true), ("a/+/c", "a/b/+", true), ("a/+", "a/b/c", false),
        ("a/#", "a", true), ("a/#", "a/b/c", true), ("a/#", "b/#", false), ("#", "+/x", true), ("#", "$SYS/broker", false),
        ("+/broker", "$SYS/broker", false), ("$SYS/#", "$SYS/broker", true), ("$share/g/a/+", "a/b", true),
        ("$share/g/a", "$share/h/a", true), ("$share/g/a", "g/a", false), ("a", "a/b", false), ("a/", "a/+", true), ("/a", "+/a", true),
    ])
    func filtersOverlapWhenATopicFitsBoth(a: String, b: String, overlap: Bool) {
        #expect(TopicFilter.overlap(a, b) == overlap && TopicFilter.overlap(b, a) == overlap)
    }

    private func station(_ broker: Mosquitto, further: [SubscriptionOptions]) throws -> Station {
        let station = try Station(port: broker.port)
        station.furtherSubscriptions = further
        return station
    }

    /// Until the broker has answered the subscriptions.
    private func warmUp(_ station: Station, _ broker: Mosquitto) async throws {
        for round in 0..<100 where station.statistics.overlapsIgnored == 0 {
            try broker.publish(["{\"ts\":\(nowMilliseconds()),\"warm\":\(round)}"], topic: "devices/warm/telemetry")
            _ = await eventually(within: .milliseconds(200)) { station.statistics.overlapsIgnored > 0 }
        }
        #expect(station.statistics.overlapsIgnored > 0)
    }

    @Test func messagesWithoutATimeAreStoredOnceByTheFirstSubscription() async throws {
        let broker = try Mosquitto()
        let station = try station(broker, further: [others, everything])
        try station.start()
        try await warmUp(station, broker)
        try broker.publish((0..<500).map { "{\"a\":\($0 % 7)}" }, topic: "devices/d/telemetry")
        try broker.publish((0..<500).map { "{\"a\":\($0 % 7)}" }, topic: "devices/d/other")
        try broker.publish(["{\"a\":1}"], topic: "else/d")
        #expect(await eventually { station.readings("d", table: 0) == 500 && station.readings("d", table: 1) == 500 })
        #expect(await eventually { station.readings("else", table: 1) == 1 })
        try await Task.sleep(for: .milliseconds(200))
        #expect(station.readings("d", table: 0) == 500 && station.readings("d", table: 1) == 500)
        #expect(station.statistics.rejects.isEmpty)
    }

    /// The second of two equal filters replaces the first at the broker: the message comes once, marked for the second.
    @Test func ofTwoEqualFiltersNothingIsLost() async throws {
        let broker = try Mosquitto()
        let telemetry = SubscriptionOptions(filter: "plant/#", topic: "plant/{device}/telemetry", table: "weather")
        let status = SubscriptionOptions(filter: "plant/#", topic: "plant/{device}/status", table: "weather")
        let station = try station(broker, further: [telemetry, status])
        try station.start()
        #expect(await station.isConnected())
        try broker.publish(["{\"a\":1}"], topic: "plant/warm/telemetry")
        #expect(await eventually { station.readings("warm", table: 1) == 1 })
        try broker.publish((0..<100).map { "{\"a\":\($0),\"ts\":\(nowMilliseconds() + $0)}" }, topic: "plant/d/telemetry")
        #expect(await eventually { station.readings("d", table: 1) == 100 })
    }

    /// The session keeps only the copy of the filter with QoS 1 while nobody is there.
    @Test func whatOnlyALaterFilterKeptIsNotLost() async throws {
        let broker = try Mosquitto()
        var weak = SubscriptionOptions(filter: "line/#", topic: "line/{device}/#", table: "weather")
        weak.qos = 0
        let station = try station(broker, further: [weak, everything])
        try station.start()
        #expect(await station.isConnected())
        try broker.publish(["{\"a\":1,\"ts\":\(nowMilliseconds())}"], topic: "line/warm/x")
        #expect(await eventually { station.readings("warm", table: 1) == 1 })
        station.stop()
        try broker.publish((0..<100).map { "{\"a\":\($0),\"ts\":\(nowMilliseconds() + $0)}" }, topic: "line/d/x")
        try station.start()
        #expect(await eventually { station.readings("d", table: 1) == 100 })
    }

    @Test(arguments: [1, 3]) func whatTheBrokerKeptMeanwhileIsStoredOnce(connections: Int) async throws {
        let broker = try Mosquitto()
        let station = try station(broker, further: [others])
        station.options.connections = connections
        try station.start()
        try await warmUp(station, broker)
        #expect(await eventually { station.noteOfSessionIsTrusted })
        station.stop()
        try broker.publish((0..<500).map { "{\"a\":\($0 % 7)}" }, topic: "devices/d/telemetry")
        try station.start()
        #expect(await eventually { station.readings("d", table: 0) == 500 })
        #expect(await eventually { station.statistics.messages == 1_000 })
        #expect(station.readings("d", table: 0) == 500 && station.readings("d", table: 1) == 0)
    }

    /// The new subscription stands first, and knows nothing of what was published before it was there.
    @Test func aNewSubscriptionInFrontLosesNothing() async throws {
        let broker = try Mosquitto()
        let station = try station(broker, further: [everything])
        let first = station.subscription
        station.subscription = others
        try station.start()
        try await warmUp(station, broker)
        let now = nowMilliseconds()
        for round in 0..<20 {
            station.subscription = round.isMultiple(of: 2) ? first : others
            station.furtherSubscriptions = round.isMultiple(of: 2) ? [others, everything] : [everything]
            try station.reload()
            let numbers = (round * 500)..<(round * 500 + 500)
            try broker.publish(numbers.map { "{\"ts\":\(now + $0),\"a\":\($0)}" }, topic: "devices/d/telemetry")
        }
        // Those that the first took lie in one table, those of the others in the other one.
        #expect(await eventually { station.readings("d", table: 0) + station.readings("d", table: 1) >= 10_000 })
        #expect(station.readings("d", table: 0) > 0 && station.readings("d", table: 1) > 0)
    }

    /// The refused filter never gets its copy: the others must not wait for it.
    @Test func aRefusedSubscriptionTakesNothingAway() async throws {
        let broker = try Mosquitto(extra: "acl_file DIR/acl", acl: "topic readwrite devices/#\ntopic deny devices/+/telemetry\n")
        let station = try station(broker, further: [others])
        try station.start()
        #expect(await station.isConnected())
        for _ in 0..<50 where station.readings("d", table: 1) == 0 {
            try broker.publish(["{\"a\":1}"], topic: "devices/d/other")
            _ = await eventually(within: .milliseconds(200)) { station.readings("d", table: 1) > 0 }
        }
        #expect(station.readings("d", table: 1) > 0)
    }
}

extension Station {
    fileprivate func readings(_ device: String, table: Int) -> Int { store.tables[table].device(device)?.summary.readingCount ?? 0 }

    /// The last four bytes of a session note tell the identifiers that the broker has granted.
    fileprivate var noteOfSessionIsTrusted: Bool {
        let notes = store.noteSources(prefix: "mqtt-session/").compactMap { store.note(from: $0) }
        return !notes.isEmpty && notes.allSatisfy { $0.suffix(4).contains { $0 != 0 } }
    }
}

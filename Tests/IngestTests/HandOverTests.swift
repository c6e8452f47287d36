import Telemetry
import TelemetryStore
import Testing

@testable import Ingest

/// A filter that leaves the configuration is given up when another brings what it brought, and not long after.
@Suite(.serialized) struct HandOverTests {
    private let other = SubscriptionOptions(filter: "other/+", topic: "other/{device}", table: "weather")

    @Test func aFilterIsKeptWhileItsReplacementIsRefused() async throws {
        let broker = try Mosquitto(refusing: "devices/#")
        let station = try Station(port: broker.port)
        station.furtherSubscriptions = [other]
        try station.start()
        #expect(await station.isConnected())
        station.subscription = SubscriptionOptions(filter: "devices/#", topic: "devices/{device}/#", table: "telemetry")
        station.furtherSubscriptions = []
        try station.reload()
        #expect(await eventually { station.statistics.refusedFilters == ["devices/# at 127.0.0.1:\(broker.port)"] })
        #expect(
            await eventually {
                station.log.lines.contains { $0.contains("stays subscribed to devices/+/telemetry: the broker refuses") }
            })
        // Long enough for a second look.
        try await Task.sleep(for: .milliseconds(1_500))
        try broker.publish((0..<50).map { "{\"a\":\($0)}" }, topic: "devices/d/telemetry")
        try broker.publish(["{\"a\":1}"], topic: "other/d")
        #expect(await eventually { station.readings("d") == 50 })
        // Also by whoever comes after a restart; and until the broker has changed its mind.
        station.stop()
        try broker.publish((0..<50).map { "{\"a\":\($0)}" }, topic: "devices/e/telemetry")
        try station.start()
        #expect(await eventually { station.readings("e") == 50 })
        try broker.grant("devices/#")
        station.stop()
        try station.start()
        #expect(await eventually { station.statistics.isConnected && station.statistics.refusedFilters.isEmpty })
        try await Task.sleep(for: .milliseconds(300))
        try broker.publish((0..<50).map { "{\"a\":\($0)}" }, topic: "devices/f/telemetry")
        #expect(await eventually { station.readings("f") == 50 })
        try await Task.sleep(for: .milliseconds(200))
        #expect(station.readings("f") == 50 && station.readings("d") == 50, "the old filter is subscribed to as well")
        #expect(station.statistics.rejects.isEmpty && station.store.tables[1].summary().rowCount == 0)
    }

    @Test(arguments: [
        ("a/#", "a/+/b", true), ("a/+", "a/b", true), ("a/b", "a/+", false), ("a/+", "a/#", false), ("a/#", "a", true), ("#", "a/b", true),
        ("#", "$SYS/a", false), ("+/a", "$SYS/a", false), ("$share/g/a/+", "a/b", true), ("a/+", "$share/g/a/+", true),
        ("a/+", "a", false), ("a", "a/+", false), ("+", "+", true), ("+/+", "+", false), ("a/#", "a/#", true),
    ])
    func filtersCoverWhatFitsThem(wide: String, narrow: String, covers: Bool) {
        #expect(TopicFilter.covers(wide, narrow) == covers)
    }

    @Test func aFilterIsNeededWhileOnlyARefusedOneCoversIt() {
        #expect(FilterAnswers(refused: ["a/#"]).needs("a/b"))
        #expect(!FilterAnswers(granted: ["a/+"], refused: ["a/#"]).needs("a/b"))
        #expect(!FilterAnswers(refused: ["a/+"]).needs("a/#"))
        #expect(!FilterAnswers(granted: ["a/#"]).needs("c"))
    }

    /// Nothing was on its way that would have woken the connections.
    @Test(arguments: [(1, 2), (2, 1), (1, 3), (3, 2)]) func silentConnectionsHandOverAtOnce(before: Int, after: Int) async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        station.options.connections = before
        try station.start()
        #expect(await eventually { station.statistics.connectionsUp == before })
        try await Task.sleep(for: .milliseconds(1_500))
        station.options.connections = after
        try station.reload()
        try await Task.sleep(for: .milliseconds(400))
        try broker.publish((0..<200).map { "{\"a\":\($0)}" }, topic: "devices/d/telemetry")
        #expect(await eventually { station.readings("d") >= 200 })
        try await Task.sleep(for: .milliseconds(300))
        #expect(station.readings("d") == 200)
    }
}

extension Station {
    fileprivate func readings(_ device: String) -> Int { store.tables[0].device(device)?.summary.readingCount ?? 0 }
}

import Dialects
import Foundation
import Telemetry
import TelemetryStore
import Testing

@testable import Ingest

/// Limits of a table, seen from the broker's side.
@Suite struct RateLimitTests {
    @Test func whatComesTooFastIsAckedCountedAndKeptWithTheOptionThatRefusedIt() async throws {
        let broker = try Mosquitto()
        var limits = TableLimits()
        (limits.deviceReadingsPerSecond, limits.maxDevices, limits.burst) = (1, 2, .days(1))
        let station = try Station(port: broker.port, limits: limits)
        try station.start()
        #expect(await station.isConnected())
        let now = nowMilliseconds()
        // A burst of a day's worth of one a second.
        let rows = (0..<1_000).map { "{\"ts\":\(now - $0),\"n\":1}" }
        try broker.publish((0..<100).map { "[\(rows[($0 * 10)..<($0 * 10 + 10)].joined(separator: ","))]" }, topic: "devices/a/telemetry")
        #expect(await eventually { station.statistics.readings == 1_000 })
        limits.burst = .seconds(3)
        station.store.setLimits(limits, table: "telemetry")
        try broker.publish(Array(repeating: "{\"ts\":\(now),\"n\":2}", count: 10), topic: "devices/b/telemetry")
        try broker.publish(["{\"n\":2}"], topic: "devices/c/telemetry")
        #expect(await eventually { station.statistics.messages == 111 })
        let rejects = station.statistics.rejects
        #expect(rejects[.deviceLimit] == 1 && (5...7).contains(rejects[.rateLimited, default: 0]), "\(rejects)")
        let letters = station.directory.lines(of: "dead-letters/000000000001.ndjson")
        #expect(letters.contains { $0.contains("the device sends more than device_readings_per_second = 1") })
        #expect(letters.contains { $0.contains("the table has as many devices as it may: max_devices = 2") })
        #expect(
            station.log.lines.contains { $0.hasPrefix("warning: mqtt: refused") && $0.contains("(rate-limited), as devices/b/telemetry: ") }
        )
        // Nothing comes again.
        station.stop()
        try station.start()
        #expect(await station.isConnected())
        try broker.publish(["{\"n\":3}"], topic: "devices/a/telemetry")
        #expect(await eventually { station.statistics.messages == 1 })
    }

    /// Without a time, and with one that is relative to the time of receipt.
    @Test(arguments: [PayloadFormat.json, .senml])
    func whatARateHasRefusedIsNotStoredWhenItComesAgain(format: PayloadFormat) async throws {
        let broker = try Mosquitto()
        var limits = TableLimits()
        (limits.deviceReadingsPerSecond, limits.burst) = (1, .seconds(3))
        let station = try Station(port: broker.port, limits: limits)
        station.subscription.dialect = DialectOptions(format: format)
        try station.start()
        #expect(await station.isConnected())
        try await Task.sleep(for: .milliseconds(300))
        station.stop()
        // They wait together, so that they come in one batch.
        let payloads = (0..<20).map { format == .senml ? "[{\"n\":\"n\",\"t\":-5,\"v\":\($0)}]" : "{\"n\":\($0)}" }
        try broker.publish(payloads, topic: "devices/a/telemetry")
        // On disk, and then the process is gone: nothing is acked.
        let store = station.store
        station.options.commitRetry = .milliseconds(50)
        try station.start(commit: { (batch, notes) throws(StoreError) in
            // A connection that was read before all had arrived begins again, once the rate has room: the attempt has used it.
            guard batch.count == 20 else {
                Thread.sleep(forTimeInterval: 1.5)
                throw StoreError(.diskFull, "not all in one batch")
            }
            _ = try store.commit(&batch, notes: notes)
            throw StoreError(.fatal, "killed by the test")
        })
        #expect(await eventually { station.statistics.lastError?.contains("killed") == true })
        station.stop()
        let stored = station.rowCount
        #expect((1..<20).contains(stored))
        try station.start()
        #expect(await eventually { station.statistics.messages == 20 })
        #expect(station.rowCount == stored && station.statistics.duplicates == stored)
        #expect(station.statistics.rejects == [.rateLimited: 20 - stored])
        let letters = station.directory.lines(of: "dead-letters/000000000001.ndjson")
        #expect(letters.count == 20 - stored && letters.allSatisfy { $0.contains("a rate refused it before") })
    }

    @Test func readingsWithATimeAreInTheClockSkew() async throws {
        let broker = try Mosquitto()
        let station = try Station(port: broker.port)
        try station.start()
        #expect(await station.isConnected())
        let now = nowMilliseconds()
        try broker.publish(
            ["{\"ts\":\(now - 30_000),\"n\":1}", "{\"ts\":\(now + 300_000),\"n\":1}", "{\"n\":1}"], topic: "devices/a/telemetry")
        #expect(await eventually { station.statistics.messages == 3 })
        let skew = station.statistics.clockSkew
        #expect(skew.counts[9] == 1 && skew.counts[2] == 1 && skew.counts.indices.reduce(0) { $0 + skew.counts[$1] } == 2)
    }
}

import Dialects
import Foundation
import Ingest
import Telemetry
import TelemetryStore
import Testing

@testable import Gateway

@Suite struct ConfigurationValueTests {
    @Test func withoutAFileEverythingIsAtItsDefault() throws {
        let configuration = try GatewayConfiguration.load(file: nil)
        #expect(configuration.store.path == "/var/lib/gaugehouse/store")
        #expect(configuration.store.durability == .fsync)
        #expect(configuration.store.commitInterval == .milliseconds(2))
        #expect(configuration.tables == [TableOptions(name: "telemetry")])
        #expect(configuration.http.host == "127.0.0.1" && configuration.http.port == 8080)
        #expect(configuration.brokers.isEmpty)
        #expect(configuration.http.lines.deviceTag == "device")
        #expect(configuration.http.liveClients == 1_000 && configuration.store.feedByteCount == 8 << 20)
        #expect(configuration.http.lines.tags == .device && configuration.http.lines.measurement == .prefix)
        #expect(configuration.deliveries.isEmpty)
    }

    @Test func aFlagWinsOverTheEnvironmentAndThatOverTheFile() throws {
        let toml = "[store]\npath = \"/file\"\nhead_age = \"1m\"\ndurability = \"none\""
        let environment = ["GAUGEHOUSE_STORE__PATH": "/environment", "GAUGEHOUSE_STORE__HEAD_AGE": "2m"]
        let configuration = try GatewayConfiguration.parse(toml, file: "f", environment: environment, flags: ["store.path=/flag"])
        #expect(configuration.store.path == "/flag")
        #expect(configuration.store.headAge == .minutes(2))
        #expect(configuration.store.durability == .none)
    }

    @Test func linesOverHTTPAreReadAsTheSectionSays() throws {
        let toml = "[http]\ndevice_tag = \"host\"\ntags = \"fields\"\nmeasurement = \"drop\""
        let lines = try GatewayConfiguration.parse(toml, file: "f").http.lines
        #expect(lines.deviceTag == "host")
        #expect(lines.tags == .fields && lines.measurement == .drop)
    }

    @Test func elementsOfListsAreSetByNumber() throws {
        let configuration = try GatewayConfiguration.parse(
            "[[table]]\nname = \"a\"\n[[table]]\nname = \"b\"", file: "f", environment: ["GAUGEHOUSE_TABLE__1__TTL": "7d"],
            flags: ["table.2.name=c", "table.0.max_versions=3", "mqtt.subscription.0.filter=#"])
        #expect(configuration.tables.map(\.name) == ["a", "b", "c"])
        #expect(configuration.tables.map(\.ttl) == [.days(30), .days(7), .days(30)])
        #expect(configuration.tables[0].maxVersions == 3)
        #expect(configuration.brokers.count == 1)
    }

    @Test func limitsBelongToATableAndDeadLettersHaveBounds() throws {
        let toml = """
            [[table]]
            name = "a"
            max_devices = 100
            max_readings_per_second = 5000
            device_readings_per_second = 10
            rate_burst = "1m"
            [[table]]
            name = "b"
            [dead_letters]
            path = "/letters"
            max_bytes = "2MiB"
            files = 7
            """
        let configuration = try GatewayConfiguration.parse(toml, file: "f")
        var limits = TableLimits()
        (limits.maxDevices, limits.readingsPerSecond, limits.deviceReadingsPerSecond, limits.burst) = (100, 5_000, 10, .minutes(1))
        #expect(configuration.tables.map(\.limits) == [limits, TableLimits()])
        let letters = configuration.deadLetters
        #expect(letters.path == "/letters" && letters.maxByteCount == 2 << 20 && letters.fileCount == 7)
    }

    @Test func aTableKnowsTheDeliveriesThatMustHaveItsPartitions() throws {
        let configuration = try GatewayConfiguration.parse(
            "[[table]]\nname = \"a\"\n[[table]]\nname = \"b\"\n[[delivery]]\nname = \"one\"\n[[delivery]]\nname = \"two\"\ntable = \"b\"",
            file: "f")
        #expect(configuration.tables.map(\.requiredDeliveries) == [["one"], ["two"]])
    }

    @Test func thePasswordIsReadFromItsFileAndShownNowhere() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "password-\(UUID().uuidString)")
        try "secret word\n".write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        let configuration = try GatewayConfiguration.parse("[mqtt]\nusername = \"u\"\npassword_file = \"\(file.path)\"", file: "f")
        #expect(configuration.brokers.first?.options.username == "u" && configuration.brokers.first?.options.password == "secret word")
        #expect(!configuration.effective.json.contains("secret word"))
    }

    @Test func severalBrokersHaveSubscriptionsOfTheirOwn() throws {
        let toml = """
            [[mqtt]]
            host = "a"
            [[mqtt.subscription]]
            filter = "x/#"
            topic = "x/{device}"
            exclude = ["debug.*", "seq"]
            [[mqtt.subscription]]
            filter = "y/#"
            topic = "y/{device}"
            format = "tasmota"
            time_zone = "-03:30"
            [[mqtt]]
            host = "b"
            client_id = "other"
            [[mqtt.subscription]]
            filter = "x/#"
            topic = "x/{device}"
            format = "csv"
            columns = ["time", "t"]
            """
        let configuration = try GatewayConfiguration.parse(
            toml, file: "f", flags: ["mqtt.1.port=1884", "mqtt.1.subscription.0.include=a,b"])
        #expect(configuration.brokers.map(\.options.host) == ["a", "b"] && configuration.brokers.map(\.options.port) == [1_883, 1_884])
        #expect(configuration.brokers.map { $0.subscriptions.map(\.filter) } == [["x/#", "y/#"], ["x/#"]])
        #expect(configuration.brokers[0].subscriptions[0].dialect.exclude == ["debug.*", "seq"])
        let tasmota = configuration.brokers[0].subscriptions[1].dialect
        #expect(tasmota.format == .tasmota && tasmota.zoneOffset == -12_600)
        let csv = configuration.brokers[1].subscriptions[0].dialect
        #expect(csv.format == .csv && csv.columns == ["time", "t"] && csv.include == ["a", "b"])
        let root = try #require(JSONSerialization.jsonObject(with: Data(configuration.effective.json.utf8)) as? [String: Any])
        let mqtt = try #require(root["mqtt"] as? [[String: Any]])
        #expect(mqtt.count == 2 && (mqtt[0]["subscription"] as? [Any])?.count == 2)
    }

    @Test func whatAReloadCannotTakeOverIsNamed() throws {
        let old = try GatewayConfiguration.parse("[mqtt]\nport = 1", file: "f")
        let new = try GatewayConfiguration.parse("[mqtt]\nport = 2\n[store]\nhead_age = \"1m\"\n[[table]]\nname = \"t\"", file: "f")
        #expect(new.effective.restartNeeded(since: old.effective) == ["store.head_age", "table.0.name"])
    }

    @Test func afterAReloadWhatIsInForceIsShownAndWhatWaitsIsMarked() throws {
        let old = try GatewayConfiguration.parse(
            """
            [store]
            head_age = "10m"
            [[table]]
            name = "a"
            max_devices = 5
            [[table]]
            name = "b"
            ttl = "7d"
            [mqtt]
            port = 1
            [[delivery]]
            """, file: "f")
        let new = try GatewayConfiguration.parse(
            """
            [store]
            head_age = "1m"
            [[table]]
            name = "b"
            ttl = "9d"
            max_devices = 7
            [[mqtt]]
            port = 2
            [[mqtt]]
            port = 3
            client_id = "c"
            """, file: "f")
        let text = old.effective.inForce(after: new.effective).json
        let root = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect((root["store"] as? [String: Any])?["head_age"] as? String == "10m")
        let tables = try #require(root["table"] as? [[String: Any]])
        #expect(tables.map { $0["name"] as? String } == ["a", "b"])
        #expect(tables.map { $0["max_devices"] as? Int } == [5, 7])
        #expect(tables[1]["ttl"] as? String == "7d")
        #expect((root["mqtt"] as? [[String: Any]])?.map { $0["port"] as? Int } == [2, 3])
        #expect((root["delivery"] as? [Any])?.count == 1)
        let waiting = try #require(root["waiting_for_restart"] as? [String: Any])
        #expect(waiting["store.head_age"] as? String == "1m" && waiting["table.0.name"] as? String == "b")
        #expect(waiting["delivery.0.name"] is NSNull && waiting["mqtt.0.port"] == nil)
        #expect((root["origins"] as? [String: String])?["table.1.max_devices"] == "file:6")
        #expect(old.effective.inForce(after: old.effective).json == old.effective.json)
    }

    @Test func theEffectiveConfigurationTellsValuesAndOrigins() throws {
        let configuration = try GatewayConfiguration.parse(
            "[[table]]\n\nttl = \"90s\"\n[mqtt]\nport = 1884", file: "f", environment: ["GAUGEHOUSE_HTTP__LISTEN": "[::1]:0"],
            flags: ["store.head_memory=1048576"])
        let root = try #require(JSONSerialization.jsonObject(with: Data(configuration.effective.json.utf8)) as? [String: Any])
        let table = try #require((root["table"] as? [[String: Any]])?.first)
        let mqtt = try #require(root["mqtt"] as? [String: Any])
        #expect(table["ttl"] as? String == "90s" && table["partition"] as? String == "1h")
        #expect((root["store"] as? [String: Any])?["head_memory"] as? String == "1MiB")
        #expect(mqtt["port"] as? Int == 1884 && (mqtt["subscription"] as? [Any])?.count == 1)
        #expect(
            root["origins"] as? [String: String] == [
                "table.0.ttl": "file:3", "mqtt.port": "file:5", "http.listen": "GAUGEHOUSE_HTTP__LISTEN", "store.head_memory": "flag",
            ])
    }

    @Test(arguments: [("64MiB", 64 << 20), ("1 GiB", 1 << 30), ("512", 512), ("7B", 7), ("3KiB", 3_072), ("2TiB", 2 << 40)])
    func sizesAreReadInBinaryUnits(text: String, count: Int) {
        #expect(ByteCountText.parse(text) == count)
        #expect(ByteCountText.parse(ByteCountText.text(count)) == count)
    }

    @Test(arguments: ["", "MiB", "-1", "1.5GiB", "1MB", "9999999999TiB"]) func otherSizesAreNot(text: String) {
        #expect(ByteCountText.parse(text) == nil)
    }

    @Test(arguments: [
        ("sealafter", "seal_after"), ("tll", "ttl"), ("max_version", "max_versions"), ("retain_until_deliverd", "retain_until_delivered"),
    ])
    func theNearestNameIsFound(written: String, meant: String) {
        #expect(nearestName(to: written, among: ConfigurationSchema.table.names) == meant)
    }

    @Test func aNameLikeNoneHasNoNearest() {
        #expect(nearestName(to: "colour", among: ConfigurationSchema.table.names) == nil)
    }
}

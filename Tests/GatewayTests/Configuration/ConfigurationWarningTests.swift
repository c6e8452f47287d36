import Dialects
import Foundation
import Testing

@testable import Gateway

/// What works, and hardly as it is meant.
@Suite struct ConfigurationWarningTests {
    private func warnings(_ toml: String) throws -> [String] {
        try GatewayConfiguration.parse(toml, file: "g.toml").warnings.map(\.description)
    }

    @Test func anOptionThatTheFormatDoesNotReadIsNamed() throws {
        let options = """
            time_key = "a"
            time_unit = "s"
            time_zone = "Z"
            device_tag = "x"
            tags = "fields"
            measurement = "drop"
            columns = ["a"]
            """
        let all = Set(["time_key", "time_unit", "time_zone", "device_tag", "tags", "measurement", "columns"])
        let times: Set = ["time_key", "time_unit", "time_zone"]
        for format in PayloadFormat.allCases {
            let read: Set<String> =
                switch format {
                case .auto: all
                case .json, .cbor, .thingsboard, .thingsboardGateway, .tasmota, .zigbee2mqtt, .shelly: times
                case .csv: times.union(["device_tag", "columns"])
                case .lineProtocol: ["time_unit", "device_tag", "tags", "measurement"]
                case .senml, .sparkplugB, .value, .homie, .state: []
                }
            let device = format == .thingsboardGateway ? "gateway" : "device"
            let found = try warnings(
                "[[mqtt.subscription]]\nfilter = \"a/+\"\ntopic = \"a/{\(device)}\"\nformat = \"\(format.rawValue)\"\n\(options)")
            let expected = options.split(separator: "\n").enumerated().compactMap { index, line -> String? in
                let key = String(line.prefix { $0 != " " })
                return read.contains(key) ? nil : "g.toml:\(5 + index): \(key): the format \(format.rawValue) does not read it"
            }
            #expect(found == expected)
        }
        // What is written and says what holds anyway harms nobody.
        #expect(try warnings("[[mqtt.subscription]]\ntags = \"device\"\ndevice_tag = \"device\"").isEmpty)
    }

    @Test func filtersThatOverlapAtOneBrokerAreNamed() throws {
        let found = try warnings(
            """
            [[mqtt]]
            [[mqtt.subscription]]
            filter = "a/+/b"
            topic = "a/{device}/b"
            [[mqtt.subscription]]
            filter = "a/#"
            topic = "a/{device}/#"
            [[mqtt.subscription]]
            filter = "b/#"
            topic = "b/{device}/#"
            [[mqtt]]
            client_id = "other"
            [[mqtt.subscription]]
            filter = "a/#"
            topic = "a/{device}/#"
            """)
        #expect(found.count == 1 && found[0].hasPrefix("g.toml:6: filter: \"a/#\" overlaps \"a/+/b\" above"), "\(found)")
    }

    @Test func aTableBesideATopicThatNamesItIsNamed() throws {
        let toml = "[[table]]\nname = \"t\"\n[[mqtt.subscription]]\nfilter = \"+/+\"\ntopic = \"{table}/{device}\"\ntable = \"t\""
        #expect(try warnings(toml) == ["g.toml:6: table: the part {table} of the topic names it"])
    }

    @Test func morePartitionsThanOpenFilesAreNamed() throws {
        let configuration = try GatewayConfiguration.parse("[[table]]\nttl = \"36500d\"\npartition = \"1m\"", file: "g.toml")
        #expect(configuration.warnings.isEmpty)
        #expect(configuration.allWarnings.count == 1 && configuration.allWarnings[0].contains("52560"))
        #expect(try GatewayConfiguration.parse("", file: "g.toml").allWarnings.isEmpty)
    }
}

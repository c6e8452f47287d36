import Foundation
import Testing

@testable import gaugehouse_load

/// Each dialect's payload, read by something that is not ours where there is such a thing.
@Suite("Dialects")
struct DialectTests {
    private static let time: Int64 = 1_764_000_012_345_000
    private let fleet = Fleet(deviceCount: 12, connectionCount: 4)
    private let generator = ReadingGenerator(seed: 42)
    private let naming = DeviceNaming(prefix: "dev-", deviceCount: 12)

    private func encoder(_ dialect: Dialect) -> PayloadEncoder {
        PayloadEncoder(dialect: dialect, generator: generator, naming: naming, fleet: fleet, template: nil)
    }

    private func payload(_ dialect: Dialect, count: Int = 1, sequence: Int = 30) -> [UInt8] {
        var bytes: [UInt8] = []
        let readings = MessageReadings(device: 9, sequence: sequence, count: count, time: Self.time, step: 1_000)
        encoder(dialect).append(readings, ordinal: 300, to: &bytes)
        return bytes
    }

    private func object(_ value: Any?) throws -> [String: Any] { try #require(value as? [String: Any]) }

    private func json(_ dialect: Dialect, count: Int = 1) throws -> Any {
        try JSONSerialization.jsonObject(with: Data(payload(dialect, count: count)))
    }

    private func values(_ index: Int = 0) -> ReadingGenerator.Values { generator.values(device: 9, sequence: 30 + index) }

    private func check(_ fields: [String: Any], _ index: Int) {
        #expect(fields["seq"] as? Int == 30 + index)
        #expect(fields["temperature"] as? Double == Double(values(index).temperatureHundredths) / 100)
        #expect(fields["humidity"] as? Double == Double(values(index).humidityHundredths) / 100)
        #expect(fields["battery"] as? Int == Int(values(index).battery))
        #expect(fields["rssi"] as? Int == Int(values(index).rssi))
        #expect(fields["status"] as? String == String(describing: values(index).status))
    }

    @Test("json: one object, or a list of them with times of their own", arguments: [1, 10, 100])
    func json(count: Int) throws {
        let objects = try count == 1 ? [object(json(.json))] : #require(try json(.json, count: count) as? [[String: Any]])
        #expect(objects.count == count)
        for (index, fields) in objects.enumerated() {
            check(fields, index)
            #expect(fields["ts"] as? Int64 == Self.time - Int64(count - 1 - index) * 1_000)
        }
    }

    @Test("thingsboard: ts in ms and values")
    func thingsboard() throws {
        let list = try #require(try json(.thingsboard, count: 3) as? [[String: Any]])
        for (index, entry) in list.enumerated() {
            #expect(entry["ts"] as? Int64 == (Self.time / 1_000) - Int64(2 - index))
            try check(object(entry["values"]), index)
        }
        #expect(try object(json(.thingsboard)).keys.sorted() == ["ts", "values"])
    }

    @Test("thingsboard-gateway: lists below the device's name")
    func gateway() throws {
        let devices = try object(json(.thingsboardGateway, count: 2))
        #expect(devices.keys.sorted() == ["dev-09"])
        let list = try #require(devices["dev-09"] as? [[String: Any]])
        #expect(list.count == 2)
        try check(object(list[1]["values"]), 1)
    }

    @Test("senml: records resolve to the readings' fields and times (RFC 8428, section 4.6)")
    func senml() throws {
        let records = try #require(try json(.senml, count: 2) as? [[String: Any]])
        var (baseTime, resolved) = (0.0, [Double: [String: Any]]())
        #expect(records[0]["bn"] as? String == "dev-09/")
        for record in records {
            baseTime = record["bt"] as? Double ?? baseTime
            let name = try #require(record["n"] as? String)
            #expect(name.utf8.allSatisfy { ("a"..."z").contains(Character(Unicode.Scalar($0))) })
            resolved[baseTime + (record["t"] as? Double ?? 0), default: [:]][name] = record["v"] ?? record["vs"]
        }
        #expect(resolved.keys.sorted() == [1_764_000_012.344, 1_764_000_012.345])
        for (index, time) in resolved.keys.sorted().enumerated() { check(resolved[time]!, index) }
    }

    @Test("line-protocol: measurement, tag, typed fields, time in ns; a line a reading")
    func lineProtocol() throws {
        let lines = String(decoding: payload(.lineProtocol, count: 2), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 2)
        let line = try Regex(
            #"^environment,host=dev-09 seq=(\d+)i,temperature=(-?\d+\.\d\d),humidity=(\d+\.\d\d),"#
                + #"battery=(\d+)i,rssi=(-\d+)i,status="([a-z-]+)" (\d+)$"#
        )
        for (index, text) in lines.enumerated() {
            let match = try #require(try line.wholeMatch(in: text))
            #expect(match.output[1].substring == "\(30 + index)")
            #expect(Double(match.output[2].substring ?? "") == Double(values(index).temperatureHundredths) / 100)
            #expect(match.output[7].substring == "\((Self.time - Int64(1 - index) * 1_000) * 1_000)")
        }
    }

    @Test("csv: a heading, and as many columns in each line")
    func csv() {
        let lines = String(decoding: payload(.csv, count: 3), as: UTF8.self).split(separator: "\n").map { $0.split(separator: ",") }
        #expect(lines.map(\.count) == [7, 7, 7, 7])
        #expect(lines[0] == ["time", "seq", "temperature", "humidity", "battery", "rssi", "status"])
        #expect(lines[3][0] == "1764000012345" && lines[3][1] == "32")
    }

    @Test("value: a meter that counts one up each reading tells the reading's number")
    func value() throws {
        for sequence in [0, 1, 99, 100_000] {
            let text = String(decoding: payload(.value, sequence: sequence), as: UTF8.self)
            let energy = try #require(Double(text))
            let row = DeviceVerifier.Row(time: 1, fields: ["energy": .double(energy)])
            let expectation = ReadingExpectation(dialect: .value, generator: generator)
            #expect(expectation.sequence(of: row, device: 9) == sequence)
            #expect(expectation.fields(device: 9, sequence: sequence, time: 1) == row.fields)
        }
    }

    @Test("tasmota, zigbee2mqtt and shelly say their time and the sensor's values")
    func appliances() throws {
        let tasmota = try object(json(.tasmota))
        #expect(tasmota["Time"] as? String == "2025-11-24T16:00:12")
        #expect(try object(tasmota["AM2301"])["Temperature"] as? Double == Double(values().temperatureHundredths / 10) / 10)
        let zigbee = try object(json(.zigbee2mqtt))
        #expect(zigbee["last_seen"] as? String == "2025-11-24T16:00:12.345Z")
        #expect(zigbee["temperature"] as? Double == Double(values().temperatureHundredths) / 100)
        let shelly = try object(json(.shelly))
        let parameters = try object(shelly["params"])
        #expect(shelly["src"] as? String == "dev-09" && shelly["dst"] as? String == "dev-09/events")
        #expect(parameters["ts"] as? Double == 1_764_000_012.34)
        #expect(try object(parameters["temperature:0"])["tC"] as? Double == Double(values().temperatureHundredths / 10) / 10)
    }

    @Test("cbor: a map of seven, or an array of them")
    func cbor() throws {
        var reader = CBORReader(bytes: payload(.cbor, count: 2))
        let list = try #require(reader.value() as? [Any])
        #expect(reader.isAtEnd && list.count == 2)
        for (index, entry) in list.enumerated() {
            try check(object(entry), index)
            #expect(try object(entry)["ts"] as? Int == Int(Self.time) - (1 - index) * 1_000)
        }
    }

    @Test("homie: a number; the device is announced before, retained")
    func homie() {
        let encoder = encoder(.homie)
        #expect(Double(String(decoding: payload(.homie), as: UTF8.self)) == Double(values().temperatureHundredths) / 100)
        let announced = encoder.announcements(connection: 1, session: 0, time: Self.time)
        #expect(announced.allSatisfy { $0.isRetained && $0.topic.hasPrefix("homie/dev-") })
        #expect(announced.count { $0.topic.hasSuffix("/$state") } == 3)
        let farewells = encoder.farewells(connection: 1, session: 0, time: Self.time)
        #expect(farewells.map(\.topic) == ["homie/dev-01/$state", "homie/dev-05/$state", "homie/dev-09/$state"])
        #expect(farewells.allSatisfy { $0.isRetained && $0.payload == Array("disconnected".utf8) })
        #expect(announced.contains { $0.topic == "homie/dev-09/climate/temperature/$datatype" && $0.payload == Array("float".utf8) })
    }

    @Test("every dialect's payload can be spoilt so that it is neither UTF-8 nor its own start", arguments: Dialect.allCases)
    func spoilt(dialect: Dialect) {
        var bytes = payload(dialect)
        Faults.spoil(&bytes, from: 0)
        #expect(String(validating: bytes, as: UTF8.self) == nil)
        #expect(bytes.first == 0xFF && bytes.count < payload(dialect).count)
    }

    @Test("every dialect's topic is a topic with a device in it, or in the payload", arguments: Dialect.allCases)
    func topic(dialect: Dialect) throws {
        let topic = try #require(TopicTemplate(dialect.topic))
        #expect(topic.hasDevice || dialect.namesDevice)
        #expect(!topic.resolved(connection: 3).text.contains("{connection}"))
    }
}

/// RFC 8949 as far as it is used here, written apart from the encoder.
private struct CBORReader {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func value() -> Any {
        let first = bytes[position]
        position += 1
        if first == 0xFB { return Double(bitPattern: unsigned(8)) }
        let size = first & 31
        let argument = size < 24 ? UInt64(size) : unsigned(1 << (Int(size) - 24))
        switch first >> 5 {
        case 0: return Int(argument)
        case 1: return -1 - Int(argument)
        case 3:
            defer { position += Int(argument) }
            return String(decoding: bytes[position..<(position + Int(argument))], as: UTF8.self)
        case 4: return (0..<argument).map { _ in value() }
        case 5:
            var map: [String: Any] = [:]
            for _ in 0..<argument {
                let key = value() as? String ?? "?"
                map[key] = value()
            }
            return map
        default: return "unexpected"
        }
    }

    private mutating func unsigned(_ count: Int) -> UInt64 {
        defer { position += count }
        return bytes[position..<(position + count)].reduce(0) { $0 << 8 | UInt64($1) }
    }
}

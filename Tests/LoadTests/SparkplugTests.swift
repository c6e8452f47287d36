import Testing

@testable import gaugehouse_load

@Suite("Sparkplug B")
struct SparkplugTests {
    /// One message's fields, by number: varints and fixed64 as they are, lengths as bytes. Written apart from the encoder.
    private struct Message {
        var numbers: [UInt64: UInt64] = [:]
        var parts: [UInt64: [[UInt8]]] = [:]

        init?(_ bytes: [UInt8]) {
            var position = 0
            func varint() -> UInt64? {
                var (value, shift) = (UInt64(0), UInt64(0))
                while position < bytes.count, shift < 64 {
                    let byte = bytes[position]
                    position += 1
                    value |= UInt64(byte & 0x7F) << shift
                    if byte < 0x80 { return value }
                    shift += 7
                }
                return nil
            }
            while position < bytes.count {
                guard let tag = varint() else { return nil }
                switch tag & 7 {
                case 0:
                    guard let value = varint() else { return nil }
                    numbers[tag >> 3] = value
                case 1:
                    guard position + 8 <= bytes.count else { return nil }
                    numbers[tag >> 3] = bytes[position..<(position + 8)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
                    position += 8
                case 2:
                    guard let length = varint(), position + Int(length) <= bytes.count else { return nil }
                    parts[tag >> 3, default: []].append(Array(bytes[position..<(position + Int(length))]))
                    position += Int(length)
                default: return nil
                }
            }
        }

        var metrics: [Message] { get throws { try (parts[2] ?? []).map { try #require(Message($0)) } } }
        var name: String? { parts[1]?.first.map { String(decoding: $0, as: UTF8.self) } }
    }

    private let encoder = PayloadEncoder(
        dialect: .sparkplugB, generator: ReadingGenerator(seed: 1), naming: DeviceNaming(prefix: "d", deviceCount: 6),
        fleet: Fleet(deviceCount: 6, connectionCount: 2), template: nil)

    @Test("an edge node is born first, then its devices, with rising sequence numbers and the will's birth number")
    func births() throws {
        let announced = encoder.announcements(connection: 1, session: 3, time: 1_764_000_000_000_000)
        #expect(
            announced.map(\.topic) == [
                "spBv1.0/gaugehouse-load/NBIRTH/edge-1", "spBv1.0/gaugehouse-load/DBIRTH/edge-1/d1",
                "spBv1.0/gaugehouse-load/DBIRTH/edge-1/d3", "spBv1.0/gaugehouse-load/DBIRTH/edge-1/d5",
            ])
        let messages = try announced.map { try #require(Message($0.payload)) }
        #expect(messages.map { $0.numbers[3] } == [0, 1, 2, 3])
        #expect(messages.allSatisfy { $0.numbers[1] == 1_764_000_000_000 })
        let will = try #require(encoder.will(connection: 1, session: 3, time: 1_764_000_000_000_000))
        let death = try #require(Message(will.payload))
        #expect(will.topic == "spBv1.0/gaugehouse-load/NDEATH/edge-1" && death.numbers[3] == nil)
        #expect(try death.metrics[0].name == "bdSeq" && death.metrics[0].numbers[11] == 3)
        #expect(encoder.farewells(connection: 1, session: 3, time: 1_764_000_000_000_000) == [will])
        #expect(try messages[0].metrics.map(\.name) == ["bdSeq", "Node Control/Rebirth"])
        #expect(try messages[0].metrics[0].numbers[11] == 3)
    }

    @Test("data uses the aliases that the birth explained, unique within the edge node, and the values of the reading")
    func data() throws {
        var births: [UInt64: String] = [:]
        for announced in encoder.announcements(connection: 1, session: 0, time: 1).dropFirst() {
            for metric in try #require(Message(announced.payload)).metrics {
                let alias = try #require(metric.numbers[2])
                #expect(births.updateValue(metric.name ?? "?", forKey: alias) == nil)
            }
        }
        #expect(births.count == 18)
        var bytes: [UInt8] = []
        let readings = MessageReadings(device: 3, sequence: 7, count: 2, time: 1_764_000_000_002_000, step: 1_000)
        encoder.append(readings, ordinal: 259, to: &bytes)
        let message = try #require(Message(bytes))
        #expect(message.numbers[3] == 3)
        let metrics = try message.metrics
        #expect(metrics.count == 12 && metrics.allSatisfy { $0.name == nil })
        let values = encoder.generator.values(device: 3, sequence: 8)
        let last = Dictionary(uniqueKeysWithValues: metrics[6...].map { (births[$0.numbers[2] ?? .max] ?? "?", $0) })
        #expect(last["seq"]?.numbers[11] == 8 && last["seq"]?.numbers[3] == 1_764_000_000_002)
        #expect(last["temperature"]?.numbers[13].map { Double(bitPattern: $0) } == Double(values.temperatureHundredths) / 100)
        #expect(last["rssi"]?.numbers[10].map { Int32(bitPattern: UInt32(truncatingIfNeeded: $0)) } == Int32(values.rssi))
        #expect(last["status"]?.parts[15]?.first.map { String(decoding: $0, as: UTF8.self) } == String(describing: values.status))
        #expect(metrics[0].numbers[3] == 1_764_000_000_001)
    }

    @Test("other dialects announce nothing and have no will", arguments: [Dialect.json, .shelly])
    func others(dialect: Dialect) {
        let encoder = PayloadEncoder(
            dialect: dialect, generator: encoder.generator, naming: encoder.naming, fleet: encoder.fleet, template: nil)
        #expect(encoder.announcements(connection: 0, session: 0, time: 1).isEmpty)
        #expect(encoder.will(connection: 0, session: 0, time: 1) == nil)
        #expect(encoder.farewells(connection: 0, session: 0, time: 1).isEmpty)
    }
}

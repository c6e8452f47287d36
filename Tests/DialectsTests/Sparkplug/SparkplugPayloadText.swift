/// A payload for scenarios. Its encoding is held to that of Google's protobuf by a test.
struct SparkplugPayloadText {
    enum Value {
        case int(UInt64)
        case long(UInt64)
        case float(Float)
        case boolean(Bool)
    }

    struct Metric {
        var name: String?
        var alias: UInt64?
        var time: UInt64?
        var type: UInt64?
        var value: Value

        init(_ name: String?, alias: UInt64? = nil, time: UInt64? = nil, type: UInt64? = nil, _ value: Value) {
            (self.name, self.alias, self.time, self.type, self.value) = (name, alias, time, type, value)
        }

        var bytes: [UInt8] {
            var bytes: [UInt8] = []
            if let name { bytes += SparkplugPayloadText.field(1, Array(name.utf8)) }
            if let alias { bytes += SparkplugPayloadText.field(2, alias) }
            if let time { bytes += SparkplugPayloadText.field(3, time) }
            if let type { bytes += SparkplugPayloadText.field(4, type) }
            switch value {
            case .int(let value): bytes += SparkplugPayloadText.field(10, value)
            case .long(let value): bytes += SparkplugPayloadText.field(11, value)
            case .float(let value): bytes += [12 << 3 | 5] + (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
            case .boolean(let value): bytes += SparkplugPayloadText.field(14, value ? 1 : 0)
            }
            return bytes
        }
    }

    var time: UInt64?
    var sequence: UInt64?
    var metrics: [Metric]

    var bytes: [UInt8] {
        (time.map { Self.field(1, $0) } ?? []) + metrics.flatMap { Self.field(2, $0.bytes) } + (sequence.map { Self.field(3, $0) } ?? [])
    }

    static func varint(_ value: UInt64) -> [UInt8] { value < 128 ? [UInt8(value)] : [UInt8(value & 127) | 128] + varint(value >> 7) }
    private static func field(_ number: UInt64, _ value: UInt64) -> [UInt8] { varint(number << 3) + varint(value) }
    private static func field(_ number: UInt64, _ value: [UInt8]) -> [UInt8] {
        varint(number << 3 | 2) + varint(UInt64(value.count)) + value
    }
}

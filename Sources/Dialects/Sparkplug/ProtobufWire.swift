import TelemetryCodec

/// What stands behind a field's key in protobuf's wire format. Groups (3, 4) ended with proto2 and are refused.
///
/// Source: https://protobuf.dev/programming-guides/encoding/
enum ProtobufKind: UInt8 {
    case varint = 0
    case fixed64 = 1
    case bytes = 2
    case fixed32 = 5
}

extension ByteCursor {
    /// The next field's number and kind; nil at the end.
    mutating func protobufKey() throws(CodecError) -> (field: UInt64, kind: ProtobufKind)? {
        guard !isAtEnd else { return nil }
        let key = try varint()
        guard let kind = ProtobufKind(rawValue: UInt8(key & 7)), key >> 3 > 0, key >> 3 < 1 << 29 else { throw .malformed }
        return (key >> 3, kind)
    }

    mutating func skip(_ kind: ProtobufKind) throws(CodecError) {
        switch kind {
        case .varint: _ = try varint()
        case .fixed64: _ = try slice(8)
        case .bytes: _ = try countedBytes()
        case .fixed32: _ = try slice(4)
        }
    }
}

extension RawBuffer {
    mutating func append(protobufKey field: UInt64, _ kind: ProtobufKind) { append(varint: field << 3 | UInt64(kind.rawValue)) }
}

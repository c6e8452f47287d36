/// Bytes that do not hold what their format says.
enum WireError: Error {
    case truncated
    case malformed
}

/// Reads protobuf's wire format, and the notes that are written in its manner, front to back; every bound is checked.
///
/// Source: https://protobuf.dev/programming-guides/encoding/
struct WireCursor {
    /// What stands behind a field's key. Groups (3, 4) ended with proto2 and are refused.
    enum Kind: UInt8 {
        case varint = 0
        case fixed64 = 1
        case bytes = 2
        case fixed32 = 5
    }

    private let bytes: UnsafeRawBufferPointer
    private(set) var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { position >= bytes.count }
    var remaining: Int { bytes.count - position }

    mutating func byte() throws(WireError) -> UInt8 {
        guard position < bytes.count else { throw .truncated }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func varint() throws(WireError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = try byte()
            guard shift < 63 || next <= 1 else { throw .malformed }
            value |= UInt64(next & 0x7F) << shift
            if next < 0x80 { return value }
            shift += 7
        }
    }

    mutating func fixed32() throws(WireError) -> UInt32 {
        UInt32(littleEndian: try slice(4).loadUnaligned(as: UInt32.self))
    }

    mutating func fixed64() throws(WireError) -> UInt64 {
        UInt64(littleEndian: try slice(8).loadUnaligned(as: UInt64.self))
    }

    /// A varint length, then that many bytes.
    mutating func counted() throws(WireError) -> UnsafeRawBufferPointer {
        let count = try varint()
        guard count <= UInt64(remaining) else { throw .truncated }
        return try slice(Int(count))
    }

    /// The next field's number and kind; nil at the end.
    mutating func key() throws(WireError) -> (field: UInt64, kind: Kind)? {
        guard !isAtEnd else { return nil }
        let key = try varint()
        guard let kind = Kind(rawValue: UInt8(key & 7)), key >> 3 > 0, key >> 3 < 1 << 29 else { throw .malformed }
        return (key >> 3, kind)
    }

    mutating func skip(_ kind: Kind) throws(WireError) {
        switch kind {
        case .varint: _ = try varint()
        case .fixed64: _ = try slice(8)
        case .bytes: _ = try counted()
        case .fixed32: _ = try slice(4)
        }
    }

    private mutating func slice(_ count: Int) throws(WireError) -> UnsafeRawBufferPointer {
        guard count <= remaining else { throw .truncated }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }
}

/// Writes what `WireCursor` reads.
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    mutating func byte(_ value: UInt8) { bytes.append(value) }

    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func counted(_ part: some Collection<UInt8>) {
        varint(UInt64(part.count))
        bytes.append(contentsOf: part)
    }

    mutating func key(_ field: UInt64, _ kind: WireCursor.Kind) { varint(field << 3 | UInt64(kind.rawValue)) }
}

/// Bytes do not hold what the format says. The reader adds file and offset.
public enum CodecError: Error, Sendable {
    case truncated
    case malformed
    /// The file is of a format version that this program does not know yet: to be left alone, not to be called damaged.
    case newerVersion(UInt32)
}

/// Reads an encoding front to back, checking every bound: no input makes it read outside its bytes.
///
/// Inlined by force: a call for each byte and bound costs more than what it does.
public struct ByteCursor {
    public let bytes: UnsafeRawBufferPointer
    public var offset: Int

    @inlinable public init(_ bytes: UnsafeRawBufferPointer, offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    @inlinable @inline(__always) public var isAtEnd: Bool { offset >= bytes.count }
    @inlinable @inline(__always) public var remaining: Int { bytes.count - offset }

    @inlinable @inline(__always)
    public mutating func byte() throws(CodecError) -> UInt8 {
        guard offset < bytes.count else { throw .truncated }
        defer { offset += 1 }
        return bytes[offset]
    }

    /// Little-endian, fixed width.
    @inlinable @inline(__always)
    public mutating func fixed<I: FixedWidthInteger & BitwiseCopyable>(_ type: I.Type) throws(CodecError) -> I {
        guard remaining >= MemoryLayout<I>.size else { throw .truncated }
        defer { offset += MemoryLayout<I>.size }
        return I(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: I.self))
    }

    @inlinable @inline(__always)
    public mutating func varint() throws(CodecError) -> UInt64 {
        let first = try byte()
        if first < 0x80 { return UInt64(first) }
        let low = UInt64(first & 0x7F)
        if offset < bytes.count, bytes[offset] < 0x80 {
            defer { offset += 1 }
            return low | UInt64(bytes[offset]) << 7
        }
        return try longVarint(low)
    }

    @usableFromInline mutating func longVarint(_ low: UInt64) throws(CodecError) -> UInt64 {
        var value = low
        var shift: UInt64 = 7
        while true {
            let next = try byte()
            guard shift < 63 || next <= 1 else { throw .malformed }
            value |= UInt64(next & 0x7F) << shift
            if next < 0x80 { return value }
            shift += 7
        }
    }

    @inlinable @inline(__always)
    public mutating func zigzag() throws(CodecError) -> Int64 {
        let value = try varint()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// A varint that counts things that follow, each at least one byte (or, with `perItem` 0, is bounded by `limit`).
    @inlinable @inline(__always)
    public mutating func count(limit: Int = .max) throws(CodecError) -> Int {
        let value = try varint()
        guard limit >= 0, value <= UInt64(limit) else { throw .malformed }
        return Int(value)
    }

    /// A file's first bytes: magic number, then the version of its format. To be read before any checksum: only the format knows where
    /// that stands.
    /// - Returns: 1 to `newest`.
    /// - Throws: `.newerVersion` above `newest`; beyond 255 it is no version but damage.
    package mutating func formatVersion(magic: UInt64, newest: UInt32) throws(CodecError) -> UInt32 {
        guard try fixed(UInt64.self) == magic else { throw .malformed }
        let version = try fixed(UInt32.self)
        guard version > 0, version < 256 else { throw .malformed }
        guard version <= newest else { throw .newerVersion(version) }
        return version
    }

    @inlinable @inline(__always)
    public mutating func slice(_ count: Int) throws(CodecError) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= remaining else { throw .truncated }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)])
    }

    /// A varint length, then that many bytes.
    @inlinable public mutating func countedBytes() throws(CodecError) -> UnsafeRawBufferPointer {
        try slice(try count(limit: remaining))
    }

    @inlinable public mutating func countedString() throws(CodecError) -> String {
        String(decoding: try countedBytes(), as: UTF8.self)
    }
}

/// Growable bytes with unchecked appends: the writer side of every encoding. One owner; the memory goes with it.
///
/// `[UInt8].append` checks uniqueness and capacity for each byte; here a caller reserves once and writes.
public struct RawBuffer: ~Copyable {
    @usableFromInline package internal(set) var base: UnsafeMutableRawPointer
    @usableFromInline package internal(set) var capacity: Int
    public var count = 0

    @inlinable public init(capacity: Int = 256) {
        self.capacity = max(capacity, 16)
        base = .allocate(byteCount: self.capacity, alignment: 16)
    }

    @inlinable deinit { base.deallocate() }

    @inlinable public var isEmpty: Bool { count == 0 }

    @inlinable public mutating func removeAll() { count = 0 }

    /// Makes room for `byteCount` more bytes.
    @inlinable @inline(__always)
    public mutating func reserve(_ byteCount: Int) {
        if count + byteCount > capacity { grow(byteCount) }
    }

    @usableFromInline mutating func grow(_ byteCount: Int) {
        let newCapacity = max(capacity * 2, count + byteCount)
        let newBase = UnsafeMutableRawPointer.allocate(byteCount: newCapacity, alignment: 16)
        newBase.copyMemory(from: base, byteCount: count)
        base.deallocate()
        (base, capacity) = (newBase, newCapacity)
    }

    /// The written bytes. Valid inside `body` only.
    @inlinable public func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try body(UnsafeRawBufferPointer(start: base, count: count))
    }

    @inlinable @inline(__always)
    public mutating func append(_ byte: UInt8) {
        reserve(1)
        base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    /// Little-endian, fixed width.
    @inlinable @inline(__always)
    public mutating func append<I: FixedWidthInteger & BitwiseCopyable>(fixed value: I) {
        reserve(MemoryLayout<I>.size)
        base.storeBytes(of: value.littleEndian, toByteOffset: count, as: I.self)
        count += MemoryLayout<I>.size
    }

    /// LEB128, at most ten bytes.
    @inlinable @inline(__always)
    public mutating func append(varint value: UInt64) {
        reserve(10)
        var value = value
        while value >= 0x80 {
            base.storeBytes(of: UInt8(truncatingIfNeeded: value) | 0x80, toByteOffset: count, as: UInt8.self)
            count += 1
            value >>= 7
        }
        base.storeBytes(of: UInt8(truncatingIfNeeded: value), toByteOffset: count, as: UInt8.self)
        count += 1
    }

    @inlinable public mutating func append(varint value: Int) { append(varint: UInt64(value)) }

    /// Zigzag, then LEB128: small magnitudes of either sign stay small.
    @inlinable @inline(__always)
    public mutating func append(zigzag value: Int64) {
        append(varint: UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    @inlinable @inline(__always)
    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        (base + count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }

    /// A varint length, then the bytes.
    @inlinable public mutating func append(counted bytes: UnsafeRawBufferPointer) {
        append(varint: bytes.count)
        append(bytes)
    }

    @inlinable public mutating func append(counted text: String) {
        var text = text
        text.withUTF8 { append(counted: UnsafeRawBufferPointer($0)) }
    }

    package mutating func append(counted bytes: [UInt8]) {
        bytes.withUnsafeBytes { append(counted: $0) }
    }

    /// A copy of the written bytes.
    package var array: [UInt8] { withBytes { [UInt8]($0) } }

    /// Overwrites bytes already written, e.g. a length known only afterwards.
    @inlinable public mutating func patch<I: FixedWidthInteger & BitwiseCopyable>(_ value: I, at offset: Int) {
        precondition(offset + MemoryLayout<I>.size <= count)
        base.storeBytes(of: value.littleEndian, toByteOffset: offset, as: I.self)
    }
}

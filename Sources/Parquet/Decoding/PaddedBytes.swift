import TelemetryCodec

/// Bytes of a page, with `padding` readable bytes behind them: a load of a word may run over the end without a check of its own.
///
/// Borrowed: valid as long as the buffer they stand in is neither changed nor released.
struct PaddedBytes {
    static let padding = 16

    let bytes: UnsafeRawBufferPointer

    /// - Parameter bytes: followed by `padding` bytes of the same allocation.
    init(unchecked bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var count: Int { bytes.count }

    /// What is left from `offset` on.
    func suffix(from offset: Int) throws(CodecError) -> PaddedBytes {
        guard offset >= 0, offset <= count else { throw .truncated }
        return PaddedBytes(unchecked: UnsafeRawBufferPointer(rebasing: bytes[offset...]))
    }

    func prefix(_ count: Int) throws(CodecError) -> PaddedBytes {
        guard count >= 0, count <= self.count else { throw .truncated }
        return PaddedBytes(unchecked: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
    }

    /// `width` (0...64) bits from bit `position` on, least significant first. The first of them stands before the end.
    @inline(__always)
    func bits(at position: Int, width: Int) -> UInt64 {
        guard width > 0, let base = bytes.baseAddress else { return 0 }
        let shift = UInt64(position & 7)
        let address = base + (position >> 3)
        var word = UInt64(littleEndian: address.loadUnaligned(as: UInt64.self)) &>> shift
        if width + Int(shift) > 64 { word |= UInt64((address + 8).loadUnaligned(as: UInt8.self)) &<< (64 &- shift) }
        return word & (UInt64.max &>> UInt64(64 - width))
    }
}

extension RawBuffer {
    /// Makes the content `count` bytes, which `fill` writes all, and keeps the padding behind them.
    mutating func replace(count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
        removeAll()
        reserve(count + PaddedBytes.padding)
        try fill(UnsafeMutableRawBufferPointer(start: base, count: count))
        (base + count).initializeMemory(as: UInt8.self, repeating: 0, count: PaddedBytes.padding)
        self.count = count
    }

    /// The content of a buffer that `replace` filled. Valid until it is changed.
    var padded: PaddedBytes { PaddedBytes(unchecked: UnsafeRawBufferPointer(start: base, count: count)) }
}

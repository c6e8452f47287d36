import TelemetryCodec

/// Reads coded bytes.
struct RangeDecoder: ~Copyable {
    private var model = ByteModel()
    /// For each of the 4 096 slots: byte, frequency - 1 (from bit 8), distance to the byte's first slot (from bit 20).
    private let slots = UnsafeMutablePointer<UInt32>.allocate(capacity: ByteModel.scale)

    deinit { slots.deallocate() }

    /// Fills `output` exactly, with all of `source`.
    mutating func decode(_ source: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) throws(CodecError) {
        var cursor = ByteCursor(source)
        try model.read(&cursor)
        fillSlots()
        var states = (try cursor.fixed(UInt32.self), try cursor.fixed(UInt32.self))
        var index = 0
        let end = source.count - 4
        while index + 2 <= output.count, cursor.offset <= end {
            output[index] = popUnchecked(&states.0, source, &cursor.offset)
            output[index + 1] = popUnchecked(&states.1, source, &cursor.offset)
            index += 2
        }
        while index < output.count {
            output[index] = index & 1 == 0 ? try pop(&states.0, &cursor) : try pop(&states.1, &cursor)
            index += 1
        }
        guard cursor.isAtEnd, states == (ByteModel.leastState, ByteModel.leastState) else { throw .malformed }
    }

    private func fillSlots() {
        for byte in 0...model.greatest where model.frequencies[byte] > 0 {
            let (start, frequency) = (Int(model.starts[byte]), model.frequencies[byte])
            let head = UInt32(byte) | (frequency - 1) << 8
            for slot in 0..<Int(frequency) { slots[start + slot] = head | UInt32(truncatingIfNeeded: slot) << 20 }
        }
    }

    @inline(__always) private func step(_ state: inout UInt32) -> UInt8 {
        let slot = slots[Int(state & UInt32(ByteModel.scale - 1))]
        state = ((slot &>> 8 & 0xFFF) &+ 1) &* (state &>> ByteModel.scaleBits) &+ (slot &>> 20)
        return UInt8(truncatingIfNeeded: slot)
    }

    /// There are two more bytes at `offset`.
    @inline(__always) private func popUnchecked(_ state: inout UInt32, _ source: UnsafeRawBufferPointer, _ offset: inout Int) -> UInt8 {
        let byte = step(&state)
        let word = UInt32(UInt16(littleEndian: source.baseAddress.unsafelyUnwrapped.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
        let isLow = state < ByteModel.leastState
        state = isLow ? state &<< 16 | word : state
        offset &+= isLow ? 2 : 0
        return byte
    }

    private func pop(_ state: inout UInt32, _ cursor: inout ByteCursor) throws(CodecError) -> UInt8 {
        let byte = step(&state)
        if state < ByteModel.leastState { state = state &<< 16 | UInt32(try cursor.fixed(UInt16.self)) }
        return byte
    }
}

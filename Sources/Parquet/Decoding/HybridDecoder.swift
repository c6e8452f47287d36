import TelemetryCodec

/// Reads the RLE / bit-packing hybrid of levels, dictionary indices and booleans, some values at a time.
///
/// Source: parquet-format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid".
struct HybridDecoder {
    private let input: PaddedBytes
    private let width: Int
    private var offset = 0
    /// Values left of the run at hand.
    private var remaining = 0
    /// Of a repeated run; of a packed run the position of the next bit, in `bitPosition`.
    private var value: UInt32 = 0
    private var bitPosition = 0
    private var isPacked = false

    /// - Parameter width: bits a value, at most 32.
    init(_ input: PaddedBytes, width: Int) throws(CodecError) {
        guard width >= 0, width <= 32 else { throw .malformed }
        self.input = input
        self.width = width
    }

    /// Writes the next `count` values.
    /// - Throws: when there are fewer, or one has more bits than `width`.
    mutating func decode<Value: FixedWidthInteger & UnsignedInteger>(
        into output: UnsafeMutablePointer<Value>, count: Int
    ) throws(CodecError) {
        var done = 0
        while done < count {
            if remaining == 0 { try startRun() }
            let step = min(remaining, count - done)
            if isPacked { unpack(into: output + done, count: step) } else { fill(output + done, count: step) }
            remaining -= step
            done += step
        }
    }

    private func fill<Value: FixedWidthInteger>(_ output: UnsafeMutablePointer<Value>, count: Int) {
        output.update(repeating: Value(truncatingIfNeeded: value), count: count)
    }

    private mutating func unpack<Value: FixedWidthInteger>(into output: UnsafeMutablePointer<Value>, count: Int) {
        let width = width
        var position = bitPosition
        for index in 0..<count {
            output[index] = Value(truncatingIfNeeded: input.bits(at: position, width: width))
            position += width
        }
        bitPosition = position
    }

    /// Ends because every run takes a byte or more.
    private mutating func startRun() throws(CodecError) {
        while remaining == 0 {
            var cursor = ByteCursor(input.bytes, offset: offset)
            let header = try cursor.varint()
            isPacked = header & 1 == 1
            offset = cursor.offset
            if isPacked { startPacked(groups: header >> 1) } else { try startRepeated(count: header >> 1) }
        }
    }

    /// Some writers leave out what they did not need of the last group: the values are then as many as there are bits for.
    private mutating func startPacked(groups: UInt64) {
        let left = input.count - offset
        bitPosition = offset * 8
        if width == 0 {
            remaining = Int(min(groups, UInt64(Int32.max))) * 8
        } else if groups > UInt64(left / width) {
            remaining = left * 8 / width
            offset = input.count
        } else {
            remaining = Int(groups) * 8
            offset += Int(groups) * width
        }
    }

    private mutating func startRepeated(count: UInt64) throws(CodecError) {
        let byteCount = (width + 7) / 8
        guard byteCount <= input.count - offset else { throw .truncated }
        let word = input.bits(at: offset * 8, width: byteCount * 8)
        guard word >> UInt64(width) == 0 else { throw .malformed }
        value = UInt32(word)
        offset += byteCount
        remaining = Int(min(count, UInt64(Int32.max) * 8))
    }
}

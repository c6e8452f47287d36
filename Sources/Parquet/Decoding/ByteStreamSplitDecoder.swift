import TelemetryCodec

/// Reads BYTE_STREAM_SPLIT: all first bytes, all second bytes, and so on; some values at a time.
///
/// Source: parquet-format, Encodings.md, "Byte Stream Split".
struct ByteStreamSplitDecoder {
    private let input: PaddedBytes
    private let width: Int
    /// Values of the page, nulls left out: the distance from one byte of a value to the next.
    private let total: Int
    private var position = 0
    private let isWord: Bool

    /// - Parameter width: bytes a value.
    init(_ input: PaddedBytes, _ physicalType: PhysicalType, width: Int) throws(CodecError) {
        guard width > 0, input.count % width == 0 else { throw .malformed }
        self.input = input
        self.width = width
        total = input.count / width
        isWord = physicalType != .fixedLengthByteArray
    }

    mutating func decode(into output: UnsafeMutablePointer<UInt64>, count: Int, arena: inout ByteArena) throws {
        guard count <= total - position else { throw CodecError.truncated }
        guard count > 0, let base = input.bytes.baseAddress else { return }
        if isWord {
            switch width {
            case 4: gather(base, into: output, count: count, width: 4)
            default: gather(base, into: output, count: count, width: 8)
            }
        } else {
            try gatherBytes(base, into: output, count: count, arena: &arena)
        }
        position += count
    }

    /// Inlined for a width that is known: the inner loop is unrolled.
    @inline(__always)
    private func gather(_ base: UnsafeRawPointer, into output: UnsafeMutablePointer<UInt64>, count: Int, width: Int) {
        let first = (base + position).assumingMemoryBound(to: UInt8.self)
        for index in 0..<count {
            var word: UInt64 = 0
            for byte in 0..<width { word |= UInt64(first[byte * total + index]) &<< UInt64(8 * byte) }
            output[index] = word
        }
    }

    private func gatherBytes(
        _ base: UnsafeRawPointer, into output: UnsafeMutablePointer<UInt64>, count: Int, arena: inout ByteArena
    ) throws {
        // Not more than the page has: `count` is checked.
        try withUnsafeTemporaryAllocation(byteCount: count * width, alignment: 1) { values in
            for index in 0..<count {
                for byte in 0..<width { values[index * width + byte] = input.bytes[byte * total + position + index] }
            }
            try arena.append(UnsafeRawBufferPointer(values), width: width, into: output, count: count)
        }
    }
}

import TelemetryCodec

/// Reads PLAIN values of any type, some at a time.
///
/// Source: parquet-format, Encodings.md, "Plain".
struct PlainDecoder {
    private let input: PaddedBytes
    private let physicalType: PhysicalType
    private let byteWidth: Int
    /// Of bytes; of booleans in bits.
    private var offset = 0

    /// - Parameter byteWidth: of fixed-length byte arrays.
    init(_ input: PaddedBytes, _ physicalType: PhysicalType, byteWidth: Int) {
        self.input = input
        self.physicalType = physicalType
        self.byteWidth = byteWidth
    }

    mutating func decode(
        into output: UnsafeMutablePointer<UInt64>, count: Int, arena: inout ByteArena
    ) throws {
        switch physicalType {
        case .int64, .double: try decodeWords(UInt64.self, into: output, count: count)
        case .int32, .float: try decodeWords(UInt32.self, into: output, count: count)
        case .boolean: try decodeBits(into: output, count: count)
        case .int96: try decodeInt96(into: output, count: count)
        case .byteArray: try decodeByteArrays(into: output, count: count, arena: &arena)
        case .fixedLengthByteArray: try arena.append(try take(count, width: byteWidth), width: byteWidth, into: output, count: count)
        }
    }

    private mutating func take(_ count: Int, width: Int) throws(CodecError) -> UnsafeRawBufferPointer {
        let (byteCount, isTooMany) = count.multipliedReportingOverflow(by: width)
        guard !isTooMany, byteCount <= input.count - offset else { throw .truncated }
        defer { offset += byteCount }
        return UnsafeRawBufferPointer(rebasing: input.bytes[offset..<(offset + byteCount)])
    }

    private mutating func decodeWords<Word: FixedWidthInteger & BitwiseCopyable>(
        _ type: Word.Type, into output: UnsafeMutablePointer<UInt64>, count: Int
    ) throws(CodecError) {
        let bytes = try take(count, width: MemoryLayout<Word>.size)
        guard let base = bytes.baseAddress else { return }
        for index in 0..<count {
            let word = (base + index * MemoryLayout<Word>.size).loadUnaligned(as: Word.self)
            output[index] = UInt64(truncatingIfNeeded: Word(littleEndian: word))
        }
    }

    private mutating func decodeBits(into output: UnsafeMutablePointer<UInt64>, count: Int) throws(CodecError) {
        guard count <= input.count * 8 - offset else { throw .truncated }
        for index in 0..<count { output[index] = input.bits(at: offset + index, width: 1) }
        offset += count
    }

    private mutating func decodeInt96(into output: UnsafeMutablePointer<UInt64>, count: Int) throws(CodecError) {
        let bytes = try take(count, width: 12)
        for index in 0..<count {
            let nanoseconds = Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 12, as: Int64.self))
            let day = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 12 + 8, as: UInt32.self))
            output[index] = UInt64(bitPattern: Microseconds.ofInt96(nanoseconds: nanoseconds, julianDay: day))
        }
    }

    /// The run of values is copied as it stands, lengths and all: one copy for many values.
    private mutating func decodeByteArrays(
        into output: UnsafeMutablePointer<UInt64>, count: Int, arena: inout ByteArena
    ) throws {
        let start = offset
        var end = start
        let total = input.count
        let base = arena.count - start
        for index in 0..<count {
            guard total - end >= 4 else { throw CodecError.truncated }
            let length = Int(UInt32(littleEndian: input.bytes.loadUnaligned(fromByteOffset: end, as: UInt32.self)))
            end += 4
            guard length <= total - end else { throw CodecError.truncated }
            output[index] = ByteArena.word(offset: base + end, count: length)
            end += length
        }
        try arena.append(UnsafeRawBufferPointer(rebasing: input.bytes[start..<end]))
        offset = end
    }
}

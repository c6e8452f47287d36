import TelemetryCodec

/// Reads DELTA_LENGTH_BYTE_ARRAY, and DELTA_BYTE_ARRAY, where a string shares a prefix with the one before; some values at a time.
///
/// Source: parquet-format, Encodings.md, "Delta-length byte array", "Delta Strings".
struct DeltaByteArrayDecoder {
    /// DELTA_BYTE_ARRAY only.
    private var prefixLengths: DeltaDecoder?
    private var suffixLengths: DeltaDecoder
    private let suffixes: PaddedBytes
    private var offset = 0
    /// The last string of the batch before, DELTA_BYTE_ARRAY only.
    private var previous: [UInt8] = []
    /// Of a fixed-length byte array; others are damage.
    private let byteWidth: Int?

    /// - Parameter hasPrefixes: DELTA_BYTE_ARRAY.
    init(_ input: PaddedBytes, hasPrefixes: Bool, byteWidth: Int?) throws(CodecError) {
        self.byteWidth = byteWidth
        var rest = input
        if hasPrefixes {
            prefixLengths = try DeltaDecoder(rest)
            var lengths = try DeltaDecoder(rest)
            rest = try rest.suffix(from: try lengths.skipToEnd())
        }
        suffixLengths = try DeltaDecoder(rest)
        var lengths = try DeltaDecoder(rest)
        suffixes = try rest.suffix(from: try lengths.skipToEnd())
    }

    mutating func decode(into output: UnsafeMutablePointer<UInt64>, count: Int, arena: inout ByteArena) throws {
        try suffixLengths.decode(into: output, count: count)
        if prefixLengths == nil {
            try decodeWhole(output, count: count, arena: &arena)
        } else {
            try withUnsafeTemporaryAllocation(of: UInt64.self, capacity: max(count, 1)) { prefixes in
                guard let prefixes = prefixes.baseAddress else { return }
                try prefixLengths?.decode(into: prefixes, count: count)
                try decodeShared(output, prefixes, count: count, arena: &arena)
            }
        }
    }

    /// The bytes of many strings in one copy. `words` come in as lengths.
    private mutating func decodeWhole(_ words: UnsafeMutablePointer<UInt64>, count: Int, arena: inout ByteArena) throws {
        let start = offset
        let base = arena.count - start
        for index in 0..<count {
            let length = try length(words[index], limit: suffixes.count - offset)
            try check(length)
            words[index] = ByteArena.word(offset: base + offset, count: length)
            offset += length
        }
        try arena.append(UnsafeRawBufferPointer(rebasing: suffixes.bytes[start..<offset]))
    }

    /// `words` come in as lengths of suffixes.
    private mutating func decodeShared(
        _ words: UnsafeMutablePointer<UInt64>, _ prefixes: UnsafeMutablePointer<UInt64>, count: Int, arena: inout ByteArena
    ) throws {
        guard count > 0 else { return }
        // The string before the first one, so that it has its prefix in the arena, too.
        var last = ByteArena.word(offset: arena.count, count: previous.count)
        try previous.withUnsafeBytes { try arena.append($0) }
        for index in 0..<count {
            let suffixCount = try length(words[index], limit: suffixes.count - offset)
            let prefixCount = try length(prefixes[index], limit: Int(last & 0xFFFF_FFFF))
            try check(prefixCount + suffixCount)
            let suffix = UnsafeRawBufferPointer(rebasing: suffixes.bytes[offset..<(offset + suffixCount)])
            last = try arena.append(prefixOffset: Int(last >> 32), prefixCount: prefixCount, suffix: suffix)
            words[index] = last
            offset += suffixCount
        }
        previous = Array(arena.bytes[Int(last >> 32)..<(Int(last >> 32) + Int(last & 0xFFFF_FFFF))])
    }

    private func check(_ byteCount: Int) throws(CodecError) {
        if let byteWidth, byteCount != byteWidth { throw .malformed }
    }

    /// Lengths are INT32: the upper half of the word means nothing.
    private func length(_ word: UInt64, limit: Int) throws(CodecError) -> Int {
        let length = Int(Int32(truncatingIfNeeded: word))
        guard length >= 0, length <= limit else { throw .malformed }
        return length
    }
}

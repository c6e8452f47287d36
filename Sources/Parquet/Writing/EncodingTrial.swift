import TelemetryCodec

/// Finds the encoding in which the values of a column chunk are smallest after compression.
///
/// Numbers and times: a sample is encoded and compressed in every way that comes into question, and the smallest wins; of equals the first
/// named. A dictionary counts with its own page, and is out when it would have more than half as many entries as there are values.
/// Byte strings: a dictionary if that is smaller before compression, for readers look values up in it. Booleans: PLAIN, a bit each.
/// See docs/decisions/0018-parquet-encodings.md.
struct EncodingTrial: ~Copyable {
    /// Neighbouring values, from the middle of the chunk: as many as a small page. A tenth more work, at a choice that is hardly ever
    /// another than that of the whole chunk.
    private static let sampleCount = 8_192
    /// Fewer values are PLAIN, which every reader knows: there is nothing to gain.
    private static let countWorthATrial = 64
    /// Above this a dictionary page costs readers more than it saves.
    static let dictionaryByteCountLimit = 1 << 20

    /// Of the chunk's words, when the choice was `rleDictionary` and they are no byte strings.
    private(set) var dictionary = WordDictionary()
    private var encoded = RawBuffer(capacity: 1 << 16)
    private var compressed = RawBuffer(capacity: 1 << 16)

    mutating func encoding(for buffer: borrowing ColumnBuffer, _ compressor: borrowing ZstdCompressor) -> ParquetEncoding {
        guard buffer.words.count >= Self.countWorthATrial else { return .plain }
        switch buffer.column.type {
        case .boolean: return .plain
        case .string, .binary: return Self.isDictionaryWorthIt(buffer) ? .rleDictionary : .plain
        case .int64, .timestampMicrosUTC: return encoding(buffer, [.deltaBinaryPacked, .plain], compressor)
        case .double: return encoding(buffer, [.plain, .byteStreamSplit], compressor)
        }
    }

    /// Width 0 would do for a single entry, but not every reader knows it.
    static func indexBitWidth(entryCount: Int) -> Int { max(1, bitWidth(of: UInt64(max(1, entryCount) - 1))) }

    private static func isDictionaryWorthIt(_ buffer: borrowing ColumnBuffer) -> Bool {
        let entryCount = buffer.dictionary.count
        let dictionaryByteCount = buffer.dictionary.bytes.count + 4 * entryCount
        let indexByteCount = buffer.words.count * indexBitWidth(entryCount: entryCount) / 8
        return dictionaryByteCount <= dictionaryByteCountLimit && dictionaryByteCount + indexByteCount < buffer.plainByteCount
    }

    private mutating func encoding(
        _ buffer: borrowing ColumnBuffer, _ candidates: [ParquetEncoding], _ compressor: borrowing ZstdCompressor
    ) -> ParquetEncoding {
        let sample = Self.sample(of: buffer.words.count)
        return buffer.words.withUnsafeBufferPointer { words in
            var best = (byteCount: dictionaryByteCount(words, sample, compressor), encoding: ParquetEncoding.rleDictionary)
            for encoding in candidates {
                let byteCount = sampleByteCount(words, sample, encoding, compressor)
                if byteCount < best.byteCount { best = (byteCount, encoding) }
            }
            return best.encoding
        }
    }

    private static func sample(of count: Int) -> Range<Int> {
        let start = max(0, (count - sampleCount) / 2)
        return start..<min(count, start + sampleCount)
    }

    /// What all words will take, by what the sample takes.
    private mutating func sampleByteCount(
        _ words: UnsafeBufferPointer<UInt64>, _ sample: Range<Int>, _ encoding: ParquetEncoding, _ compressor: borrowing ZstdCompressor
    ) -> Int {
        encoded.removeAll()
        encoded.append(UnsafeBufferPointer(rebasing: words[sample]), as: encoding)
        return compressedByteCount(compressor) * words.count / sample.count
    }

    private mutating func dictionaryByteCount(
        _ words: UnsafeBufferPointer<UInt64>, _ sample: Range<Int>, _ compressor: borrowing ZstdCompressor
    ) -> Int {
        // The sample alone says it for most columns that have no use for one.
        guard dictionary.build(UnsafeBufferPointer(rebasing: words[sample]), limit: sample.count / 2) else { return .max }
        let limit = min(words.count / 2, Self.dictionaryByteCountLimit / MemoryLayout<UInt64>.size)
        guard dictionary.build(words, limit: limit) else { return .max }
        encoded.removeAll()
        dictionary.entries.withUnsafeBytes { encoded.append($0) }
        let entriesByteCount = compressedByteCount(compressor)
        encoded.removeAll()
        dictionary.indices.withUnsafeBufferPointer {
            encoded.append(indices: UnsafeBufferPointer(rebasing: $0[sample]), entryCount: dictionary.entries.count)
        }
        return entriesByteCount + compressedByteCount(compressor) * words.count / sample.count
    }

    private mutating func compressedByteCount(_ compressor: borrowing ZstdCompressor) -> Int {
        compressed.removeAll()
        return encoded.withBytes { compressor.compress($0, into: &compressed) }
    }
}

extension RawBuffer {
    /// 8-byte values, in an encoding without a dictionary.
    mutating func append(_ words: UnsafeBufferPointer<UInt64>, as encoding: ParquetEncoding) {
        switch encoding {
        case .deltaBinaryPacked: DeltaBinaryPacked.append(words, to: &self)
        case .byteStreamSplit: ByteStreamSplit.append(words, to: &self)
        // PLAIN: every platform of Swift is little-endian, so they stand as they are.
        default: append(UnsafeRawBufferPointer(words))
        }
    }

    /// RLE_DICTIONARY: the bit width, then the hybrid.
    mutating func append<Index: FixedWidthInteger & UnsignedInteger>(indices: UnsafeBufferPointer<Index>, entryCount: Int) {
        let bitWidth = EncodingTrial.indexBitWidth(entryCount: entryCount)
        append(UInt8(bitWidth))
        RunLengthEncoding.append(indices, bitWidth: bitWidth, to: &self)
    }
}

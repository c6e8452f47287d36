import TelemetryCodec

/// Asks the Bloom filter of a column chunk, without reading more of it than its header and a block a value.
///
/// Source: parquet-format, BloomFilter.md.
struct BloomFilterProbe {
    private let reader: ParquetReader
    /// Of the bits in the file.
    private let offset: Int64
    private let blockCount: UInt64

    /// More than the header takes.
    private static let headerByteCount: Int64 = 64

    /// Nil: a filter of a kind that is not known; it tells nothing.
    ///
    /// - Throws: `ParquetError.malformed`; what reading throws.
    init?(_ reader: ParquetReader, _ range: ParquetFooter.FileRange) throws {
        let end = Int64(reader.byteCount - ParquetFooter.tailByteCount)
        guard range.offset >= 0, range.offset < end else {
            throw ParquetError(.malformed, "a Bloom filter at offset \(range.offset) of a file of \(reader.byteCount) bytes")
        }
        let bytes = try reader.bytes(
            offset: range.offset, byteCount: min(Self.headerByteCount, end - range.offset), "the header of a Bloom filter")
        var thrift = ThriftReader(bytes)
        var byteCount: Int64 = 0
        // Block algorithm, xxHash, uncompressed: each the first member of its union.
        var isKnown = true
        try thrift.structure { reader, field, type throws(ParquetError) in
            switch field {
            case 1: byteCount = try reader.integer(type)
            case 2, 3, 4:
                try reader.structure { reader, member, type throws(ParquetError) in
                    isKnown = isKnown && member == 1
                    try reader.skip(type)
                }
            default: try reader.skip(type)
            }
        }
        guard isKnown else { return nil }
        guard byteCount > 0, byteCount % Int64(BloomFilter.blockByteCount) == 0, byteCount <= end else {
            throw ParquetError(.malformed, "a Bloom filter of \(byteCount) bytes at offset \(range.offset)")
        }
        self.reader = reader
        offset = range.offset + Int64(thrift.position)
        blockCount = UInt64(byteCount) / UInt64(BloomFilter.blockByteCount)
    }

    /// False: the chunk has no such string.
    func mayContain(_ value: [UInt8]) throws -> Bool {
        let hash = value.withUnsafeBytes { XXHash64.hash($0) }
        let block = Int64((hash >> 32) &* blockCount >> 32)
        let bytes = try reader.bytes(
            offset: offset + block * Int64(BloomFilter.blockByteCount), byteCount: Int64(BloomFilter.blockByteCount), "a Bloom filter")
        let mask = BloomFilter.mask(hash)
        return bytes.withUnsafeBytes { bytes in
            (0..<8).allSatisfy {
                let word = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self))
                return word & mask[$0] == mask[$0]
            }
        }
    }
}

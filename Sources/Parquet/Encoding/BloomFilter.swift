import Glibc
import TelemetryCodec

/// A split block Bloom filter: which values a column chunk surely does not have.
///
/// Source: parquet-format, BloomFilter.md; sizes as parquet-java chooses them.
struct BloomFilter {
    /// One lookup in a hundred for an absent value reads the row group in vain.
    static let falsePositiveShare = 0.01
    private static let salts = SIMD8<UInt32>(
        0x47B6_137B, 0x4497_4D91, 0x8824_AD5B, 0xA2B7_289D, 0x7054_95C7, 0x2DF1_424B, 0x9EFC_4947, 0x5C6B_FB31)
    static let blockByteCount = 32
    /// parquet-java refuses larger ones.
    private static let byteCountLimit = 128 << 20

    private(set) var blocks: [SIMD8<UInt32>]

    /// - Parameter distinctCount: of the values to come, about.
    init(distinctCount: Int) { blocks = Array(repeating: SIMD8(), count: Self.byteCount(distinctCount) / Self.blockByteCount) }

    /// Bytes for `distinctCount` values: a power of two, which readers insist on.
    static func byteCount(_ distinctCount: Int) -> Int {
        let bitCount = -8 * Double(distinctCount) / log(1 - pow(falsePositiveShare, 1.0 / 8))
        var byteCount = blockByteCount
        while byteCount < byteCountLimit, Double(byteCount) * 8 < bitCount { byteCount *= 2 }
        return byteCount
    }

    mutating func insert(_ hash: UInt64) { blocks[block(of: hash)] |= Self.mask(hash) }

    /// False: no such value was inserted.
    func mayContain(_ hash: UInt64) -> Bool { blocks[block(of: hash)] & Self.mask(hash) == Self.mask(hash) }

    private func block(of hash: UInt64) -> Int { Int(truncatingIfNeeded: ((hash >> 32) &* UInt64(blocks.count)) >> 32) }

    static func mask(_ hash: UInt64) -> SIMD8<UInt32> {
        SIMD8(repeating: 1) &<< ((SIMD8(repeating: UInt32(truncatingIfNeeded: hash)) &* salts) &>> SIMD8(repeating: 27))
    }

    /// Header and bits, as they stand in a file.
    func append(to output: inout RawBuffer) {
        var header = ThriftWriter()
        header.element { writer in
            writer.i32(1, Int32(blocks.count * Self.blockByteCount))
            // Block algorithm, xxHash, uncompressed: each the first and only member of its union.
            for field: Int16 in 2...4 { writer.structure(field) { $0.structure(1) { _ in } } }
        }
        header.bytes.withBytes { output.append($0) }
        blocks.withUnsafeBytes { output.append($0) }
    }
}

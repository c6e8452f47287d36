import TelemetryCodec

/// Appends sections: each as one byte over and over, as it is, entropy coded, or as a zstd frame, whichever is smallest.
///
/// Bytes that are all below 16, 4 or 2 may be packed 2, 4 or 8 to a byte first. Source: docs/format/column-chunk.md, "Section".
struct SectionWriter: ~Copyable {
    private let compressor: ZstdSectionCompressor
    private var packed = RawBuffer(capacity: 1 << 12)
    private var compressed = RawBuffer(capacity: 1 << 13)
    private var coder = RangeEncoder()
    private var coded = RawBuffer(capacity: 1 << 13)
    private var previousRawCount = 0

    init(compressionLevel: Int32) { compressor = ZstdSectionCompressor(level: compressionLevel) }

    /// The next section says its raw size, whatever is before it.
    mutating func forgetSection() { previousRawCount = 0 }

    /// Nothing is written for no bytes.
    /// - Parameter mayMatch: false when no string of bytes comes again: zstd is spared where bytes look like noise.
    mutating func append(_ raw: UnsafeRawBufferPointer, mayMatch: Bool, into output: inout RawBuffer) {
        guard raw.count > 0 else { return }
        let bits = bitsSet(raw)
        if bits == raw[0], raw.count <= ColumnFormat.maximumConstantByteCount, raw.allSatisfy({ $0 == bits }) {
            begin(.constant, packing: 0, rawCount: raw.count, into: &output)
            output.append(bits)
            return
        }
        let packing: UInt8 = bits < 2 ? 3 : bits < 4 ? 2 : bits < 16 ? 1 : 0
        pack(raw, packing)
        compressed.removeAll()
        coded.removeAll()
        let isCoded = raw.count > 1 && raw.count <= RangeEncoder.maximumByteCount && coder.encode(raw, into: &coded)
        if isCoded || mayMatch || hasRuns(raw) { _ = packed.withBytes { compressor.compress($0, into: &compressed) } }
        // Stored bytes have no byte count.
        let isCompressed = !compressed.isEmpty
        if min(isCompressed ? compressed.count : .max - 2, isCoded ? coded.count : .max - 2) + 2 >= packed.count {
            begin(.plain, packing: packing, rawCount: raw.count, into: &output)
            packed.withBytes { output.append($0) }
        } else if isCoded, !isCompressed || coded.count <= compressed.count {
            begin(.coded, packing: 0, rawCount: raw.count, into: &output)
            coded.withBytes { output.append(counted: $0) }
        } else {
            begin(.zstd, packing: packing, rawCount: raw.count, into: &output)
            compressed.withBytes { output.append(counted: $0) }
        }
    }

    /// Coding in bits 0-1, packing in bits 2-3; bit 7: as many raw bytes as the section before.
    private mutating func begin(_ coding: SectionCoding, packing: UInt8, rawCount: Int, into output: inout RawBuffer) {
        let isRepeated = rawCount == previousRawCount
        output.append(coding.rawValue | packing << 2 | (isRepeated ? 0x80 : 0))
        if !isRepeated { output.append(varint: rawCount) }
        previousRawCount = rawCount
    }

    /// Whether neighbours are equal more often than in noise, where they are once in 256.
    private func hasRuns(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var count = 0
        for index in 1..<max(bytes.count, 1) where bytes[index] == bytes[index - 1] { count += 1 }
        return count * 64 > bytes.count
    }

    private func bitsSet(_ bytes: UnsafeRawBufferPointer) -> UInt8 {
        var bits: UInt8 = 0
        for byte in bytes { bits |= byte }
        return bits
    }

    private mutating func pack(_ raw: UnsafeRawBufferPointer, _ packing: UInt8) {
        let perByte = 1 << Int(packing)
        let width = UInt8(8) >> packing
        packed.removeAll()
        guard packing > 0 else { return packed.append(raw) }
        packed.reserve(raw.count / perByte + 1)
        for start in stride(from: 0, to: raw.count, by: perByte) {
            var byte: UInt8 = 0
            for index in start..<min(start + perByte, raw.count) { byte |= raw[index] << (UInt8(index - start) &* width) }
            packed.append(byte)
        }
    }
}

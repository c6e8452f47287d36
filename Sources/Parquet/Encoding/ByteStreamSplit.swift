import TelemetryCodec

/// BYTE_STREAM_SPLIT for 8-byte values: all first bytes, then all second bytes, and so on. As long as PLAIN, but signs and exponents,
/// which hardly change, stand together, and zstd finds them.
///
/// Source: parquet-format, Encodings.md, "Byte Stream Split".
enum ByteStreamSplit {
    private static let width = MemoryLayout<UInt64>.size

    static func append(_ words: UnsafeBufferPointer<UInt64>, to output: inout RawBuffer) {
        let count = words.count
        output.reserve(count * width)
        let target = output.base + output.count
        let blocked = count & ~(width - 1)
        for start in stride(from: 0, to: blocked, by: width) { storeBlock(words, at: start, streamByteCount: count, target) }
        for index in blocked..<count {
            for byte in 0..<width {
                let value = UInt8(truncatingIfNeeded: words[index] >> UInt64(8 * byte))
                target.storeBytes(of: value, toByteOffset: byte * count + index, as: UInt8.self)
            }
        }
        output.count += count * width
    }

    /// Transposes eight words as a matrix of 8 x 8 bytes: swaps its quarters, then theirs, then theirs (Hacker's Delight, 7-3).
    @inline(__always)
    private static func storeBlock(
        _ words: UnsafeBufferPointer<UInt64>, at start: Int, streamByteCount: Int, _ target: UnsafeMutableRawPointer
    ) {
        var rows = SIMD8<UInt64>()
        for row in 0..<width { rows[row] = words[start + row] }
        let quarters = exchange(rows.lowHalf, rows.highHalf, by: 32, 0x0000_0000_FFFF_FFFF)
        let (a, b) = exchange(
            SIMD4(lowHalf: quarters.0.lowHalf, highHalf: quarters.1.lowHalf),
            SIMD4(lowHalf: quarters.0.highHalf, highHalf: quarters.1.highHalf), by: 16, 0x0000_FFFF_0000_FFFF)
        // Now a[0] has bytes 0 and 1 of the even rows and a[1] of the odd ones, b bytes 2 and 3; lanes 2 and 3 bytes 4 to 7.
        let (even, odd) = exchange(
            SIMD4(a[0], b[0], a[2], b[2]), SIMD4(a[1], b[1], a[3], b[3]), by: 8, 0x00FF_00FF_00FF_00FF)
        for row in 0..<4 {
            target.storeBytes(of: even[row], toByteOffset: 2 * row * streamByteCount + start, as: UInt64.self)
            target.storeBytes(of: odd[row], toByteOffset: (2 * row + 1) * streamByteCount + start, as: UInt64.self)
        }
    }

    /// Swaps the high parts of `low`'s lanes for the low parts of `high`'s; `mask` selects the low parts, `shift` bits wide.
    @inline(__always)
    private static func exchange(
        _ low: SIMD4<UInt64>, _ high: SIMD4<UInt64>, by shift: UInt64, _ mask: UInt64
    ) -> (SIMD4<UInt64>, SIMD4<UInt64>) {
        let shifts = SIMD4(repeating: shift)
        let masks = SIMD4(repeating: mask)
        return ((low & masks) | ((high & masks) &<< shifts), ((low &>> shifts) & masks) | (high & ~masks))
    }
}

import TelemetryCodec

/// DELTA_BINARY_PACKED for INT64: differences, less the smallest of each block, bit-packed by miniblock.
///
/// All arithmetic wraps, so every input comes back, `Int64.min` beside `Int64.max` included.
/// Source: parquet-format, Encodings.md, "Delta Encoding"; sizes as parquet-java and arrow write them.
enum DeltaBinaryPacked {
    private static let blockCount = 128
    private static let miniblockCount = 32
    private static let miniblocksPerBlock = blockCount / miniblockCount

    /// Appends the stream of `words`, two's complement.
    static func append(_ words: UnsafeBufferPointer<UInt64>, to output: inout RawBuffer) {
        output.append(varint: blockCount)
        output.append(varint: miniblocksPerBlock)
        output.append(varint: words.count)
        output.append(zigzag: Int64(bitPattern: words.first ?? 0))
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: blockCount) { deltas in
            var start = 1
            while start < words.count {
                let end = min(start + blockCount, words.count)
                for index in start..<end { deltas[index - start] = words[index] &- words[index - 1] }
                appendBlock(deltas, count: end - start, to: &output)
                start = end
            }
        }
    }

    /// - Parameter deltas: room for a whole block, `count` of them set. Overwritten.
    private static func appendBlock(_ deltas: UnsafeMutableBufferPointer<UInt64>, count: Int, to output: inout RawBuffer) {
        var least = Int64.max
        for index in 0..<count { least = min(least, Int64(bitPattern: deltas[index])) }
        for index in 0..<count { deltas[index] &-= UInt64(bitPattern: least) }
        // Padding of the last miniblock is zeros.
        for index in count..<blockCount { deltas[index] = 0 }
        output.append(zigzag: least)
        for miniblock in 0..<miniblocksPerBlock { output.append(UInt8(width(of: slice(of: deltas, miniblock)))) }
        // Width 0 (unused or constant) has no body.
        for miniblock in 0..<miniblocksPerBlock {
            let values = slice(of: deltas, miniblock)
            let width = width(of: values)
            if width > 0 { output.append(packed: values, bitWidth: width) }
        }
    }

    private static func width(of values: UnsafeBufferPointer<UInt64>) -> Int { bitWidth(of: values.reduce(0, |)) }

    private static func slice(of deltas: UnsafeMutableBufferPointer<UInt64>, _ miniblock: Int) -> UnsafeBufferPointer<UInt64> {
        let start = miniblock * miniblockCount
        return UnsafeBufferPointer(rebasing: deltas[start..<(start + miniblockCount)])
    }
}

import TelemetryCodec

/// The RLE / bit-packing hybrid of definition levels and dictionary indices, without a length in front.
///
/// Source: parquet-format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid".
enum RunLengthEncoding {
    /// A run shorter than a bit-packed group of 8 is cheaper inside one.
    private static let groupCount = 8

    /// - Parameter bitWidth: 1...32, enough for every value.
    static func append<Value: FixedWidthInteger & UnsignedInteger>(
        _ values: UnsafeBufferPointer<Value>, bitWidth: Int, to output: inout RawBuffer
    ) {
        var literalStart = 0
        var position = 0
        while position < values.count {
            let run = runLength(values, from: position)
            guard run >= groupCount else {
                position += run
                continue
            }
            // Bit-packed runs come in whole groups: the pending literals borrow what they lack from this run.
            let borrowed = (literalStart - position) & (groupCount - 1)
            if run - borrowed >= groupCount {
                appendLiterals(values, literalStart..<(position + borrowed), bitWidth, &output)
                appendRun(values[position], count: run - borrowed, bitWidth, &output)
                literalStart = position + run
            }
            position += run
        }
        appendLiterals(values, literalStart..<values.count, bitWidth, &output)
    }

    private static func runLength<Value: Equatable>(_ values: UnsafeBufferPointer<Value>, from start: Int) -> Int {
        var end = start + 1
        while end < values.count, values[end] == values[start] { end += 1 }
        return end - start
    }

    /// `count` times the same value.
    static func appendRun<Value: FixedWidthInteger & UnsignedInteger>(
        _ value: Value, count: Int, _ bitWidth: Int, _ output: inout RawBuffer
    ) {
        output.append(varint: count << 1)
        for byte in 0..<((bitWidth + 7) / 8) { output.append(UInt8(truncatingIfNeeded: UInt64(value) >> UInt64(8 * byte))) }
    }

    /// Only the last run of a page may hold a broken group; it is padded with zeros, which readers drop by the value count.
    private static func appendLiterals<Value: FixedWidthInteger & UnsignedInteger>(
        _ values: UnsafeBufferPointer<Value>, _ range: Range<Int>, _ bitWidth: Int, _ output: inout RawBuffer
    ) {
        guard !range.isEmpty else { return }
        let groups = (range.count + groupCount - 1) / groupCount
        output.append(varint: groups << 1 | 1)
        let end = output.count + groups * bitWidth
        output.append(packed: UnsafeBufferPointer(rebasing: values[range]), bitWidth: bitWidth)
        while output.count < end { output.append(0) }
    }
}

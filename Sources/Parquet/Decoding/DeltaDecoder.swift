import TelemetryCodec

/// Reads DELTA_BINARY_PACKED, some values at a time. All arithmetic wraps; an INT32 is in the low half of its word.
///
/// Source: parquet-format, Encodings.md, "Delta Encoding".
struct DeltaDecoder {
    private let input: PaddedBytes
    /// Values of a miniblock.
    private let miniblockCount: Int
    private let miniblocksPerBlock: Int
    /// Values that are not read yet.
    private(set) var remaining: Int
    private var previous: UInt64
    private var isFirst = true

    private var offset: Int
    private var leastDelta: UInt64 = 0
    /// Where the widths of the block at hand stand, and which miniblock comes next.
    private var widthsOffset = 0
    private var nextMiniblock: Int
    /// The miniblock at hand.
    private var width = 0
    private var bitPosition = 0
    private var miniblockRemaining = 0

    /// Larger blocks than any writer makes.
    private static let blockCountLimit = 1 << 16

    init(_ input: PaddedBytes) throws(CodecError) {
        self.input = input
        var cursor = ByteCursor(input.bytes)
        let blockCount = try cursor.count(limit: Self.blockCountLimit)
        miniblocksPerBlock = try cursor.count(limit: Self.blockCountLimit)
        remaining = try cursor.count(limit: Int(Int32.max))
        previous = UInt64(bitPattern: try cursor.zigzag())
        guard miniblocksPerBlock > 0, blockCount > 0, blockCount % miniblocksPerBlock == 0 else { throw .malformed }
        miniblockCount = blockCount / miniblocksPerBlock
        // Miniblocks end at whole bytes.
        guard miniblockCount % 8 == 0 else { throw .malformed }
        nextMiniblock = miniblocksPerBlock
        offset = cursor.offset
    }

    /// Writes the next `count` values.
    mutating func decode(into output: UnsafeMutablePointer<UInt64>, count: Int) throws(CodecError) {
        guard count <= remaining else { throw .truncated }
        remaining -= count
        var done = 0
        if isFirst, count > 0 {
            output[0] = previous
            isFirst = false
            done = 1
        }
        while done < count {
            // What is still needed of the stream bounds what must be there of the last miniblock.
            if miniblockRemaining == 0 { try startMiniblock(needed: remaining + count - done) }
            let step = min(miniblockRemaining, count - done)
            unpack(into: output + done, count: step)
            miniblockRemaining -= step
            done += step
        }
    }

    /// Passes over all values.
    /// - Returns: where the stream ends.
    mutating func skipToEnd() throws(CodecError) -> Int {
        if isFirst, remaining > 0 {
            isFirst = false
            remaining -= 1
        }
        remaining -= min(remaining, miniblockRemaining)
        while remaining > 0 {
            try startMiniblock(needed: remaining)
            remaining -= min(remaining, miniblockCount)
        }
        return offset
    }

    private mutating func unpack(into output: UnsafeMutablePointer<UInt64>, count: Int) {
        var value = previous
        if width == 0 {
            for index in 0..<count {
                value &+= leastDelta
                output[index] = value
            }
        } else {
            let (width, leastDelta) = (width, leastDelta)
            var position = bitPosition
            for index in 0..<count {
                value &+= leastDelta &+ input.bits(at: position, width: width)
                output[index] = value
                position += width
            }
            bitPosition = position
        }
        previous = value
    }

    private mutating func startMiniblock(needed: Int) throws(CodecError) {
        if nextMiniblock == miniblocksPerBlock { try startBlock() }
        width = Int(input.bytes[widthsOffset + nextMiniblock])
        guard width <= 64 else { throw .malformed }
        let left = input.count - offset
        guard (min(needed, miniblockCount) * width + 7) / 8 <= left else { throw .truncated }
        bitPosition = offset * 8
        offset += min(miniblockCount * width / 8, left)
        miniblockRemaining = miniblockCount
        nextMiniblock += 1
    }

    private mutating func startBlock() throws(CodecError) {
        var cursor = ByteCursor(input.bytes, offset: offset)
        leastDelta = UInt64(bitPattern: try cursor.zigzag())
        widthsOffset = cursor.offset
        _ = try cursor.slice(miniblocksPerBlock)
        offset = cursor.offset
        nextMiniblock = 0
    }
}

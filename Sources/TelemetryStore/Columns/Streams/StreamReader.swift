import TelemetryCodec

/// A stream inside a raw chunk: random access to the values of a piece.
///
/// Sizes are checked in `init`; arithmetic wraps, so that no bytes trap.
struct StreamReader {
    let mode: StreamMode
    /// The words lie one behind the other, not in planes.
    let isInterleaved: Bool
    /// Bytes of a word, 0...8.
    let width: Int
    /// Number of values.
    let count: Int
    private let divisor: UInt64
    private let least: UInt64
    private let step: UInt64
    private let words: UnsafeRawBufferPointer
    private let pieceCount: Int
    private let firstsLeast: UInt64
    private let firstsWidth: Int
    private let firsts: UnsafeRawBufferPointer

    /// Reads the stream's part of the header, and takes its sections.
    init(
        header: inout ByteCursor, sections: inout ByteCursor, count: Int, pieceCount: Int
    ) throws(CodecError) {
        let head = try header.byte()
        guard let mode = StreamMode(rawValue: head & 3), head & 8 == 0, head >> 4 <= 8 else { throw .malformed }
        self.mode = mode
        isInterleaved = head & 4 != 0
        width = Int(head >> 4)
        self.count = count
        divisor = try header.varint()
        least = UInt64(bitPattern: try header.zigzag())
        self.pieceCount = mode == .offset ? 0 : pieceCount
        step = mode == .delta || mode == .line ? UInt64(bitPattern: try header.zigzag()) : 0
        firstsLeast = mode == .offset ? 0 : try header.varint()
        firstsWidth = mode == .offset ? 0 : Int(try header.byte())
        guard firstsWidth <= 8 else { throw .malformed }
        firsts = try sections.slice(self.pieceCount * firstsWidth)
        words = try sections.slice(count * width)
    }

    // MARK: - Values

    /// Values at `positions`, which lie in `piece`, whose first value is at `pieceStart`.
    ///
    /// Bounds are the caller's: 0 <= pieceStart <= positions <= count.
    func decode(_ positions: Range<Int>, piece: Int, pieceStart: Int, into output: UnsafeMutablePointer<UInt64>) throws(CodecError) {
        guard !positions.isEmpty else { return }
        loadWords(positions, into: output)
        if mode == .offset {
            for index in 0..<positions.count { output[index] = least &+ divisor &* output[index] }
            return
        }
        guard piece < pieceCount else { throw .malformed }
        let first = self.first(piece)
        switch mode {
        case .offset: break
        case .delta: decodeDeltas(positions, first: first, pieceStart: pieceStart, into: output)
        case .line:
            var expected = first &+ UInt64(positions.lowerBound - pieceStart) &* step
            for index in 0..<positions.count {
                output[index] = least &+ divisor &* (expected &+ UInt64(bitPattern: zigzagDecoded(output[index])))
                expected &+= step
            }
        case .exclusiveOr:
            var value = first
            for position in (pieceStart + 1)..<max(positions.lowerBound + 1, pieceStart + 1) { value ^= word(position) }
            output[0] = least &+ divisor &* value
            for index in 1..<max(positions.count, 1) {
                value ^= output[index]
                output[index] = least &+ divisor &* value
            }
        }
    }

    private func decodeDeltas(_ positions: Range<Int>, first: UInt64, pieceStart: Int, into output: UnsafeMutablePointer<UInt64>) {
        var value = first &+ UInt64(positions.lowerBound - pieceStart) &* step
        value &+= zigzagSum((pieceStart + 1)..<max(positions.lowerBound + 1, pieceStart + 1))
        output[0] = least &+ divisor &* value
        for index in 1..<max(positions.count, 1) {
            value &+= UInt64(bitPattern: zigzagDecoded(output[index])) &+ step
            output[index] = least &+ divisor &* value
        }
    }

    /// Sum of the values before `position`, wrapping. For `offset` streams.
    func sum(before position: Int) -> UInt64 {
        var sum: UInt64 = 0
        if isInterleaved {
            for index in 0..<position { sum &+= word(index) }
        } else {
            for plane in 0..<width {
                var planeSum: UInt64 = 0
                for index in (plane * count)..<(plane * count + position) { planeSum &+= UInt64(words[index]) }
                sum &+= planeSum &<< UInt64(plane * 8)
            }
        }
        return UInt64(position) &* least &+ divisor &* sum
    }

    // MARK: - Words

    private func first(_ piece: Int) -> UInt64 {
        var word: UInt64 = 0
        for plane in 0..<firstsWidth { word |= UInt64(firsts[plane * pieceCount + piece]) &<< UInt64(plane * 8) }
        return firstsLeast &+ word
    }

    private func word(_ position: Int) -> UInt64 {
        var word: UInt64 = 0
        let (start, stride) = isInterleaved ? (position * width, 1) : (position, count)
        for byte in 0..<width { word |= UInt64(words[start + byte * stride]) &<< UInt64(byte * 8) }
        return word
    }

    /// Wrapping sum of the numbers whose zigzag words these are.
    private func zigzagSum(_ positions: Range<Int>) -> UInt64 {
        var sum: UInt64 = 0
        guard width == 1, let base = words.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
            for position in positions { sum &+= UInt64(bitPattern: zigzagDecoded(word(position))) }
            return sum
        }
        var small: Int32 = 0
        for position in positions {
            let word = Int32(base[position])
            small &+= (word &>> 1) ^ -(word & 1)
        }
        return UInt64(bitPattern: Int64(small))
    }

    private func loadWords(_ positions: Range<Int>, into output: UnsafeMutablePointer<UInt64>) {
        let size = positions.count
        guard width > 0, let base = words.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
            output.update(repeating: 0, count: size)
            return
        }
        if isInterleaved {
            for index in 0..<size { output[index] = word(positions.lowerBound + index) }
            return
        }
        let first = base + positions.lowerBound
        for index in 0..<size { output[index] = UInt64(first[index]) }
        // Three planes a pass: fewer trips through the output.
        var plane = 1
        while plane + 2 < width {
            let (a, b, c) = (first + plane * count, first + (plane + 1) * count, first + (plane + 2) * count)
            let shift = UInt64(plane * 8)
            for index in 0..<size {
                let word = UInt32(a[index]) | UInt32(b[index]) &<< 8 | UInt32(c[index]) &<< 16
                output[index] |= UInt64(word) &<< shift
            }
            plane += 3
        }
        while plane < width {
            let (a, shift) = (first + plane * count, UInt64(plane * 8))
            for index in 0..<size { output[index] |= UInt64(a[index]) &<< shift }
            plane += 1
        }
    }
}

import TelemetryCodec

/// Writes 64-bit values as a stream. Source: docs/format/column-chunk.md, "Stream".
///
/// The caller puts the values into `values`, which the writer changes.
struct StreamWriter: ~Copyable {
    /// What values are, which decides the modes that may pay.
    enum Kind {
        /// Two's complement numbers, with a common divisor perhaps.
        case numbers
        /// IEEE 754 bits.
        case patterns
        /// IEEE 754 bits few of which come again: zstd finds nothing in planes that look like noise.
        case distinctPatterns
        /// Numbers without pieces, which are summed up: always `offset`, always planes.
        case lengths
    }

    var values = WordBuffer()
    private var residuals = WordBuffer()
    private var best = WordBuffer()
    private var firsts = WordBuffer(capacity: 64)
    private var bytes = RawBuffer(capacity: 1 << 13)
    private let cost = PlaneCost()

    private struct Plan {
        var mode = StreamMode.offset
        var step: Int64 = 0
        var byteCount: Int
    }

    /// Appends the stream of `values`.
    /// - Parameter positions: position of the first value of each piece, and the number of values at the end.
    mutating func write(_ kind: Kind, positions: [Int32], into chunk: inout ChunkBuilder) {
        let count = values.count
        let arePatterns = kind == .patterns || kind == .distinctPatterns
        let (least, divisor) = arePatterns ? (0, 1) : normalize()
        var plan = Plan(byteCount: cost.byteCount(values.base, count))
        best.resize(count)
        best.base.update(from: values.base, count: count)
        if kind != .lengths, count > 1 {
            residuals.resize(count)
            consider(.delta, step: medianDelta(positions), positions, &plan)
            if arePatterns {
                consider(.exclusiveOr, step: 0, positions, &plan)
            } else {
                consider(.line, step: slope(positions), positions, &plan)
            }
        }
        chunk.header.append(plan.mode.rawValue | UInt8(best.byteWidth) << 4)
        chunk.header.append(varint: divisor)
        chunk.header.append(zigzag: least)
        if plan.mode != .offset { writeFirsts(plan, positions, into: &chunk) }
        best.writePlanes(into: &chunk, &bytes, mayMatch: kind != .distinctPatterns)
    }

    // MARK: - Normal form

    /// Leaves (value - least) / divisor in `values`.
    private mutating func normalize() -> (least: Int64, divisor: UInt64) {
        guard values.count > 0 else { return (0, 1) }
        let words = values.base
        var least = Int64(bitPattern: words[0])
        for index in 1..<max(values.count, 1) { least = min(least, Int64(bitPattern: words[index])) }
        var divisor: UInt64 = 0
        for index in 0..<values.count {
            words[index] &-= UInt64(bitPattern: least)
            if divisor != 1, words[index] != 0 { divisor = greatestCommonDivisor(divisor, words[index]) }
        }
        if divisor > 1 { for index in 0..<values.count { words[index] /= divisor } }
        return (least, max(divisor, 1))
    }

    private func greatestCommonDivisor(_ first: UInt64, _ second: UInt64) -> UInt64 {
        var (a, b) = (second, first)
        while b != 0 { (a, b) = (b, a % b) }
        return a
    }

    // MARK: - Modes

    /// Keeps the mode's words in `best` when they are cheaper than the plan's.
    private mutating func consider(_ mode: StreamMode, step: Int64, _ positions: [Int32], _ plan: inout Plan) {
        for piece in 0..<(positions.count - 1) {
            let (start, end) = (Int(positions[piece]), Int(positions[piece + 1]))
            if start < end { fillResiduals(mode, step, start, end) }
        }
        let byteCount = cost.byteCount(residuals.base, residuals.count) + 2 * (positions.count - 1)
        guard byteCount < plan.byteCount else { return }
        plan = Plan(mode: mode, step: step, byteCount: byteCount)
        swap(&best, &residuals)
        residuals.resize(values.count)
    }

    private func fillResiduals(_ mode: StreamMode, _ step: Int64, _ start: Int, _ end: Int) {
        let (words, residuals) = (values.base, residuals.base)
        residuals[start] = 0
        switch mode {
        case .offset: break
        case .delta:
            for index in (start + 1)..<max(end, start + 1) {
                residuals[index] = zigzagEncoded(Int64(bitPattern: words[index] &- words[index - 1]) &- step)
            }
        case .line:
            var expected = words[start]
            for index in (start + 1)..<max(end, start + 1) {
                expected &+= UInt64(bitPattern: step)
                residuals[index] = zigzagEncoded(Int64(bitPattern: words[index] &- expected))
            }
        case .exclusiveOr:
            for index in (start + 1)..<max(end, start + 1) { residuals[index] = words[index] ^ words[index - 1] }
        }
    }

    /// Median of some of the deltas: the majority if there is one, the middle of noise otherwise.
    private func medianDelta(_ positions: [Int32]) -> Int64 {
        let stride = max(1, values.count / 64)
        var sample: [Int64] = []
        var index = 1
        while index < values.count {
            sample.append(Int64(bitPattern: values.base[index] &- values.base[index - 1]))
            index += stride
        }
        sample.sort()
        return sample[sample.count / 2]
    }

    /// Mean difference of neighbours in the longest piece.
    private func slope(_ positions: [Int32]) -> Int64 {
        var (start, end) = (0, 0)
        for piece in 0..<(positions.count - 1) where Int(positions[piece + 1] - positions[piece]) > end - start {
            (start, end) = (Int(positions[piece]), Int(positions[piece + 1]))
        }
        guard end - start > 1 else { return 0 }
        let rise = Int64(bitPattern: values.base[end - 1] &- values.base[start])
        let steps = Int64(end - start - 1)
        let half = rise < 0 ? -(steps / 2) : steps / 2
        return rise.addingReportingOverflow(half).partialValue / steps
    }

    // MARK: - Output

    /// The value each piece begins with; a piece without values repeats the one before.
    private mutating func writeFirsts(_ plan: Plan, _ positions: [Int32], into chunk: inout ChunkBuilder) {
        let pieceCount = positions.count - 1
        firsts.resize(pieceCount)
        var (last, least) = (values.base[0], UInt64.max)
        for piece in 0..<pieceCount {
            if positions[piece] < positions[piece + 1] { last = values.base[Int(positions[piece])] }
            firsts.base[piece] = last
            least = min(least, last)
        }
        for piece in 0..<pieceCount { firsts.base[piece] &-= least }
        if plan.mode != .exclusiveOr { chunk.header.append(zigzag: plan.step) }
        chunk.header.append(varint: least)
        chunk.header.append(UInt8(firsts.byteWidth))
        firsts.writePlanes(into: &chunk, &bytes, mayMatch: true)
    }

    /// Appends the stream of `values` as words one behind the other.
    mutating func writeInterleaved(into chunk: inout ChunkBuilder) {
        chunk.header.append(StreamMode.offset.rawValue | 4 | 8 << 4)
        chunk.header.append(varint: UInt64(1))
        chunk.header.append(zigzag: 0)
        values.copyWords(to: &bytes)
        bytes.withBytes { chunk.appendSection($0) }
    }
}

extension WordBuffer {
    /// Bytes that hold every word: 0...8.
    fileprivate var byteWidth: Int {
        var bits: UInt64 = 0
        for index in 0..<count { bits |= base[index] }
        return leastByteCount(of: bits)
    }

    /// Appends a section for each byte of the words that any of them needs.
    fileprivate func writePlanes(into chunk: inout ChunkBuilder, _ bytes: inout RawBuffer, mayMatch: Bool) {
        for plane in 0..<byteWidth {
            copyPlane(plane, to: &bytes)
            bytes.withBytes { chunk.appendSection($0, mayMatch: mayMatch) }
        }
    }

    /// Fills `bytes` with byte `plane` of each word.
    private func copyPlane(_ plane: Int, to bytes: inout RawBuffer) {
        bytes.removeAll()
        bytes.reserve(count)
        let target = bytes.base.assumingMemoryBound(to: UInt8.self)
        let shift = UInt64(plane) * 8
        for index in 0..<count { target[index] = UInt8(truncatingIfNeeded: base[index] &>> shift) }
        bytes.count = count
    }

    /// Fills `bytes` with the words, little-endian.
    fileprivate func copyWords(to bytes: inout RawBuffer) {
        bytes.removeAll()
        bytes.reserve(count * 8)
        for index in 0..<count { bytes.base.storeBytes(of: base[index].littleEndian, toByteOffset: index * 8, as: UInt64.self) }
        bytes.count = count * 8
    }
}

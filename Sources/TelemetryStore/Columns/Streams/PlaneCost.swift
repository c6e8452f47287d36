/// Estimates what words cost as byte planes: the order-0 entropy of each plane, and a table for it.
struct PlaneCost: ~Copyable {
    private let counts = UnsafeMutablePointer<UInt32>.allocate(capacity: 256)
    /// c * log2(c) in 1/16 bits is looked up for small c: most bytes of a plane are rare or very frequent.
    private let terms: UnsafeMutablePointer<Float>

    private static let termCount = 4_097

    init() {
        terms = .allocate(capacity: Self.termCount)
        for count in 0..<Self.termCount { terms[count] = count < 2 ? 0 : Float(count) * Self.log2(Float(count)) }
    }

    deinit {
        counts.deallocate()
        terms.deallocate()
    }

    /// Bytes the words take, roughly.
    func byteCount(_ words: UnsafePointer<UInt64>, _ count: Int) -> Int {
        var bits: UInt64 = 0
        for index in 0..<count { bits |= words[index] }
        var sum = 0
        for plane in 0..<leastByteCount(of: bits) { sum += planeByteCount(words, count, UInt64(plane) * 8) }
        return sum
    }

    private func planeByteCount(_ words: UnsafePointer<UInt64>, _ count: Int, _ shift: UInt64) -> Int {
        counts.update(repeating: 0, count: 256)
        for index in 0..<count { counts[Int(truncatingIfNeeded: (words[index] &>> shift) & 0xFF)] &+= 1 }
        var bits = term(UInt32(truncatingIfNeeded: count))
        var distinct = 0
        for value in 0..<256 where counts[value] > 0 {
            bits -= term(counts[value])
            distinct += 1
        }
        // A Huffman table takes about half a byte a symbol; frame and block headers some 16 bytes.
        return distinct == 1 ? 2 : min(count, Int(bits) / 8 + distinct / 2 + 16)
    }

    private func term(_ count: UInt32) -> Float {
        Int(count) < Self.termCount ? terms[Int(count)] : Float(count) * Self.log2(Float(count))
    }

    /// Within 0.01: the exponent, and a parabola through the mantissa.
    private static func log2(_ value: Float) -> Float {
        let mantissa = value.significand
        return Float(value.exponent) + (mantissa - 1) * (1.345 - 0.345 * (mantissa - 1))
    }
}

/// Least bytes that hold the set bits: 0...8.
@inline(__always) func leastByteCount(of bits: UInt64) -> Int { (64 - bits.leadingZeroBitCount + 7) >> 3 }

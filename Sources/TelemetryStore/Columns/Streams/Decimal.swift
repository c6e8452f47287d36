import TelemetryCodec

/// Doubles that are decimal fractions, as integers: value * 10^exponent. Division gives the value back, bit by bit.
enum Decimal {
    static let maximumExponent = 15
    /// Integers below are doubles exactly.
    private static let limit = 0x1p53
    private static let sampleCount = 64

    static func power(_ exponent: Int) -> Double {
        var power = 1.0
        for _ in 0..<exponent { power *= 10 }
        return power
    }

    /// The integer that stands for the value; nil when there is none.
    @inline(__always) static func scaled(_ value: Double, _ power: Double) -> Int64? {
        let product = value * power
        guard product.magnitude < limit else { return nil }
        let integer = Int64(product + (product < 0 ? -0.5 : 0.5))
        return (Double(integer) / power).bitPattern == value.bitPattern ? integer : nil
    }

    /// The least exponent at which most of a sample of the values are integers; nil when too few are at any.
    static func exponent(_ bits: UnsafeBufferPointer<UInt64>) -> Int? {
        let stride = max(1, bits.count / sampleCount)
        var (counts, size) = ([Int](repeating: 0, count: maximumExponent + 1), 0)
        for index in Swift.stride(from: 0, to: bits.count, by: stride) {
            let value = Double(bitPattern: bits[index])
            var power = 1.0
            for exponent in 0...maximumExponent {
                if scaled(value, power) != nil { counts[exponent] += 1 }
                power *= 10
            }
            size += 1
        }
        guard let most = counts.max(), most * 8 >= size * 7 else { return nil }
        return counts.firstIndex(of: most)
    }

    /// Integers, in place, to the doubles they stand for.
    static func decode(_ bits: UnsafeMutableBufferPointer<UInt64>, exponent: Int) {
        let power = power(exponent)
        for index in bits.indices { bits[index] = (Double(Int64(bitPattern: bits[index])) / power).bitPattern }
    }
}

/// Doubles of a decimal column that are none: their positions, u16, ascending, and their bits, u64.
struct DecimalExceptions {
    private let positions: UnsafeRawBufferPointer
    private let bits: UnsafeRawBufferPointer

    init(header: inout ByteCursor, sections: inout ByteCursor, count: Int) throws(CodecError) {
        let size = try header.count(limit: count)
        positions = try sections.slice(size * 2)
        bits = try sections.slice(size * 8)
        var next = 0
        for index in 0..<size {
            let position = position(index)
            guard position >= next, position < count else { throw .malformed }
            next = position + 1
        }
    }

    private func position(_ index: Int) -> Int {
        Int(UInt16(littleEndian: positions.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)))
    }

    /// Overwrites what stands for exceptions among the values at `range`.
    func apply(_ range: Range<Int>, _ output: UnsafeMutableBufferPointer<UInt64>) {
        for index in 0..<(positions.count / 2) {
            let position = position(index)
            guard position < range.upperBound else { return }
            guard position >= range.lowerBound else { continue }
            output[position - range.lowerBound] = UInt64(littleEndian: bits.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
        }
    }
}

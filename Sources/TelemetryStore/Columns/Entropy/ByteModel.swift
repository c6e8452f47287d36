import TelemetryCodec

/// The model of an order-0 entropy coder for bytes: range asymmetric numeral systems with two states that take turns.
///
/// Noise is most of what sensors send; there it comes within 1 % of the entropy, where zstd's Huffman codes need 2 to 15 % more and its
/// match finder hurts. Source: J. Duda, arXiv:1311.2540; layout in docs/format/column-chunk.md, "Coded bytes".
struct ByteModel: ~Copyable {
    /// Frequencies sum up to 4 096.
    static let scaleBits: UInt32 = 12
    static let scale = 1 << Int(scaleBits)
    /// States stay at or above; a word of 16 bits comes or goes at a time.
    static let leastState: UInt32 = 1 << 16

    /// Weight codes of the bytes 0...`greatest`; 0: the byte does not occur.
    let codes = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
    private(set) var greatest = 0
    let frequencies = UnsafeMutablePointer<UInt32>.allocate(capacity: 256)
    let starts = UnsafeMutablePointer<UInt32>.allocate(capacity: 256)

    deinit {
        codes.deallocate()
        frequencies.deallocate()
        starts.deallocate()
    }

    /// Weight of a code, 4...: two bits behind the leading one are a fair picture of a count; they cost 0.003 bits a byte.
    static func weight(_ code: UInt8) -> UInt32 { code == 0 ? 0 : (4 + UInt32((code - 1) & 3)) << UInt32((code - 1) >> 2) }

    /// The code whose weight is nearest to 4 * `count`. - Parameter count: at most 32 768.
    static func code(_ count: UInt32) -> UInt8 {
        guard count > 0 else { return 0 }
        let exponent = UInt32(31 - count.leadingZeroBitCount)
        let quarters = exponent >= 2 ? (count + ((1 << exponent) >> 3)) >> (exponent - 2) : count << (2 - exponent)
        return UInt8(1 + exponent * 4 + quarters - 4)
    }

    /// Takes the model of bytes that occur so often; false if there are too many rare ones for the scale.
    mutating func adopt(counts: UnsafePointer<UInt32>) -> Bool {
        for byte in 0..<256 {
            codes[byte] = Self.code(counts[byte])
            if codes[byte] > 0 { greatest = byte }
        }
        return distribute()
    }

    /// Reads the codes: greatest byte, then six bits each.
    mutating func read(_ cursor: inout ByteCursor) throws(CodecError) {
        greatest = Int(try cursor.byte())
        let packed = try cursor.slice(((greatest + 1) * 6 + 7) / 8)
        var (buffer, bitCount, offset): (UInt32, UInt32, Int) = (0, 0, 0)
        for byte in 0...greatest {
            if bitCount < 6 {
                buffer |= UInt32(packed[offset]) << bitCount
                bitCount += 8
                offset += 1
            }
            codes[byte] = UInt8(buffer & 63)
            buffer >>= 6
            bitCount -= 6
        }
        guard buffer == 0, distribute() else { throw .malformed }
    }

    func write(into output: inout RawBuffer) {
        output.append(UInt8(greatest))
        var (buffer, bitCount): (UInt32, UInt32) = (0, 0)
        for byte in 0...greatest {
            buffer |= UInt32(codes[byte]) << bitCount
            bitCount += 6
            guard bitCount >= 8 else { continue }
            output.append(UInt8(truncatingIfNeeded: buffer))
            buffer >>= 8
            bitCount -= 8
        }
        if bitCount > 0 { output.append(UInt8(truncatingIfNeeded: buffer)) }
    }

    /// Frequencies in proportion to the weights, at least 1; the heaviest byte, the least of equals, takes what rounding leaves.
    private mutating func distribute() -> Bool {
        var (total, heaviest): (UInt64, Int) = (0, 0)
        for byte in 0...greatest {
            total += UInt64(Self.weight(codes[byte]))
            if Self.weight(codes[byte]) > Self.weight(codes[heaviest]) { heaviest = byte }
        }
        guard total > 0 else { return false }
        var rest = Self.scale
        for byte in 0...greatest {
            let weight = UInt64(Self.weight(codes[byte]))
            frequencies[byte] = weight == 0 ? 0 : UInt32(max(1, (weight << UInt64(Self.scaleBits)) / total))
            rest -= Int(frequencies[byte])
        }
        guard Int(frequencies[heaviest]) + rest > 0 else { return false }
        frequencies[heaviest] = UInt32(Int(frequencies[heaviest]) + rest)
        var start: UInt32 = 0
        for byte in 0...greatest {
            starts[byte] = start
            start += frequencies[byte]
        }
        return true
    }
}

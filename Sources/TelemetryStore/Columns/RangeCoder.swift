import TelemetryCodec

/// An order-0 entropy coder for bytes: range asymmetric numeral systems with two states that take turns.
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
        guard distribute() else { throw .malformed }
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

/// Writes coded bytes.
struct RangeEncoder: ~Copyable {
    /// More bytes are not coded: weights end at 32 768.
    static let maximumByteCount = 32_768

    private var model = ByteModel()
    private let counts = UnsafeMutablePointer<UInt32>.allocate(capacity: 256)
    /// Filled from its end.
    private var words = UnsafeMutablePointer<UInt16>.allocate(capacity: maximumByteCount)

    deinit {
        counts.deallocate()
        words.deallocate()
    }

    /// Appends the coded bytes; false if they cannot be coded. - Parameter bytes: 2...32 768.
    mutating func encode(_ bytes: UnsafeRawBufferPointer, into output: inout RawBuffer) -> Bool {
        counts.update(repeating: 0, count: 256)
        for byte in bytes { counts[Int(byte)] &+= 1 }
        guard model.adopt(counts: counts) else { return false }
        var next = Self.maximumByteCount
        var states = (ByteModel.leastState, ByteModel.leastState)
        var index = bytes.count - 1
        if index & 1 == 0 {
            push(bytes[index], &states.0, &next)
            index -= 1
        }
        while index > 0 {
            push(bytes[index], &states.1, &next)
            push(bytes[index - 1], &states.0, &next)
            index -= 2
        }
        model.write(into: &output)
        output.append(fixed: states.0)
        output.append(fixed: states.1)
        output.append(UnsafeRawBufferPointer(start: words + next, count: (Self.maximumByteCount - next) * 2))
        return true
    }

    @inline(__always) private func push(_ byte: UInt8, _ state: inout UInt32, _ next: inout Int) {
        let frequency = model.frequencies[Int(byte)]
        if UInt64(state) >= UInt64(frequency) << UInt64(32 - ByteModel.scaleBits) {
            next &-= 1
            words[next] = UInt16(truncatingIfNeeded: state).littleEndian
            state &>>= 16
        }
        let (quotient, remainder) = state.quotientAndRemainder(dividingBy: frequency)
        state = quotient &<< ByteModel.scaleBits &+ remainder &+ model.starts[Int(byte)]
    }
}

/// Reads coded bytes.
struct RangeDecoder: ~Copyable {
    private var model = ByteModel()
    /// For each of the 4 096 slots: byte, frequency - 1 (from bit 8), distance to the byte's first slot (from bit 20).
    private let slots = UnsafeMutablePointer<UInt32>.allocate(capacity: ByteModel.scale)

    deinit { slots.deallocate() }

    /// Fills `output` exactly, with all of `source`.
    mutating func decode(_ source: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) throws(CodecError) {
        var cursor = ByteCursor(source)
        try model.read(&cursor)
        fillSlots()
        var states = (try cursor.fixed(UInt32.self), try cursor.fixed(UInt32.self))
        var index = 0
        let end = source.count - 4
        while index + 2 <= output.count, cursor.offset <= end {
            output[index] = popUnchecked(&states.0, source, &cursor.offset)
            output[index + 1] = popUnchecked(&states.1, source, &cursor.offset)
            index += 2
        }
        while index < output.count {
            output[index] = index & 1 == 0 ? try pop(&states.0, &cursor) : try pop(&states.1, &cursor)
            index += 1
        }
        guard cursor.isAtEnd, states == (ByteModel.leastState, ByteModel.leastState) else { throw .malformed }
    }

    private func fillSlots() {
        for byte in 0...model.greatest where model.frequencies[byte] > 0 {
            let (start, frequency) = (Int(model.starts[byte]), model.frequencies[byte])
            let head = UInt32(byte) | (frequency - 1) << 8
            for slot in 0..<Int(frequency) { slots[start + slot] = head | UInt32(truncatingIfNeeded: slot) << 20 }
        }
    }

    @inline(__always) private func step(_ state: inout UInt32) -> UInt8 {
        let slot = slots[Int(state & UInt32(ByteModel.scale - 1))]
        state = ((slot &>> 8 & 0xFFF) &+ 1) &* (state &>> ByteModel.scaleBits) &+ (slot &>> 20)
        return UInt8(truncatingIfNeeded: slot)
    }

    /// There are two more bytes at `offset`.
    @inline(__always) private func popUnchecked(_ state: inout UInt32, _ source: UnsafeRawBufferPointer, _ offset: inout Int) -> UInt8 {
        let byte = step(&state)
        let word = UInt32(UInt16(littleEndian: source.baseAddress.unsafelyUnwrapped.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
        let isLow = state < ByteModel.leastState
        state = isLow ? state &<< 16 | word : state
        offset &+= isLow ? 2 : 0
        return byte
    }

    private func pop(_ state: inout UInt32, _ cursor: inout ByteCursor) throws(CodecError) -> UInt8 {
        let byte = step(&state)
        if state < ByteModel.leastState { state = state &<< 16 | UInt32(try cursor.fixed(UInt16.self)) }
        return byte
    }
}

import TelemetryCodec

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

    /// Appends the coded bytes; false if they cannot be coded or that would save nothing. - Parameter bytes: 2...32 768.
    mutating func encode(_ bytes: UnsafeRawBufferPointer, into output: inout RawBuffer) -> Bool {
        counts.update(repeating: 0, count: 256)
        for byte in bytes { counts[Int(byte)] &+= 1 }
        guard model.adopt(counts: counts), maySave(bytes.count) else { return false }
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

    /// False when the collision entropy, a lower bound of the entropy, is so high that the model takes more bytes than coding saves.
    private func maySave(_ byteCount: Int) -> Bool {
        var squares: UInt64 = 0
        for byte in 0..<256 { squares &+= UInt64(counts[byte]) * UInt64(counts[byte]) }
        let excess = Double(squares) * 256 / Double(byteCount * byteCount) - 1
        // log2(1 + x) <= 1.4427 x; six bits of the model and eight bytes of states.
        return excess * 1.4427 * Double(byteCount) / 8 > Double(model.greatest) * 0.75 + 8
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

import TelemetryCodec

extension RawBuffer {
    /// Appends `values` at `bitWidth` (1...64) bits each, least significant bit first, zero-padded to a whole byte.
    mutating func append<Value: FixedWidthInteger & UnsignedInteger>(packed values: UnsafeBufferPointer<Value>, bitWidth: Int) {
        var word: UInt64 = 0
        var filled = 0
        for value in values {
            let bits = UInt64(value)
            word |= bits &<< UInt64(filled)
            filled += bitWidth
            if filled >= 64 {
                append(fixed: word)
                filled -= 64
                // What did not fit; a shift by 64 (nothing left) gives 0 with Swift's smart shift.
                word = bits >> UInt64(bitWidth - filled)
            }
        }
        while filled > 0 {
            append(UInt8(truncatingIfNeeded: word))
            word >>= 8
            filled -= 8
        }
    }

    /// The written bytes, copied.
    var copy: [UInt8] { withBytes { Array($0) } }
}

/// Bits needed to write `value`; 0 for 0.
func bitWidth(of value: UInt64) -> Int { 64 - value.leadingZeroBitCount }

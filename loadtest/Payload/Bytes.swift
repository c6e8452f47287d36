/// Building packets and payloads byte by byte, without `String` on the hot path.
extension [UInt8] {
    mutating func append(text: StaticString) {
        append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(bigEndian value: UInt16) {
        append(UInt8(truncatingIfNeeded: value >> 8))
        append(UInt8(truncatingIfNeeded: value))
    }

    /// Decimal digits, padded with zeros to `width`.
    mutating func append(decimal value: Int64, width: Int = 1) {
        if value < 0 { append(UInt8(ascii: "-")) }
        var rest = value.magnitude
        var digitCount = 1
        var power: UInt64 = 10
        while digitCount < 19, rest >= power {
            digitCount += 1
            power = digitCount < 19 ? power * 10 : power
        }
        for _ in 0..<Swift.max(0, width - digitCount) { append(UInt8(ascii: "0")) }
        let end = count + digitCount
        for _ in 0..<digitCount { append(0) }
        for index in 1...digitCount {
            self[end - index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }

    /// Hundredths as a decimal number with two digits behind the point: 2153 is `21.53`.
    mutating func append(hundredths value: Int64) {
        if value < 0 { append(UInt8(ascii: "-")) }
        append(decimal: Int64(value.magnitude / 100))
        append(UInt8(ascii: "."))
        append(decimal: Int64(value.magnitude % 100), width: 2)
    }
}

extension [UInt8] {
    /// Tenths as a decimal number with one digit behind the point: 215 is `21.5`.
    mutating func append(tenths value: Int64) {
        if value < 0 { append(UInt8(ascii: "-")) }
        append(decimal: Int64(value.magnitude / 10))
        append(UInt8(ascii: "."))
        append(decimal: Int64(value.magnitude % 10))
    }

    /// A whole number of units of 10^-digits as a decimal number: 2153 with 2 digits is `21.53`, with none `2153`.
    mutating func append(decimal value: Int64, fractionDigits digits: Int) {
        guard digits > 0 else { return append(decimal: value) }
        var unit: UInt64 = 1
        for _ in 0..<digits { unit *= 10 }
        if value < 0 { append(UInt8(ascii: "-")) }
        append(decimal: Int64(value.magnitude / unit))
        append(UInt8(ascii: "."))
        append(decimal: Int64(value.magnitude % unit), width: digits)
    }
}

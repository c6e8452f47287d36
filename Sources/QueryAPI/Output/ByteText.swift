import Telemetry

/// Texts of numbers, times and bytes, appended to a caller's buffer without a `String` in between.
extension [UInt8] {
    package mutating func append(text: String) { append(contentsOf: text.utf8) }

    package mutating func append(ascii character: Unicode.Scalar) { append(UInt8(ascii: character)) }

    package mutating func append(decimal value: Int64) {
        if value < 0 { append(ascii: "-") }
        append(digits: value.magnitude, minimumCount: 1)
    }

    /// `value` in at least `minimumCount` digits, zeros in front.
    mutating func append(digits value: UInt64, minimumCount: Int) {
        // 2^64 has 20 digits.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var (start, rest) = (digits.count, value)
            while rest >= 100 {
                let (next, pair) = rest.quotientAndRemainder(dividingBy: 100)
                (start, rest) = (start - 2, next)
                (digits[start], digits[start + 1]) = DigitPairs.digits(Int(truncatingIfNeeded: pair))
            }
            start -= 1
            digits[start] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
            if rest >= 10 {
                start -= 1
                digits[start] = 0x30 + UInt8(truncatingIfNeeded: rest / 10)
            }
            for _ in (digits.count - start)..<Swift.max(minimumCount, digits.count - start) { append(0x30) }
            append(contentsOf: UnsafeBufferPointer(rebasing: digits[start...]))
        }
    }

    /// The shortest text that reads back as the same double; integral values keep their `.0`. `value` is finite.
    package mutating func append(double value: Double) {
        if appendDecimal(value) { return }
        append(contentsOf: value.description.utf8)
    }

    /// The same for what sensors mostly send, a few digits and at most four of them behind the point, in a quarter of the time.
    ///
    /// The text is the right one: a decimal of at most 15 digits is the only one of its length that reads as its double, and a quotient of
    /// two integers that doubles hold exactly is rounded as reading its text would be. False: nothing was appended.
    private mutating func appendDecimal(_ value: Double) -> Bool {
        let magnitude = value.magnitude
        guard magnitude >= 0.001, magnitude < 1e9 else { return false }
        var (scale, fractionDigitCount) = (1.0, 0)
        while fractionDigitCount <= 4 {
            let scaled = (magnitude * scale).rounded()
            guard scaled / scale != magnitude else {
                if value < 0 { append(ascii: "-") }
                append(integral: UInt64(scaled), over: UInt64(scale), fractionDigitCount: fractionDigitCount)
                return true
            }
            scale *= 10
            fractionDigitCount += 1
        }
        return false
    }

    /// A quotient by a power of ten, with one digit behind the point at least.
    private mutating func append(integral: UInt64, over scale: UInt64, fractionDigitCount: Int) {
        let (whole, fraction) = integral.quotientAndRemainder(dividingBy: scale)
        append(digits: whole, minimumCount: 1)
        append(ascii: ".")
        append(digits: fraction, minimumCount: fractionDigitCount)
    }

    /// A time in `format`; RFC 3339 comes without quotes.
    package mutating func append(time: Timestamp, as format: TimeFormat) {
        switch format {
        case .milliseconds: append(microseconds: time.microseconds, per: 1_000, fractionDigitCount: 3)
        case .seconds: append(microseconds: time.microseconds, per: 1_000_000, fractionDigitCount: 6)
        case .microseconds: append(decimal: time.microseconds)
        case .nanoseconds:
            append(decimal: time.microseconds)
            if time.microseconds != 0 { append(text: "000") }
        case .rfc3339: append(text: time.rfc3339)
        }
    }

    /// `microseconds / unit` exactly: a fraction only where there is one, without trailing zeros.
    private mutating func append(microseconds: Int64, per unit: UInt64, fractionDigitCount: Int) {
        if microseconds < 0 { append(ascii: "-") }
        let (whole, fraction) = microseconds.magnitude.quotientAndRemainder(dividingBy: unit)
        append(digits: whole, minimumCount: 1)
        guard fraction != 0 else { return }
        append(ascii: ".")
        append(digits: fraction, minimumCount: fractionDigitCount)
        while last == 0x30 { removeLast() }
    }

    /// Base64 (RFC 4648 §4, padded; or §5, URL-safe and unpadded).
    package mutating func append<Bytes: Collection<UInt8>>(base64 bytes: Bytes, urlSafe: Bool = false) {
        let alphabet = urlSafe ? Base64.urlAlphabet : Base64.alphabet
        var index = bytes.startIndex
        while index != bytes.endIndex {
            var group: UInt32 = 0
            var count = 0
            while count < 3, index != bytes.endIndex {
                group |= UInt32(bytes[index]) << (16 - 8 * UInt32(count))
                bytes.formIndex(after: &index)
                count += 1
            }
            for position in 0...count { append(alphabet[Int(group >> (18 - 6 * UInt32(position)) & 63)]) }
            if !urlSafe { for _ in count..<3 { append(ascii: "=") } }
        }
    }
}

package enum Base64 {
    fileprivate static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    fileprivate static let urlAlphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// The bytes of an unpadded URL-safe text; nil for anything this module would not have written.
    package static func decode(urlSafe text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var bitCount = 0
        for character in text.utf8 {
            guard let value = urlAlphabet.firstIndex(of: character) else { return nil }
            bits = bits << 6 | UInt32(value)
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
                bits &= (1 << UInt32(bitCount)) - 1
            }
        }
        return bitCount < 6 && bits == 0 ? bytes : nil
    }
}

/// The numbers below 100 in two digits each, so that a long number takes half the divisions.
private enum DigitPairs {
    private static let text: StaticString = """
        0001020304050607080910111213141516171819\
        2021222324252627282930313233343536373839\
        4041424344454647484950515253545556575859\
        6061626364656667686970717273747576777879\
        8081828384858687888990919293949596979899
        """

    /// - Parameter number: below 100.
    @inline(__always)
    static func digits(_ number: Int) -> (UInt8, UInt8) {
        let pair = text.utf8Start + 2 * number
        return (pair[0], pair[1])
    }
}

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Decimal numbers in text: `-12`, `+1.5`, `.5`, `2e-3`. No hexadecimal, no `nan`, no blanks.
enum NumberText {
    enum Number: Equatable {
        case integer(Int64)
        case double(Double)
        /// A number, but beyond 64 bits or the doubles, or of more than `byteLimit` bytes.
        case tooBig
    }

    /// Longer texts of digits are no numbers that a device measured.
    static let byteLimit = 512

    /// Nil: not a number.
    static func read(_ text: UnsafeRawBufferPointer) -> Number? {
        guard let parts = Parts(text) else { return nil }
        guard text.count <= byteLimit else { return .tooBig }
        guard parts.isInteger else { return double(text, parts) }
        return integer(text).map { .integer($0) } ?? .tooBig
    }

    /// Digits with or without a sign; nil: anything else, or beyond 64 bits.
    static func integer(_ text: UnsafeRawBufferPointer) -> Int64? {
        guard let first = text.first else { return nil }
        let isNegative = first == UInt8(ascii: "-")
        var position = isNegative || first == UInt8(ascii: "+") ? 1 : 0
        guard position < text.count else { return nil }
        var value: Int64 = 0
        while position < text.count {
            let digit = text[position] &- 0x30
            guard digit < 10 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, sumOverflow) = product.addingReportingOverflow(isNegative ? -Int64(digit) : Int64(digit))
            guard !overflow, !sumOverflow else { return nil }
            value = sum
            position += 1
        }
        return value
    }

    /// Any number as a double; nil: not a number, or `tooBig`.
    static func double(_ text: UnsafeRawBufferPointer) -> Double? {
        guard text.count <= byteLimit, let parts = Parts(text), case .double(let value) = double(text, parts) else { return nil }
        return value
    }

    private static func double(_ text: UnsafeRawBufferPointer, _ parts: Parts) -> Number {
        let value = parts.exactValue ?? slowValue(text)
        return value.isFinite ? .double(value) : .tooBig
    }

    /// Correctly rounded by the C library. The program never calls `setlocale`: the point is a point.
    private static func slowValue(_ text: UnsafeRawBufferPointer) -> Double {
        withUnsafeTemporaryAllocation(byteCount: text.count + 1, alignment: 1) { terminated in
            terminated.copyMemory(from: text)
            terminated[text.count] = 0
            guard let start = terminated.baseAddress else { return .nan }
            return strtod(start.assumingMemoryBound(to: CChar.self), nil)
        }
    }

    /// The shape of a number, and its digits as far as 64 bits hold them.
    private struct Parts {
        var isNegative = false
        var isInteger = true
        private var mantissa: UInt64 = 0
        private var mantissaDigits = 0
        private var exponent = 0

        init?(_ text: UnsafeRawBufferPointer) {
            guard let first = text.first else { return nil }
            isNegative = first == UInt8(ascii: "-")
            var position = isNegative || first == UInt8(ascii: "+") ? 1 : 0
            let whole = digits(text, &position)
            var fraction = 0
            if position < text.count, text[position] == UInt8(ascii: ".") {
                position += 1
                isInteger = false
                fraction = digits(text, &position)
                exponent = -fraction
            }
            guard whole + fraction > 0 else { return nil }
            if position < text.count, text[position] | 0x20 == UInt8(ascii: "e") {
                position += 1
                isInteger = false
                guard let written = Self.exponent(text, &position) else { return nil }
                exponent += written
            }
            guard position == text.count else { return nil }
        }

        private mutating func digits(_ text: UnsafeRawBufferPointer, _ position: inout Int) -> Int {
            let start = position
            while position < text.count, text[position] &- 0x30 < 10 {
                if mantissaDigits > 0 || text[position] != 0x30 { mantissaDigits += 1 }
                mantissa = mantissa &* 10 &+ UInt64(text[position] &- 0x30)
                position += 1
            }
            return position - start
        }

        /// Held to ±100 000: beyond what a double can be, whatever its digits.
        private static func exponent(_ text: UnsafeRawBufferPointer, _ position: inout Int) -> Int? {
            var isNegative = false
            if position < text.count, text[position] == UInt8(ascii: "-") || text[position] == UInt8(ascii: "+") {
                isNegative = text[position] == UInt8(ascii: "-")
                position += 1
            }
            let start = position
            var value = 0
            while position < text.count, text[position] &- 0x30 < 10 {
                value = min(value * 10 + Int(text[position] &- 0x30), 100_000)
                position += 1
            }
            return position > start ? (isNegative ? -value : value) : nil
        }

        /// When digits and power of ten are doubles themselves, one operation rounds once. Source: Clinger, "How to read floating point
        /// numbers accurately", 1990.
        var exactValue: Double? {
            guard mantissaDigits <= 15, exponent.magnitude <= 22 else { return nil }
            let digits = Double(mantissa)
            let value = exponent < 0 ? digits / Self.powers[-exponent] : digits * Self.powers[exponent]
            return isNegative ? -value : value
        }

        private static let powers: [Double] = [
            1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
            1e22,
        ]
    }
}

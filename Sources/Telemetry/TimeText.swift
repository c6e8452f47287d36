/// Times and spans as people and devices write them.
extension Timestamp {
    /// A bare number: its unit is told by its magnitude (product.md, semantics 1).
    ///
    /// Seconds below 1e11 (year 5138), milliseconds below 1e14, microseconds below 1e17, nanoseconds above.
    package init(epoch value: Int64) {
        switch value.magnitude {
        case ..<100_000_000_000: self.init(microseconds: value * 1_000_000)
        case ..<100_000_000_000_000: self.init(microseconds: value * 1_000)
        case ..<100_000_000_000_000_000: self.init(microseconds: value)
        default: self.init(microseconds: value / 1_000)
        }
    }

    /// A bare number with a fraction; nil when it is not finite.
    package init?(epoch value: Double) {
        guard value.isFinite, value.magnitude < 9.2e18 else { return nil }
        let scale: Double =
            switch value.magnitude {
            case ..<1e11: 1e6
            case ..<1e14: 1e3
            case ..<1e17: 1
            default: 1e-3
            }
        self.init(microseconds: Int64((value * scale).rounded()))
    }

    /// RFC 3339 with a zone: `2025-11-24T16:00:00.123456Z`, `…+02:00`; a space for the `T` is accepted. Nil for anything else,
    /// text without a zone included. Digits beyond microseconds are cut.
    package init?(rfc3339 text: UnsafeRawBufferPointer) {
        var scanner = DigitScanner(text)
        guard let year = scanner.number(4), scanner.skip("-"), let month = scanner.number(2), scanner.skip("-"),
            let day = scanner.number(2), scanner.skip("T") || scanner.skip("t") || scanner.skip(" "),
            let hour = scanner.number(2), scanner.skip(":"), let minute = scanner.number(2), scanner.skip(":"),
            let second = scanner.number(2)
        else { return nil }
        guard (1...12).contains(month), day >= 1, day <= CivilDate.dayCount(year: year, month: month), hour < 24, minute < 60,
            second <= 60
        else { return nil }
        var fraction = 0
        if scanner.skip(".") {
            guard let micros = scanner.fraction() else { return nil }
            fraction = micros
        }
        var offsetMinutes = 0
        if !(scanner.skip("Z") || scanner.skip("z")) {
            let isNegative = scanner.skip("-")
            guard isNegative || scanner.skip("+"), let zoneHour = scanner.number(2), scanner.skip(":"),
                let zoneMinute = scanner.number(2), zoneHour < 24, zoneMinute < 60
            else { return nil }
            offsetMinutes = (zoneHour * 60 + zoneMinute) * (isNegative ? -1 : 1)
        }
        guard scanner.isAtEnd else { return nil }
        let days = CivilDate.daysSinceEpoch(year: year, month: month, day: day)
        let seconds = days * 86_400 + hour * 3_600 + (minute - offsetMinutes) * 60 + second
        self.init(microseconds: Int64(seconds) * 1_000_000 + Int64(fraction))
    }

    package init?(rfc3339 text: String) {
        var text = text
        guard let time = text.withUTF8({ Timestamp(rfc3339: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = time
    }

    /// `2025-11-24T16:00:00Z`, with as many fraction digits (0, 3 or 6) as the time needs.
    package var rfc3339: String {
        let date = CivilDate(self)
        let second = microseconds.floorDivided(by: 1_000_000)
        let fraction = Int(microseconds - second * 1_000_000)
        var text = "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))T"
        text += "\(padded(date.hour, 2)):\(padded(date.minute, 2)):\(padded(date.second, 2))"
        if fraction != 0 { text += fraction % 1_000 == 0 ? "." + padded(fraction / 1_000, 3) : "." + padded(fraction, 6) }
        return text + "Z"
    }
}

extension TimeSpan {
    /// `500ms`, `30s`, `5m`, `1h`, `7d`, `1w`, or several in a row: `1h30m`. Nil for anything else, negative and empty included.
    package init?(text: String) {
        let units: [(String, Int64)] = [
            ("ms", 1_000), ("us", 1), ("s", 1_000_000), ("m", 60_000_000), ("h", 3_600_000_000), ("d", 86_400_000_000),
            ("w", 604_800_000_000),
        ]
        var rest = Substring(text)
        var total: Int64 = 0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard let count = Int64(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            let letters = rest.prefix { $0.isASCII && $0.isLetter }
            guard let unit = units.first(where: { $0.0 == letters }) else { return nil }
            rest = rest.dropFirst(letters.count)
            let (product, overflow) = count.multipliedReportingOverflow(by: unit.1)
            let (sum, sumOverflow) = total.addingReportingOverflow(product)
            guard !overflow, !sumOverflow else { return nil }
            total = sum
        }
        self.init(microseconds: total)
    }

    /// The shortest exact text: `30d`, `90s`, `1500ms`.
    package var text: String {
        for (unit, length) in [("d", Int64(86_400_000_000)), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000)]
        where microseconds != 0 && microseconds % length == 0 {
            return "\(microseconds / length)\(unit)"
        }
        return "\(microseconds)us"
    }
}

/// Year, month, day and time of day, UTC, proleptic Gregorian.
package struct CivilDate: Sendable, Equatable {
    package var year, month, day, hour, minute, second: Int

    /// Source: Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days.
    package init(_ time: Timestamp) {
        let seconds = Int(time.microseconds.floorDivided(by: 1_000_000))
        let days = seconds.floorDivided(by: 86_400)
        let secondOfDay = seconds - days * 86_400
        let shifted = days + 719_468
        let era = shifted.floorDivided(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthPart = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthPart + 2) / 5 + 1
        month = monthPart < 10 ? monthPart + 3 : monthPart - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        (hour, minute, second) = (secondOfDay / 3_600, secondOfDay / 60 % 60, secondOfDay % 60)
    }

    /// Source: as above, days_from_civil.
    package static func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = year.floorDivided(by: 400)
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    package static func dayCount(year: Int, month: Int) -> Int {
        if month == 2 { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28 }
        return [4, 6, 9, 11].contains(month) ? 30 : 31
    }
}

extension BinaryInteger {
    /// Division that rounds towards negative infinity: times before 1970 fall into the window that holds them.
    @inlinable public func floorDivided(by divisor: Self) -> Self {
        let quotient = self / divisor
        return (self % divisor != 0) && ((self < 0) != (divisor < 0)) ? quotient - 1 : quotient
    }
}

package func padded(_ value: Int, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

private struct DigitScanner {
    private let text: UnsafeRawBufferPointer
    private var position = 0

    init(_ text: UnsafeRawBufferPointer) { self.text = text }

    var isAtEnd: Bool { position == text.count }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard position < text.count, text[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// Exactly `width` digits.
    mutating func number(_ width: Int) -> Int? {
        guard position + width <= text.count else { return nil }
        var value = 0
        for _ in 0..<width {
            guard let digit = digit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    /// One or more digits of a second's fraction, as microseconds.
    mutating func fraction() -> Int? {
        var (micros, count) = (0, 0)
        while let digit = digit() {
            if count < 6 { micros = micros * 10 + digit }
            count += 1
        }
        for _ in min(count, 6)..<6 { micros *= 10 }
        return count > 0 ? micros : nil
    }

    private mutating func digit() -> Int? {
        guard position < text.count else { return nil }
        let value = Int(text[position]) - 48
        guard (0...9).contains(value) else { return nil }
        position += 1
        return value
    }
}

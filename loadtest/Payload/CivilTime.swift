/// Dates as text, in UTC, without Foundation: a message may carry one.
extension [UInt8] {
    /// `2026-03-02T18:25:03`, of µs since the epoch; with `milliseconds` also `.123Z`.
    mutating func append(dateTime time: Int64, milliseconds: Bool) {
        let seconds = time.flooredDivision(by: 1_000_000)
        let day = seconds.flooredDivision(by: 86_400)
        let (year, month, dayOfMonth) = Self.civilDate(day: day)
        let second = seconds - day * 86_400
        append(decimal: year, width: 4)
        append(UInt8(ascii: "-"))
        append(decimal: month, width: 2)
        append(UInt8(ascii: "-"))
        append(decimal: dayOfMonth, width: 2)
        append(UInt8(ascii: "T"))
        append(decimal: second / 3_600, width: 2)
        append(UInt8(ascii: ":"))
        append(decimal: second / 60 % 60, width: 2)
        append(UInt8(ascii: ":"))
        append(decimal: second % 60, width: 2)
        guard milliseconds else { return }
        append(UInt8(ascii: "."))
        append(decimal: (time - seconds * 1_000_000) / 1_000, width: 3)
        append(UInt8(ascii: "Z"))
    }

    /// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
    private static func civilDate(day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = day + 719_468
        let era = shifted.flooredDivision(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}

extension Int64 {
    /// - Parameter divisor: above 0.
    func flooredDivision(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

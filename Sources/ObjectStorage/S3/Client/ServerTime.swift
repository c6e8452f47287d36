import Glibc

/// Times as servers write them.
enum ServerTime {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    /// A day is longer than every budget.
    private static let longestPauseSeconds = 86_400

    /// Seconds since the epoch, of `Sun, 22 Nov 2026 07:11:58 GMT` or `2026-11-22T07:11:58.123Z`; nil for anything else.
    static func seconds(_ text: String) -> Int? {
        guard text.utf8.count < 40 else { return nil }
        if text.hasSuffix(" GMT") {
            let words = text.split { $0 == " " || $0 == ":" }
            guard words.count == 8, let month = months.firstIndex(of: String(words[2])) else { return nil }
            return seconds(year: words[3], month: month, day: words[1], words[4], words[5], words[6])
        }
        let words = text.split { "-T:.Z".contains($0) }
        guard text.hasSuffix("Z"), words.count >= 6, let month = Int32(words[1]) else { return nil }
        return seconds(year: words[0], month: Int(month) - 1, day: words[2], words[3], words[4], words[5])
    }

    /// `Retry-After`: seconds, or a date.
    static func pause(_ text: String, now: Int) -> Duration? {
        guard let seconds = Int(text) ?? seconds(text)?.subtractingReportingOverflow(now).partialValue else { return nil }
        return .seconds(max(0, min(seconds, longestPauseSeconds)))
    }

    private static func seconds(
        year: Substring, month: Int, day: Substring, _ hour: Substring, _ minute: Substring, _ second: Substring
    ) -> Int? {
        guard
            let year = Int32(year), let day = Int32(day), let hour = Int32(hour), let minute = Int32(minute), let second = Int32(second),
            (1_970...9_999).contains(year), (0...11).contains(month), (1...31).contains(day), (0...23).contains(hour),
            (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        var parts = tm()
        parts.tm_year = year - 1_900
        parts.tm_mon = Int32(month)
        parts.tm_mday = day
        parts.tm_hour = hour
        parts.tm_min = minute
        parts.tm_sec = second
        return timegm(&parts)
    }
}

import Foundation

/// Times, lengths and sizes as people read them.
enum PeopleText {
    /// `2025-11-24 16:00:00.25` in the local zone, from µs since the epoch.
    static func time(_ microseconds: Int64) -> String {
        let date = civil(microseconds)
        return String(
            format: "%04d-%02d-%02d %02d:%02d:%02d", Int(date.tm_year) + 1900, Int(date.tm_mon) + 1, Int(date.tm_mday), Int(date.tm_hour),
            Int(date.tm_min), Int(date.tm_sec)) + fraction(microseconds)
    }

    /// Of a day: `16:00:00`; with the date when asked.
    static func axisTime(_ microseconds: Int64, hasDate: Bool) -> String {
        let text = time(microseconds)
        return hasDate ? String(text.dropFirst(5).prefix(11)) : String(text.dropFirst(11).prefix(8))
    }

    /// The zone of `time` now, `CET`.
    static var zone: String {
        let date = civil(Int64(Date().timeIntervalSince1970 * 1e6))
        return date.tm_zone.map { String(cString: $0) } ?? "local"
    }

    private static func civil(_ microseconds: Int64) -> tm {
        var seconds = time_t(microseconds / 1_000_000 - (microseconds % 1_000_000 < 0 ? 1 : 0))
        var date = tm()
        localtime_r(&seconds, &date)
        return date
    }

    private static func fraction(_ microseconds: Int64) -> String {
        let rest = (microseconds % 1_000_000 + 1_000_000) % 1_000_000
        guard rest > 0 else { return "" }
        var digits = String(format: "%06d", Int(rest))
        while digits.hasSuffix("0") { digits.removeLast() }
        return "." + digits
    }

    /// `12 s ago`, `in 3 min`, from µs.
    static func age(_ microseconds: Int64) -> String {
        microseconds < 0 ? "in " + length(microseconds: microseconds.magnitude) : length(microseconds: microseconds.magnitude) + " ago"
    }

    /// `12 s`, `3 min`, `5 h`: rounded down.
    static func length(microseconds: UInt64) -> String {
        let seconds = microseconds / 1_000_000
        return switch seconds {
        case 0..<120: "\(seconds) s"
        case ..<7_200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3_600) h"
        default: "\(seconds / 86_400) d"
        }
    }

    /// `30 d`, `1 h`, `90 s`: exact, from seconds.
    static func span(seconds: Int64) -> String {
        for (unit, length) in [("d", Int64(86_400)), ("h", 3_600), ("min", 60)] where seconds > 0 && seconds % length == 0 {
            return "\(seconds / length) \(unit)"
        }
        return "\(seconds) s"
    }

    /// `12.3 MB`.
    static func size(_ bytes: Int64) -> String {
        var (value, unit) = (Double(bytes), "B")
        for next in ["kB", "MB", "GB", "TB"] where value >= 1_000 { (value, unit) = (value / 1_000, next) }
        return unit == "B" ? "\(bytes) B" : String(format: "%.1f %@", value, unit)
    }
}

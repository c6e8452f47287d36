import Glibc

/// A moment in UTC, in the two forms that a signature names it by.
struct SigningTime {
    /// `20150830T123600Z`
    let timestamp: String
    /// `20150830`
    var date: String { String(timestamp.prefix(8)) }

    /// - Parameter seconds: since the epoch.
    init(seconds: Int) {
        var seconds = time_t(seconds)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func digits(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        timestamp =
            "\(parts.tm_year + 1_900)\(digits(parts.tm_mon + 1))\(digits(parts.tm_mday))"
            + "T\(digits(parts.tm_hour))\(digits(parts.tm_min))\(digits(parts.tm_sec))Z"
    }
}

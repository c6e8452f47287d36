/// How times are written: `time=ms|s|us|ns|rfc3339`.
package enum TimeFormat: String, CaseIterable, Sendable {
    case milliseconds = "ms"
    case seconds = "s"
    case microseconds = "us"
    case nanoseconds = "ns"
    case rfc3339 = "rfc3339"

    /// The type of a time column.
    var columnType: String { "timestamp_" + rawValue }
}

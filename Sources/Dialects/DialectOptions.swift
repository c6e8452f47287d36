import Telemetry

/// How a subscription's payloads are to be read, besides where their device comes from.
package struct DialectOptions: Sendable, Equatable {
    /// Unit of a bare number that stands for a time.
    package enum TimeUnit: String, Sendable, CaseIterable {
        /// Told by its magnitude (product.md, semantics 1).
        case auto
        case seconds = "s"
        case milliseconds = "ms"
        case microseconds = "us"
        case nanoseconds = "ns"
        case minutes = "m"
        case hours = "h"
    }

    /// What becomes of a line's tags other than the device's.
    package enum TagPolicy: String, Sendable, CaseIterable {
        /// They belong to the series: the device is `boiler,floor=2`. Two series never overwrite each other.
        case device
        /// String fields of the reading.
        case fields
    }

    /// What becomes of a line's measurement.
    package enum MeasurementPolicy: String, Sendable, CaseIterable {
        /// Fields are named `measurement.field`.
        case prefix
        case drop
    }

    package var format = PayloadFormat.json
    /// Dotted name of the key or column that holds the time; nil: the format's own.
    package var timeKey: String?
    package var timeUnit = TimeUnit.auto
    /// Zone of times written without one, seconds east of UTC; nil: they are rejected.
    package var zoneOffset: Int?
    /// Patterns of field names, `*` for any run of characters. Empty: every field.
    package var include: [String] = []
    /// Patterns of field names to leave out; wins over `include`.
    package var exclude: [String] = []
    /// The tag or column that names the device, where the topic does not.
    package var deviceTag = "device"
    package var tags = TagPolicy.device
    package var measurement = MeasurementPolicy.prefix
    /// Names of the columns of CSV without a heading line; empty: the first line is the heading.
    package var columns: [String] = []

    package init(format: PayloadFormat = .json) { self.format = format }
}

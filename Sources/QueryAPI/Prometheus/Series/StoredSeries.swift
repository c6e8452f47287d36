import Telemetry
import TelemetryStore

/// A field of a device whose newest value is a number or a boolean.
struct StoredSeries: Sendable {
    let table: Table
    let device: String
    let field: String
    let labels: SeriesLabels
    let isBoolean: Bool
    /// The newest sample.
    let newest: (time: Timestamp, value: Double)
}

extension Cell {
    /// Nil for text, binaries and nothing.
    var sample: Double? {
        switch type {
        case .integer: Double(integer)
        case .double: double
        case .boolean: boolean ? 1 : 0
        case nil, .string, .binary: nil
        }
    }
}

import Telemetry

/// Of the program. Changes with every release.
package enum Version {
    package static let number = "0.1.0"
    /// Stands in the objects' `created_by`, with the number.
    package static let build = "release"
    /// No clock of a machine that runs this can be right and earlier.
    package static let released = Timestamp(microseconds: 1_761_955_200_000_000)  // 2025-11-01T00:00:00Z
}

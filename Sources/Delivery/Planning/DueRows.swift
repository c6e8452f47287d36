import Telemetry
import TelemetryStore

/// Rows of a partition that a task should deliver now.
struct DueRows: Equatable {
    var partition: PartitionID
    var line: DeliveryLine
    /// Rows in memory are wanted, too.
    var needsFlush = false
}

/// How far a task is behind.
struct DeliveryLag {
    /// For how long the oldest rows have been due; zero when none are.
    var lag = TimeSpan.zero
    /// See `DeliveryStatus.syncPoint`.
    var syncPoint: Timestamp?
}

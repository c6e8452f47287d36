import Telemetry
import TelemetryStore

/// What ingest needs of the store.
package struct CommitPath: Sendable {
    package var assignMissingTimes: @Sendable (inout ReadingBatch) -> Void
    /// Blocks until the batch is on disk.
    package var commit: @Sendable (inout ReadingBatch, CommitNote?) throws(StoreError) -> CommitReceipt
    /// The newest durable note of a source.
    package var note: @Sendable (String) -> [UInt8]?
    /// Nil: there is no such table.
    package var tableNumber: @Sendable (String) -> TableNumber?

    package init(
        assignMissingTimes: @escaping @Sendable (inout ReadingBatch) -> Void,
        commit: @escaping @Sendable (inout ReadingBatch, CommitNote?) throws(StoreError) -> CommitReceipt,
        note: @escaping @Sendable (String) -> [UInt8]?, tableNumber: @escaping @Sendable (String) -> TableNumber?
    ) {
        self.assignMissingTimes = assignMissingTimes
        self.commit = commit
        self.note = note
        self.tableNumber = tableNumber
    }
}

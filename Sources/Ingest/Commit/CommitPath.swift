import Telemetry
import TelemetryStore

/// What ingest needs of the store.
package struct CommitPath: Sendable {
    /// Blocks while the store has no memory to take a batch.
    package var awaitMemory: @Sendable () throws(StoreError) -> Void = {}
    package var assignMissingTimes: @Sendable (inout ReadingBatch) -> Void
    /// Blocks until the batch is on disk.
    package var commit: @Sendable (inout ReadingBatch, [CommitNote]) throws(StoreError) -> CommitReceipt
    /// The newest durable note of a source.
    package var note: @Sendable (String) -> [UInt8]?
    /// The sources of all notes that begin so.
    package var noteSources: @Sendable (_ prefix: String) -> [String]
    package var tables: [(name: String, number: TableNumber)]
    package var clock: any WallClock
    /// What a device was last told to be, `online` or `offline`, in a field of its own (`ReservedField.state`); nil: nothing that is known.
    package var state: @Sendable (TableNumber, _ device: String) -> FieldValue? = { _, _ in nil }
    /// What a table takes, to be told to whom it refuses.
    package var limits: @Sendable (TableNumber) -> TableLimits = { _ in TableLimits() }

    package init(
        assignMissingTimes: @escaping @Sendable (inout ReadingBatch) -> Void,
        commit: @escaping @Sendable (inout ReadingBatch, [CommitNote]) throws(StoreError) -> CommitReceipt,
        note: @escaping @Sendable (String) -> [UInt8]?, noteSources: @escaping @Sendable (String) -> [String],
        tables: [(name: String, number: TableNumber)], clock: any WallClock = SystemClock()
    ) {
        self.assignMissingTimes = assignMissingTimes
        self.commit = commit
        self.note = note
        self.noteSources = noteSources
        self.tables = tables
        self.clock = clock
    }
}

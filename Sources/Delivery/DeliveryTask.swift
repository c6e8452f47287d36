import Logging
import ObjectStorage
import Synchronization
import Telemetry
import TelemetryStore

/// Delivers the sealed partitions of one table that are older than `age` as Parquet objects: mode `aged`.
///
/// A thread calls `runOnce` about once a second; it blocks. A destination that fails stops nothing but this task, which tries again after a
/// pause. `status` and `objects` answer from any thread at once.
package final class DeliveryTask: Sendable {
    package let options: DeliveryOptions
    private let runner: Mutex<DeliveryRunner>
    private let board: DeliveryBoard

    /// Reads the ledger; if that fails, `status` says so and the next runs try again.
    /// - Parameter ledgerPath: file of this task's ledger; missing parents are created.
    package init(
        options: DeliveryOptions, table: Table, destination: any ObjectDestination, ledgerPath: String,
        fileSystem: any FileSystem = RealFileSystem(), clock: any WallClock = SystemClock(), logger: Logger
    ) {
        let board = DeliveryBoard()
        self.options = options
        self.board = board
        runner = Mutex(
            DeliveryRunner(
                options: options, table: table, destination: destination, ledgerPath: ledgerPath, fileSystem: fileSystem,
                clock: clock, logger: logger, board: board))
        runner.withLock { $0.openLedgerIfPossible() }
    }

    /// Delivers everything that is due.
    @discardableResult
    package func runOnce() -> DeliveryReport { runner.withLock { $0.run() } }

    /// Makes a `runOnce` in another thread return soon; what it was writing is begun anew at the next start.
    package func requestStop() { board.requestStop() }

    package var status: DeliveryStatus { board.status }

    /// The objects of a partition, in order of sequence.
    package func objects(of partition: PartitionID) -> [DeliveredObject] { board.objects(of: partition) }
}

import Logging
import ObjectStorage
import Synchronization
import Telemetry
import TelemetryStore

/// Delivers the rows of one table as Parquet objects, each row once: see `DeliveryMode`.
///
/// A thread calls `runOnce` about once a second; it blocks. A destination that fails stops nothing but this task, which tries again after a
/// pause. `status` and `objects` answer from any thread at once.
package final class DeliveryTask: Sendable {
    package let options: DeliveryOptions
    package let destination: any ObjectDestination
    private let runner: Mutex<DeliveryRunner>
    private let board: DeliveryBoard
    private let stop: StopFlag

    /// Reads the ledger; if that fails, `status` says so and the next runs try again.
    /// - Parameter ledgerPath: file of this task's ledger; missing parents are created.
    package init(
        options: DeliveryOptions, table: Table, destination: any ObjectDestination, ledgerPath: String,
        fileSystem: any FileSystem = RealFileSystem(), clock: any WallClock = SystemClock(), stop: StopFlag = StopFlag(),
        logger: Logger
    ) {
        let board = DeliveryBoard()
        self.options = options
        self.destination = destination
        self.board = board
        self.stop = stop
        runner = Mutex(
            DeliveryRunner(
                options: options, table: table, destination: destination,
                files: LedgerFile(path: ledgerPath, task: options.name, fileSystem: fileSystem), clock: clock, logger: logger,
                board: board, stop: stop))
        runner.withLock { $0.openLedgerIfPossible() }
    }

    /// Delivers everything that is due.
    @discardableResult
    package func runOnce() -> DeliveryReport { runner.withLock { $0.run() } }

    /// Makes a `runOnce` in another thread return soon; what it was writing is begun anew at the next start.
    package func requestStop() { stop.requestStop() }

    /// Delivers nothing until `resume`, across restarts of the program. Waits for a run under way to end.
    /// - Throws: `DeliveryError`: the ledger cannot be written.
    package func pause() throws { try interrupting { try $0.setPaused(true) } }

    package func resume() throws { try interrupting { try $0.setPaused(false) } }

    /// Begins anew, as the mode says: what was delivered is delivered again, under further numbers. Objects stay where they are.
    package func restart() throws { try interrupting { try $0.restart() } }

    /// Has a later task of the name begin anew.
    func retire() throws { try runner.withLock { try $0.retire() } }

    private func interrupting(_ body: (DeliveryRunner) throws -> Void) throws {
        interrupt()
        defer { endInterruption() }
        try runner.withLock { try body($0) }
    }

    /// Somebody waits for the run under way to end.
    func interrupt() { stop.interrupt() }

    func endInterruption() { stop.endInterruption() }

    package var status: DeliveryStatus { board.status }

    /// Of the newest partitions that have any; the newest last.
    var newestObjects: [DeliveredObject] { board.newestObjects }

    /// The objects of a partition since the task began, in order of their numbers.
    package func objects(of partition: PartitionID) -> [DeliveredObject] { board.objects(of: partition) }
}

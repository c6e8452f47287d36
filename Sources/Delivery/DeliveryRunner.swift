import Logging
import ObjectStorage
import Telemetry
import TelemetryStore

/// Finds what is due and has it delivered, partition by partition, with pauses after failures. One thread at a time.
final class DeliveryRunner {
    private let options: DeliveryOptions
    private let table: Table
    private let destination: any ObjectDestination
    private let ledgerPath: String
    private let fileSystem: any FileSystem
    private let clock: any WallClock
    private let logger: Logger
    private let board: DeliveryBoard
    /// Nil: not yet opened, or its end is unknown after an error.
    private var ledger: Ledger?
    private var backoff = Backoff()
    private var partitionBackoffs: [PartitionID: Backoff] = [:]

    init(
        options: DeliveryOptions, table: Table, destination: any ObjectDestination, ledgerPath: String, fileSystem: any FileSystem,
        clock: any WallClock, logger: Logger, board: DeliveryBoard
    ) {
        self.options = options
        self.table = table
        self.destination = destination
        self.ledgerPath = ledgerPath
        self.fileSystem = fileSystem
        self.clock = clock
        var logger = logger
        logger[metadataKey: "delivery"] = "\(options.name)"
        self.logger = logger
        self.board = board
    }

    func openLedgerIfPossible() {
        do {
            _ = try openLedger()
        } catch {
            var report = DeliveryReport()
            fail(DeliveryError(error), &report)
        }
    }

    func run() -> DeliveryReport {
        var report = DeliveryReport()
        let now = clock.now()
        guard backoff.isDue(at: now), !board.isStopped else {
            let status = board.status
            (report.error, report.detail) = (status.error, status.detail)
            return report
        }
        do {
            try deliverDue(at: now, &report)
            backoff.succeed()
        } catch {
            fail(DeliveryError(error), &report)
        }
        show(report, at: now)
        return report
    }

    private func openLedger() throws -> Ledger {
        if let ledger { return ledger }
        let opened = try Ledger(path: ledgerPath, task: options.name, fileSystem: fileSystem)
        ledger = opened
        board.show(opened.state)
        return opened
    }

    /// Open intents first: their numbers and places come before any new one's.
    private func deliverDue(at now: Timestamp, _ report: inout DeliveryReport) throws {
        let ledger = try openLedger()
        try catchUp(ledger)
        let unfinished = ledger.state.open.keys.sorted()
        let due = due(at: now).map(\.id).filter { ledger.state.open[$0] == nil }
        let candidates = unfinished + due
        partitionBackoffs = partitionBackoffs.filter { candidates.contains($0.key) }
        let partitions = candidates.filter { partitionBackoffs[$0]?.isDue(at: now) ?? true }
        guard !partitions.isEmpty else { return }
        board.update { $0.phase = .delivering }
        try destination.prepare()
        for partition in partitions {
            do {
                try deliver(partition, ledger, &report)
                partitionBackoffs[partition] = nil
                report.partitionCount += 1
            } catch {
                let error = DeliveryError(error)
                guard error.scope == .partition else { throw error }
                partitionBackoffs[partition, default: Backoff()].fail(at: now)
                note(error, &report, partition)
            }
        }
    }

    private func due(at now: Timestamp) -> [DeliverablePartition] {
        table.deliverable(task: options.name, endingBefore: now - options.age)
    }

    /// Step 7 of `IntentExecutor`, where a crash came before it.
    private func catchUp(_ ledger: Ledger) throws {
        for partition in table.deliverable(task: options.name, endingBefore: .distantFuture) {
            guard let through = ledger.state.deliveredThrough[partition.id], through > partition.after else { continue }
            try table.markDelivered(partition.id, task: options.name, through: through)
        }
    }

    private func deliver(_ partition: PartitionID, _ ledger: Ledger, _ report: inout DeliveryReport) throws {
        guard try ledger.state.open[partition] != nil || declareIntent(partition, ledger) else { return }
        var totals = report.totals
        defer { report.totals = totals }
        let executor = IntentExecutor(
            options: options, table: table, destination: destination, ledger: ledger, logger: logger,
            isStopped: { [board] in board.isStopped },
            didRecord: { [board] partition, object in
                board.add(object, of: partition)
                totals.add(object)
            })
        try executor.run(partition)
    }

    /// Steps 0 and 1 of `IntentExecutor`.
    /// - Returns: false when there is nothing to deliver after all.
    private func declareIntent(_ partition: PartitionID, _ ledger: Ledger) throws -> Bool {
        try table.markDelivering(partition, task: options.name)
        // Asked again: only from here on does the store keep the flushes apart from later ones.
        let candidates = table.deliverable(task: options.name, endingBefore: .distantFuture)
        guard let deliverable = candidates.first(where: { $0.id == partition }) else { return false }
        let intent = LedgerRecord.Intent(
            partition: partition, after: deliverable.after, through: deliverable.through,
            folder: options.prefix.folder(at: deliverable.start))
        try ledger.append(.intent(intent))
        return true
    }

    private func fail(_ error: DeliveryError, _ report: inout DeliveryReport) {
        guard error.scope != .stopped else { return }
        // Whatever failed, a ledger that is read anew cannot be wrong about what is on disk.
        ledger = nil
        backoff.fail(at: clock.now())
        note(error, &report, nil)
        board.update {
            $0.phase = .retrying
            $0.error = report.error
            $0.detail = report.detail
        }
    }

    private func note(_ error: DeliveryError, _ report: inout DeliveryReport, _ partition: PartitionID?) {
        logger.error("delivery failed", metadata: ["error": "\(error)", "partition": "\(partition.map { "\($0.window)" } ?? "-")"])
        guard report.error == .ok else { return }
        (report.error, report.detail) = (error.code, error.detail)
    }

    private func show(_ report: DeliveryReport, at now: Timestamp) {
        let oldest = due(at: now).first
        let hasWaiting = partitionBackoffs.isEmpty == false
        board.update {
            $0.lag = oldest.map { now - ($0.end + options.age) } ?? .zero
            $0.phase = report.error == .ok && !hasWaiting ? .idle : .retrying
            guard report.error != .ok || !hasWaiting else { return }
            ($0.error, $0.detail) = (report.error, report.detail)
        }
    }
}

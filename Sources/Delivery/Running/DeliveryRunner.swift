import Logging
import ObjectStorage
import Telemetry
import TelemetryStore

/// Finds what is due and has it delivered, partition by partition, with pauses after failures. One thread at a time.
final class DeliveryRunner {
    private let options: DeliveryOptions
    private let table: Table
    private let destination: any ObjectDestination
    private let files: LedgerFile
    private let clock: any WallClock
    private let logger: Logger
    private let board: DeliveryBoard
    private let stop: StopFlag
    private var plan: DeliveryPlan
    /// Nil: not yet opened, or its end is unknown after an error.
    private var ledger: Ledger?
    /// What the ledger said before an error, for what is told meanwhile.
    private var lastState = LedgerState()
    private var backoff = Backoff()
    private var partitionBackoffs: [PartitionID: Backoff] = [:]

    init(
        options: DeliveryOptions, table: Table, destination: any ObjectDestination, files: LedgerFile, clock: any WallClock,
        logger: Logger, board: DeliveryBoard, stop: StopFlag
    ) {
        self.options = options
        self.table = table
        self.destination = destination
        self.files = files
        self.clock = clock
        var logger = logger
        logger[metadataKey: "delivery"] = "\(options.name)"
        self.logger = logger
        self.board = board
        self.stop = stop
        plan = DeliveryPlan(options: options, table: table)
    }

    func openLedgerIfPossible() {
        do {
            let ledger = try openLedger()
            if ledger.state.isPaused { board.update { $0.activity = .paused } }
            let now = clock.now()
            plan.look(ledger.state, at: now)
            showLag(at: now)
        } catch {
            var report = DeliveryReport()
            fail(DeliveryError(error), &report)
        }
    }

    func run() -> DeliveryReport {
        var report = DeliveryReport()
        let now = clock.now()
        guard backoff.isDue(at: now), !stop.isSet else {
            let status = board.status
            (report.error, report.detail) = (status.error, status.detail)
            showLag(at: now)
            return report
        }
        do {
            let ledger = try openLedger()
            if ledger.state.isPaused {
                plan.look(ledger.state, at: now)
            } else {
                try deliverDue(ledger, at: now, &report)
                try conclude(ledger, report)
                backoff.succeed()
                show(report)
            }
        } catch {
            fail(DeliveryError(error), &report)
        }
        showLag(at: now)
        return report
    }

    // MARK: - What operators ask

    func setPaused(_ isPaused: Bool) throws { try changing { try setPaused(isPaused, $0) } }

    private func setPaused(_ isPaused: Bool, _ ledger: Ledger) throws {
        guard ledger.state.isPaused != isPaused else { return }
        // What comes while it is paused is its to deliver, though it was paused before its first run.
        if ledger.state.begin == nil { try begin(ledger) }
        try ledger.append(.paused(isPaused))
        try note(isPaused ? .paused : .resumed, ledger)
        board.update { $0.activity = isPaused ? .paused : .idle }
        backoff.succeed()
    }

    /// 1. `restart` in the ledger; 2. the store forgets what the task has; 3. `begin`, also of a task that is paused: what comes from now
    /// on is its to deliver. A crash or a failure after 1 is made up for by the next run, before anything is delivered.
    func restart() throws { try changing { try restart($0) } }

    /// Step 1 alone: the task is gone, and a later one of its name begins anew.
    func retire() throws { try changing { try $0.append(.restart) } }

    private func restart(_ ledger: Ledger) throws {
        try ledger.append(.restart)
        require(ledger.state)
        try note(.restarted, ledger)
        (backoff, partitionBackoffs) = (Backoff(), [:])
        plan = DeliveryPlan(options: options, table: table)
        board.show(ledger.state)
        try begin(ledger)
        showLag(at: clock.now())
    }

    /// After a failure the ledger is read anew: what it says may not be on disk.
    private func changing(_ body: (Ledger) throws -> Void) throws {
        do {
            try body(try openLedger())
        } catch {
            ledger = nil
            throw error
        }
    }

    // MARK: - A run

    private func openLedger() throws -> Ledger {
        if let ledger { return ledger }
        let opened = try files.open()
        ledger = opened
        require(opened.state)
        board.show(opened.state)
        return opened
    }

    /// Open intents first: their numbers and places come before any new one's.
    private func deliverDue(_ ledger: Ledger, at now: Timestamp, _ report: inout DeliveryReport) throws {
        try begin(ledger)
        try catchUp(ledger)
        try abandonExpired(ledger)
        let unfinished = ledger.state.open.keys.sorted().map { DueRows(partition: $0, line: .sealed) }
        let candidates = unfinished + plan.due(ledger.state, at: now).filter { ledger.state.open[$0.partition] == nil }
        partitionBackoffs = partitionBackoffs.filter { known in candidates.contains { $0.partition == known.key } }
        let due = candidates.filter { partitionBackoffs[$0.partition]?.isDue(at: now) ?? true }
        guard !due.isEmpty else { return }
        board.update { $0.activity = .delivering }
        try destination.prepare()
        for rows in due {
            do {
                try deliver(rows, ledger, &report)
                partitionBackoffs[rows.partition] = nil
                report.partitionCount += 1
            } catch {
                let error = DeliveryError(error)
                guard error.scope == .partition else { throw error }
                partitionBackoffs[rows.partition, default: Backoff()].fail(at: now)
                note(error, &report, rows.partition)
            }
        }
    }

    /// What the mode says that there is to do, durable before any of it is done.
    private func begin(_ ledger: Ledger) throws {
        if let begin = ledger.state.begin {
            guard begin.table.isEmpty || begin.table == options.table else {
                throw DeliveryError(
                    .conflict, .task,
                    "the task began with table = \"\(begin.table)\", which is fixed: give this one another name, or restart it")
            }
            guard begin.mode == options.mode else {
                throw DeliveryError(
                    .conflict, .task,
                    "the task began with mode = \"\(begin.mode.rawValue)\", which is fixed: restart it, or give it another name")
            }
            return
        }
        if ledger.state.isRestarting { try table.forget(task: options.name) }
        let line =
            switch options.mode {
            case .aged: [PartitionID: FlushID]()
            case .incremental: try table.drawLine(task: options.name, skips: true)
            case .full, .differential: try table.drawLine(task: options.name, skips: false)
            }
        try ledger.append(.begin(.init(mode: options.mode, table: options.table, line: line)))
        require(ledger.state)
        try note(.begun, ledger)
    }

    /// What waits for the task before it is dropped. What mode `full` does not deliver does not wait for it.
    private func require(_ state: LedgerState) {
        // A mode that was changed by mistake must not let go of what the other one is to have.
        guard options.mode == .full, let begin = state.begin, begin.mode == .full else {
            return table.require(.everything, of: options.name)
        }
        table.require(plan.openLine(state).isEmpty ? nil : .through(begin.line), of: options.name)
    }

    /// Step 7 of `IntentExecutor`, where a crash came before it; and the line, where the store lost it.
    private func catchUp(_ ledger: Ledger) throws {
        let skipped = options.mode == .incremental ? ledger.state.begin?.line ?? [:] : [:]
        for partition in table.deliverable(task: options.name, endingBefore: .distantFuture, line: .flushed) {
            let known = max(ledger.state.deliveredThrough[partition.id] ?? 0, skipped[partition.id] ?? 0)
            guard known > partition.after else { continue }
            try table.markDelivered(partition.id, task: options.name, through: known)
        }
    }

    /// Without `retain_until_delivered` partitions may go before they are delivered.
    private func abandonExpired(_ ledger: Ledger) throws {
        guard !ledger.state.open.isEmpty else { return }
        let present = Set(table.partitions().map(\.id))
        for partition in ledger.state.open.keys.sorted() where !present.contains(partition) {
            try executor(ledger) { _ in }.abandon(partition)
            logger.warning("rows expired before they were delivered", metadata: ["partition": "\(partition.window)"])
            try note(.expired, ledger, .ok, table.start(of: partition).rfc3339)
        }
    }

    private func deliver(_ rows: DueRows, _ ledger: Ledger, _ report: inout DeliveryReport) throws {
        if stop.isSet { throw DeliveryError.stopped }
        let isDeclared = try ledger.state.open[rows.partition] != nil || declareIntent(rows, ledger)
        guard isDeclared else { return plan.settle(rows.partition) }
        var totals = report.totals
        defer { report.totals = totals }
        try executor(ledger) { totals.add($0) }.run(rows.partition)
        plan.settle(rows.partition)
    }

    private func executor(_ ledger: Ledger, _ didRecord: @escaping (DeliveredObject) -> Void) -> IntentExecutor {
        IntentExecutor(
            options: options, table: table, destination: destination, ledger: ledger, logger: logger,
            isStopped: { [stop] in stop.isSet },
            didRecord: { [board] partition, object in
                board.add(object, of: partition)
                didRecord(object)
            })
    }

    /// Steps 0 and 1 of `IntentExecutor`.
    /// - Returns: false when there is nothing to deliver after all.
    private func declareIntent(_ rows: DueRows, _ ledger: Ledger) throws -> Bool {
        if rows.needsFlush { try table.flush(rows.partition) }
        // Asked anew: only from here on does the store keep the flushes apart from later ones.
        guard let found = try table.markDelivering(rows.partition, task: options.name, line: rows.line) else { return false }
        let folder =
            switch options.prefixTime {
            case .write: FolderSlices.settled(options.prefix, writtenAt: clock.now())
            case .reading:
                FolderSlices.settled(options.prefix, start: found.start, end: found.end, buckets: table.options.buckets)
            }
        try ledger.append(.intent(.init(partition: found.id, after: found.after, through: found.through, folder: folder.text)))
        return true
    }

    /// What is over with this run: mode `full`, or a time of failures.
    private func conclude(_ ledger: Ledger, _ report: DeliveryReport) throws {
        let last = ledger.state.events.last?.kind
        if options.mode == .full, plan.openLine(ledger.state).isEmpty, !ledger.state.isCompleted {
            require(ledger.state)
            return try note(.completed, ledger)
        }
        if last == .failed, report.error == .ok, partitionBackoffs.isEmpty { try note(.recovered, ledger) }
    }

    // MARK: - What is told

    private func note(_ kind: DeliveryEvent.Kind, _ ledger: Ledger, _ error: DeliveryErrorCode = .ok, _ detail: String = "") throws {
        let cut = String(decoding: detail.utf8.prefix(DeliveryEvent.detailByteCountLimit), as: UTF8.self)
        try ledger.append(.event(DeliveryEvent(time: clock.now(), kind: kind, error: error, detail: cut)))
        board.update { $0.events = ledger.state.events }
    }

    private func fail(_ error: DeliveryError, _ report: inout DeliveryReport) {
        // Whatever failed, a ledger that is read anew cannot be wrong about what is on disk.
        if let ledger { lastState = ledger.state }
        ledger = nil
        guard error.scope != .stopped else { return board.update { $0.activity = .idle } }
        backoff.fail(at: clock.now())
        note(error, &report, nil)
        board.update {
            $0.activity = .retrying
            $0.error = report.error
            $0.detail = report.detail
        }
    }

    /// The history has a failure once, until it is over or another comes.
    private func note(_ error: DeliveryError, _ report: inout DeliveryReport, _ partition: PartitionID?) {
        logger.error("delivery failed", metadata: ["error": "\(error)", "partition": "\(partition.map { "\($0.window)" } ?? "-")"])
        if report.error == .ok { (report.error, report.detail) = (error.code, error.detail) }
        do {
            let ledger = try openLedger()
            if let last = ledger.state.events.last, last.kind == .failed, last.error == error.code { return }
            try note(.failed, ledger, error.code, error.detail)
        } catch {
            ledger = nil
            logger.error("the ledger cannot keep that", metadata: ["error": "\(error)"])
        }
    }

    private func show(_ report: DeliveryReport) {
        let hasWaiting = !partitionBackoffs.isEmpty
        board.update {
            $0.activity = report.error == .ok && !hasWaiting ? .idle : .retrying
            guard report.error != .ok || !hasWaiting else { return }
            ($0.error, $0.detail) = (report.error, report.detail)
        }
    }

    /// Also while nothing goes on: that is when it matters.
    private func showLag(at now: Timestamp) {
        let state = ledger?.state ?? lastState
        let lag = plan.lag(state, at: now)
        let isFull = !plan.openLine(state).isEmpty
        board.update {
            ($0.lag, $0.syncPoint) = (lag.lag, lag.syncPoint)
            $0.phase =
                switch (state.begin?.mode, isFull) {
                case (nil, _): .initial
                case (_, true): .full
                case (.full, false): .done
                default: .incremental
                }
        }
    }
}

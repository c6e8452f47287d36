import Synchronization
import Telemetry
import TelemetryCodec

/// The time-series store: a commit log, heads in memory, columnar segments per time window, latest values.
///
/// Concurrency: any thread may call anything; commits of many threads share one write and one sync. One thread at a time does
/// maintenance (others wait). Readers hold what they read, so flush, seal and drop never change an answer under way.
package final class TelemetryStore: Sendable {
    package let options: StoreOptions
    /// The configured tables; the first is the default one.
    package let tables: [Table]

    let cores: [TableCore]
    let log: CommitLog
    let feed: Feed
    let fileSystem: any FileSystem
    let clock: any WallClock
    let maintenance: Maintenance
    private let lock: Guarded<(any FileLock)?>
    private let thread: NamedThread
    private let isClosed = Atomic(false)

    /// Opens or creates a store; what the log holds behind the segments is replayed.
    /// - Throws: `.locked`, `.unusable`, `.configuration`, `.corruption` (names file and offset), `.diskFull`.
    package static func open(
        options: StoreOptions, tables: [TableOptions], fileSystem: any FileSystem = RealFileSystem(), clock: any WallClock = SystemClock()
    ) throws(StoreError) -> TelemetryStore {
        try TelemetryStore(options: options, tables: tables, fileSystem: fileSystem, clock: clock)
    }

    private init(
        options: StoreOptions, tables tableOptions: [TableOptions], fileSystem: any FileSystem, clock: any WallClock
    ) throws(StoreError) {
        self.options = options
        self.fileSystem = fileSystem
        self.clock = clock
        let held = try TelemetryStore.prepareDirectory(options.path, fileSystem)
        lock = Guarded(held)
        let catalog = try TelemetryStore.loadCatalog(options.path, tableOptions, fileSystem)
        let cache = FrameCache(byteBudget: options.blockCacheByteCount)
        let headMemory = MemoryGauge()
        cores = try TelemetryStore.makeCores(catalog, tableOptions, options, cache, fileSystem, clock, headMemory)
        let recovered = try Recovery(fileSystem: fileSystem, path: options.path, storeID: catalog.storeID, tables: cores).run()
        let writer = LogWriter(
            fileSystem: fileSystem, directory: options.path + "/log", storeID: catalog.storeID, fileByteCount: options.logFileByteCount,
            durability: options.durability, files: recovered.logFiles)
        feed = Feed(byteLimit: options.feedByteCount, tableCount: cores.count)
        let log = CommitLog(
            writer: writer, recovered: recovered, tables: cores, clock: clock, fileSystem: fileSystem,
            commitInterval: options.commitInterval, feed: feed)
        self.log = log
        maintenance = Maintenance(
            tables: cores, log: log, options: options, fileSystem: fileSystem, clock: clock, headMemory: headMemory)
        try maintenance.diskGuard.look()
        let all = [Table](cores, maintenance)
        tables = tableOptions.compactMap { options in all.first { $0.name == options.name } }
        thread = NamedThread(name: "commit-log") { log.run() }
    }

    /// Stops taking commits, writes a checkpoint so that the next start replays little, and gives the lock back. Idempotent.
    package func close() throws(StoreError) {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        log.queue.close()
        thread.join()
        defer {
            maintenance.close()
            lock.withLock { $0 = nil }
        }
        guard log.failure == nil else { return }
        if options.durability != .fsync { try log.sync() }
        do throws(StoreError) {
            try maintenance.checkpoint()
        } catch {
            // On a full disk the next start replays more, and nothing is lost.
            guard error.code == .diskFull else { throw error }
        }
    }

    /// A store that was dropped without `close` leaves its files to replay, but not its thread behind.
    deinit {
        guard !isClosed.load(ordering: .acquiring) else { return }
        log.queue.close()
        thread.join()
    }

    package func table(named name: String) -> Table? { tables.first { $0.name == name } }
    package var sequence: SequenceNumber { log.sequence }
    package var failure: StoreError? { log.failure }
    package func note(from source: String) -> [UInt8]? { log.note(from: source) }

    /// The sources of all notes that begin so, sorted.
    package func noteSources(prefix: String) -> [String] { log.noteSources(prefix: prefix) }

    package var statistics: StoreStatistics {
        var statistics = log.statistics
        statistics.sequence = sequence
        statistics.commitsInHand = log.queue.committerCount
        statistics.logByteCount = log.byteCount
        statistics.headByteCount = maintenance.headMemory.byteCount
        for core in cores {
            core.lock.reading {
                statistics.segmentByteCount += core.partitions.values.reduce(0) { $0 + $1.segmentByteCount }
                statistics.typeChanges += core.states.changes.pointee.count
            }
        }
        return statistics
    }

    // MARK: - Committing

    /// Gives rows without a time the receive time, unique per device by 1 µs steps. Rows that come too fast get none: what is not stored
    /// must not make a device known.
    package func assignMissingTimes(_ batch: inout ReadingBatch) {
        admit(&batch)
        let now = clock.now().microseconds
        for row in batch.rows.indices where batch.rows[row].time == .distantPast && batch.refusal(ofRow: row) == nil {
            let source = batch.rows[row]
            let core = cores[Int(source.table)]
            let time = batch.bytes.withUnsafeBytes { arena in
                core.registry.withNames { names -> Int64 in
                    let name = UnsafeRawBufferPointer(rebasing: arena[source.device.range])
                    guard name.count <= Limits.deviceByteCount, let device = names.device(name, bucketCount: core.options.buckets)
                    else { return now }
                    return names.assignTime(device, now: now, lead: TelemetryStore.assignedLead)
                }
            }
            batch.setTime(Timestamp(microseconds: time), row: row)
        }
    }

    /// Makes a batch durable and readable, together with whatever other threads commit at the same time.
    ///
    /// Rows outside their table's time window, over a limit or a rate are rejected one by one and reported; the others are stored. Blocks
    /// for one sync of the log, and longer while more is unflushed than the memory budget allows.
    /// - Parameter notes: kept atomically with the readings, and also when there are none. At most one of each source.
    /// - Throws: `.diskFull`, `.overloaded`, `.clock`: nothing was stored and no rate used up, try again. `.fatal`, `.closed`: stop.
    package func commit(_ batch: inout ReadingBatch, notes: [CommitNote] = []) throws(StoreError) -> CommitReceipt {
        do throws(StoreError) {
            return try write(&batch, notes)
        } catch {
            giveBack(&batch)
            throw error
        }
    }

    private func write(_ batch: inout ReadingBatch, _ notes: [CommitNote]) throws(StoreError) -> CommitReceipt {
        if let failure { throw failure }
        if let problem = clockProblem { throw StoreError(.clock, problem) }
        if let problem = diskProblem { throw StoreError(.diskFull, problem) }
        try maintenance.waitForMemory()
        admit(&batch)
        if batch.rows.contains(where: { $0.time == .distantPast }) { assignMissingTimes(&batch) }
        log.queue.enter()
        let submission = Submission()
        submission.notes = notes
        BatchEncoder(tables: cores, now: clock.now()).encode(batch, into: submission)
        if submission.readingCount == 0, notes.isEmpty {
            log.queue.leave()
        } else {
            log.queue.submit(submission)
        }
        if let failure = submission.failure { throw failure }
        return receipt(submission)
    }

    private func receipt(_ submission: Submission) -> CommitReceipt {
        if !submission.rejections.isEmpty {
            log.count { for rejection in submission.rejections { $0.rejected[rejection.reason, default: 0] += 1 } }
        }
        return CommitReceipt(
            sequence: submission.readingCount > 0 ? submission.lastSequence : sequence, accepted: submission.readingCount,
            duplicates: submission.duplicates, rejections: submission.rejections)
    }

    /// Why nothing is committed for want of space, as the last pass of maintenance saw it; nil when there is room.
    package var diskProblem: String? { maintenance.diskGuard.problem }

    /// Why the wall clock cannot be right; nil when it may be (product.md, semantics 16).
    package var clockProblem: String? {
        let now = clock.now()
        if now < options.earliestClock {
            return "the wall clock says \(now.rfc3339), which is before this program was built (\(options.earliestClock.rfc3339))"
        }
        let newest = Timestamp(microseconds: log.commitTime)
        if log.commitTime != .min, now < newest - TelemetryStore.clockTolerance {
            return "the wall clock says \(now.rfc3339), but the newest commit was at \(newest.rfc3339)"
        }
        return nil
    }

    /// Steps back by less are jitter of time synchronisation; a boot without a clock chip is decades off.
    private static let clockTolerance = TimeSpan.days(1)

    /// How far assigned times may run ahead of the clock, µs: a million readings of one device without a time.
    private static let assignedLead: Int64 = 1_000_000

    /// Blocks while more is unflushed than the memory budget allows, as `commit` does: for whoever gives readings the time of receipt,
    /// which is then not long past when they are stored.
    /// - Throws: `.overloaded` after ten seconds.
    package func awaitMemory() throws(StoreError) { try maintenance.waitForMemory() }

    // MARK: - Maintenance

    /// Flushes, seals, drops, checkpoints and trims what is due. Blocking; call it about once a second, from a thread of its own.
    /// - Throws: `.diskFull`: what is due stays due. Others as `commit`.
    package func performMaintenance() throws(StoreError) { try maintenance.perform() }

    /// Returns when memory runs short or after `timeout`, whichever is first.
    package func waitUntilMaintenanceNeeded(timeout: TimeSpan) { maintenance.waitUntilNeeded(timeout: timeout) }
}

extension [Table] {
    fileprivate init(_ cores: [TableCore], _ maintenance: Maintenance) { self = cores.map { Table($0, maintenance: maintenance) } }
}

import Telemetry
import TelemetryCodec

/// Moves data along: heads to segments, windows to sealed, expired partitions away, the log's front to nothing.
///
/// One thread at a time, held by `turn`. Readers and commits go on meanwhile; the table's lock is held only to swap references.
/// `@unchecked Sendable`: the rest of the state is guarded by `turn` or `memory`.
final class Maintenance: @unchecked Sendable {
    let tables: [TableCore]
    let log: CommitLog
    let options: StoreOptions
    let fileSystem: any FileSystem
    let clock: any WallClock
    let headMemory: MemoryGauge
    let diskGuard: DiskGuard
    /// Held during a pass.
    private let turn = Monitor()
    /// Signals that memory runs short.
    private let memory = Monitor()
    private var isNeeded = false

    // Under `turn`:
    /// Readings up to this are in segments, as the checkpoint says: the log may begin behind it.
    private var checkpointFlushed: SequenceNumber = 0
    /// Notes of log files before this epoch are in the checkpoint.
    private var checkpointEpoch: UInt32 = 0
    /// Flushes below this, per table, are counted in the checkpoint.
    private var checkpointFlush: [FlushID]
    /// Nil: not looked at yet.
    private var checkpointByteCount: Int?
    private var clockWatch = ClockWatch()
    /// When space ran out last, since boot.
    private var ranOutOfSpace: TimeSpan?
    private(set) var isClosed = false

    /// Longest that a commit waits for memory before it fails as overloaded.
    private static let memoryWaitMicroseconds: Int64 = 10_000_000

    private static let mergeRest = TimeSpan.minutes(1)

    init(
        tables: [TableCore], log: CommitLog, options: StoreOptions, fileSystem: any FileSystem, clock: any WallClock,
        headMemory: MemoryGauge
    ) {
        self.tables = tables
        self.log = log
        self.options = options
        self.fileSystem = fileSystem
        self.clock = clock
        self.headMemory = headMemory
        diskGuard = DiskGuard(path: options.path, reserve: options.diskReserveByteCount, fileSystem: fileSystem)
        checkpointFlush = tables.map { _ in 0 }
    }

    /// One pass over everything that is due: first what frees memory and space, then the rest.
    func perform() throws(StoreError) {
        try turn.locked { () throws(StoreError) in
            if let failure = log.failure { throw failure }
            guard !isClosed else { throw StoreError(.closed, "the store is closed") }
            memory.locked { isNeeded = false }
            // With `interval`, a pass a second is what bounds the loss of a power cut.
            if options.durability == .interval { try log.sync() }
            var attempts = Attempts()
            try pass(&attempts)
            if attempts.ranOutOfSpace { ranOutOfSpace = clock.uptime() }
            if let failure = attempts.failure { throw failure }
        }
    }

    /// The reserve comes behind the drops, which may have taken it, and before all that takes space.
    private func pass(_ attempts: inout Attempts) throws(StoreError) {
        // A wrong clock must not drop or seal anything, one that jumped ahead must not drop.
        let isConfirmed = clockWatch.isConfirmed(wall: clock.now(), uptime: clock.uptime())
        if clockIsUsable, isConfirmed {
            for table in tables { try attempts.run { () throws(StoreError) in try dropDue(table) } }
        }
        for table in tables { try attempts.run { () throws(StoreError) in try removeDropped(table) } }
        try attempts.run { () throws(StoreError) in try diskGuard.look() }
        try attempts.run { () throws(StoreError) in try growReserve() }
        try flushDue(&attempts)
        if clockIsUsable {
            for (index, table) in tables.enumerated() { try sealDue(table, index, &attempts) }
        }
        for (index, table) in tables.enumerated() { try compactDue(table, index, &attempts) }
        try attempts.run { () throws(StoreError) in try trimLog() }
    }

    /// Merges rest after space ran out: they take as much as they will give back, and what is left is better had by the log.
    func mayMerge(_ attempts: Attempts) -> Bool {
        if attempts.ranOutOfSpace { return false }
        guard let since = ranOutOfSpace else { return true }
        return clock.uptime().microseconds - since.microseconds >= Maintenance.mergeRest.microseconds
    }

    /// No pass begins any more. Caller has stopped the log thread.
    func close() { turn.locked { isClosed = true } }

    private var clockIsUsable: Bool {
        let now = clock.now()
        return now >= options.earliestClock && now.microseconds >= log.commitTime &- TimeSpan.days(1).microseconds
    }

    /// Runs `body` between passes.
    func turn<R>(_ body: () throws(StoreError) -> R) throws(StoreError) -> R { try turn.locked(body) }

    // MARK: - Memory

    /// Blocks a commit while twice the budget is in use.
    /// - Throws: `.overloaded` after ten seconds.
    func waitForMemory() throws(StoreError) {
        guard headMemory.byteCount > options.headByteBudget else { return }
        memory.locked {
            isNeeded = true
            memory.wakeAll()
        }
        let deadline = MonotonicTime.now().adding(microseconds: Maintenance.memoryWaitMicroseconds)
        guard headMemory.wait(below: 2 * options.headByteBudget, until: deadline) else {
            throw StoreError(.overloaded, "more readings are unflushed than the memory budget allows")
        }
    }

    func waitUntilNeeded(timeout: TimeSpan) {
        let deadline = MonotonicTime.now().adding(microseconds: timeout.microseconds)
        memory.locked {
            while !isNeeded, memory.waitLocked(until: deadline) {}
        }
    }

    // MARK: - Flush, checkpoint, trim

    /// Flushes heads that are old, and the biggest ones while memory is above its budget.
    private func flushDue(_ attempts: inout Attempts) throws(StoreError) {
        let oldest = clock.now() - options.headAge
        for table in tables {
            let due = table.lock.reading {
                table.partitions.values.filter { $0.frozen != nil || ($0.head.map { $0.created < oldest } ?? false) }
            }
            for partition in due { try attempts.run { () throws(StoreError) in try flush(partition, of: table) } }
        }
        // Each once: while commits fill heads as fast as they are flushed, the rest of the pass must have its turn too.
        for (table, partition) in headsBySize() where headMemory.byteCount > options.headByteBudget {
            try attempts.run { () throws(StoreError) in try flush(partition, of: table) }
        }
    }

    /// Biggest first. One that is frozen has just failed to be flushed.
    private func headsBySize() -> [(TableCore, Partition)] {
        var heads: [(table: TableCore, partition: Partition, byteCount: Int)] = []
        for table in tables {
            table.lock.reading {
                for partition in table.partitions.values where partition.frozen == nil && partition.head != nil {
                    heads.append((table, partition, partition.headByteCount))
                }
            }
        }
        return heads.sorted { $0.byteCount > $1.byteCount }.map { ($0.table, $0.partition) }
    }

    /// Writes a checkpoint now.
    func checkpoint() throws(StoreError) { try turn.locked { () throws(StoreError) in try writeCheckpoint() } }

    /// Caller holds `turn`: no flush begins or ends while the counters are taken.
    /// - Parameter mayTakeReserve: for what gives space back for certain.
    func writeCheckpoint(mayTakeReserve: Bool = false) throws(StoreError) {
        // A flush that failed and may have left its segment must be counted here, so it must be whole before.
        for table in tables {
            for partition in table.lock.reading({ table.partitions.values.filter { $0.frozen?.flush != nil } }) {
                try flush(partition, of: table)
            }
        }
        let flushed = flushedSequence()
        var (header, epoch) = log.checkpointHeader()
        header.flushedSequence = flushed
        let encoded = Checkpoint.encode(header, tables: tables)
        // It may be ahead of `sequence`, device by device, but never of the log on disk.
        if options.durability != .fsync { try log.sync() }
        do throws(StoreError) {
            try replaceCheckpoint(with: encoded)
        } catch {
            guard mayTakeReserve, error.code == .diskFull, try releaseReserve() else { throw error }
            try replaceCheckpoint(with: encoded)
        }
        (checkpointFlushed, checkpointEpoch) = (flushed, epoch)
        checkpointFlush = tables.map { table in table.lock.reading { table.nextFlush } }
        checkpointByteCount = encoded.count
    }

    private var checkpointPath: String { options.path + "/checkpoint" }
    private var reserve: Reserve { Reserve(fileSystem: fileSystem, path: options.path + "/reserve") }

    private func replaceCheckpoint(with encoded: borrowing RawBuffer) throws(StoreError) {
        try storing { () throws(FileError) in
            try encoded.withBytes { (bytes) throws(FileError) in try fileSystem.replace(checkpointPath, with: bytes) }
        }
    }

    private func releaseReserve() throws(StoreError) -> Bool { try storing { () throws(FileError) in try reserve.release() } }

    private func growReserve() throws(StoreError) {
        try storing { () throws(FileError) in
            // Before the first checkpoint of this process, that of the last one tells.
            if checkpointByteCount == nil { checkpointByteCount = try fileSystem.byteCount(of: checkpointPath) ?? 0 }
            try reserve.grow(for: checkpointByteCount ?? 0)
        }
    }

    /// Before segments are merged or dropped, a checkpoint must have counted them: recovery counts whole segments only.
    func ensureCheckpoint(covers flush: FlushID, table index: Int) throws(StoreError) {
        if flush >= checkpointFlush[index] { try writeCheckpoint() }
    }

    /// Removes log files whose readings are all in segments and whose notes are in the checkpoint, and the checkpoint says so.
    private func trimLog() throws(StoreError) {
        let flushed = flushedSequence()
        guard log.canTrim(through: flushed, notesBefore: .max) else { return }
        if checkpointFlushed < flushed || !log.canTrim(through: checkpointFlushed, notesBefore: checkpointEpoch) { try writeCheckpoint() }
        try log.trim(through: checkpointFlushed, notesBefore: checkpointEpoch)
    }

    /// Newest reading up to which no head holds one.
    private func flushedSequence() -> SequenceNumber {
        var flushed = log.sequence
        for table in tables {
            table.lock.reading {
                for partition in table.partitions.values {
                    if let first = partition.firstUnflushedSequence { flushed = min(flushed, first - 1) }
                }
            }
        }
        return flushed
    }
}

import Synchronization
import Telemetry
import TelemetryCodec

/// The thread that owns the commit log: takes groups of batches, writes and syncs each as one record, applies it, wakes the committers.
///
/// Per group: 1. definitions of new names, rows and notes become one record; 2. write, `fdatasync`; 3. apply to heads and latest
/// values; 4. wake. A crash before the end of 2 loses only what was not acked; after it, replay does 3 again.
///
/// `@unchecked Sendable`: what changes is under `lock`, which the log thread holds while it writes a group.
final class CommitLog: @unchecked Sendable {
    let queue: CommitQueue
    private let tables: [TableCore]
    private let clock: any WallClock
    private let fileSystem: any FileSystem
    private let feed: Feed
    private let lock = Monitor()
    // Under `lock`:
    private var writer: LogWriter
    private var record = RawBuffer(capacity: 1 << 16)
    private var lastCommitTime: Int64
    private var lastSequence: SequenceNumber
    private var notes: [String: [UInt8]]

    private let visibleSequence: Atomic<UInt64>
    private let newestCommitTime: Atomic<Int64>
    private let failureBox = Guarded<StoreError?>(nil)
    private let counters: Guarded<StoreStatistics>

    init(
        writer: consuming LogWriter, recovered: Recovery.Result, tables: [TableCore], clock: any WallClock, fileSystem: any FileSystem,
        commitInterval: TimeSpan, feed: Feed
    ) {
        self.feed = feed
        queue = CommitQueue(commitIntervalMicroseconds: commitInterval.microseconds)
        self.tables = tables
        self.clock = clock
        self.fileSystem = fileSystem
        self.writer = writer
        lastCommitTime = recovered.commitTime
        lastSequence = recovered.sequence
        notes = recovered.notes
        visibleSequence = Atomic(recovered.sequence)
        newestCommitTime = Atomic(recovered.commitTime)
        counters = Guarded(StoreStatistics())
    }

    /// Sequence number of the newest reading that reads may return.
    var sequence: SequenceNumber { visibleSequence.load(ordering: .acquiring) }
    /// Time of the newest commit, µs; `Int64.min` before the first.
    var commitTime: Int64 { newestCommitTime.load(ordering: .relaxed) }
    var failure: StoreError? { failureBox.withLock { $0 } }
    var statistics: StoreStatistics { counters.withLock { $0 } }
    func count(_ change: (inout StoreStatistics) -> Void) { counters.withLock { change(&$0) } }

    func fail(_ error: StoreError) {
        failureBox.withLock { if $0 == nil { $0 = error } }
        queue.close()
    }

    func note(from source: String) -> [UInt8]? { lock.locked { notes[source] } }

    func noteSources(prefix: String) -> [String] { lock.locked { notes.keys.filter { $0.hasPrefix(prefix) }.sorted() } }

    /// What a checkpoint begins with. Taken before the tables are read, so that replay covers what changes meanwhile.
    /// - Returns: also the epoch of the log's newest file; the notes of those before it are all in the header.
    func checkpointHeader() -> (header: Checkpoint.Header, epoch: UInt32) {
        lock.locked { (Checkpoint.Header(sequence: lastSequence, commitTime: lastCommitTime, notes: notes), writer.epoch) }
    }

    /// Lets the feed begin with the next group, and counts a reader in.
    func openFeed() { lock.locked { feed.openAndJoin(at: lastSequence + 1) } }

    var byteCount: Int { lock.locked { writer.byteCount } }

    /// True when trimming would remove a file. See `LogWriter.trim`.
    func canTrim(through sequence: SequenceNumber, notesBefore epoch: UInt32) -> Bool {
        lock.locked { writer.canTrim(through: sequence, notesBefore: epoch) }
    }

    func trim(through sequence: SequenceNumber, notesBefore epoch: UInt32) throws(StoreError) {
        let paths = lock.locked { writer.trim(through: sequence, notesBefore: epoch) }
        for path in paths { try storing { () throws(FileError) in try fileSystem.unlink(path) } }
    }

    /// Makes everything written durable, whatever the configured durability.
    func sync() throws(StoreError) {
        do throws(StoreError) {
            try lock.locked { () throws(StoreError) in try writer.sync() }
        } catch {
            fail(error)
            throw error
        }
    }

    // MARK: - The log thread

    /// Runs until the queue is closed.
    func run() {
        while let group = queue.nextGroup() {
            lock.locked { write(group) }
            queue.finish(group)
        }
    }

    private func write(_ group: [Submission]) {
        // After a failed sync nothing more is written, and nothing that waited is acked.
        if let failure {
            for submission in group { submission.failure = failure }
            return
        }
        LogRecordHeader.begin(&record)
        let definitions = GroupPayload.appendDefinitions(tables, into: &record)
        var readingCount = 0
        for submission in group {
            submission.payload.withBytes { record.append($0) }
            for note in submission.notes { GroupPayload.append(note, into: &record) }
            readingCount += submission.readingCount
        }
        // Sequence numbers order commits; the time only rises, so that versions show in order.
        let commitTime = max(clock.now().microseconds, lastCommitTime &+ 1)
        let header = LogRecordHeader(
            payloadByteCount: record.count - LogFormat.recordHeaderByteCount, firstSequence: lastSequence + 1, readingCount: readingCount,
            commitTime: commitTime)
        let start = MonotonicTime.now()
        do throws(StoreError) {
            try writer.append(header, &record)
        } catch {
            if error.code != .diskFull { fail(error) }
            for submission in group { submission.failure = error }
            return
        }
        let elapsed = MonotonicTime.now().nanoseconds - start.nanoseconds
        for case (let table, let counts?) in zip(tables, definitions) {
            table.registry.withNames { ($0.loggedDevices, $0.loggedFields) = counts }
        }
        lastCommitTime = commitTime
        apply(group, commitTime: commitTime)
        visibleSequence.store(lastSequence, ordering: .releasing)
        newestCommitTime.store(commitTime, ordering: .relaxed)
        count(group, elapsed)
    }

    /// Applies what is on disk now. The bytes were encoded in this process, so a section that does not parse is a programming error.
    private func apply(_ group: [Submission], commitTime: Int64) {
        for submission in group {
            for note in submission.notes { notes[note.source] = note.bytes.isEmpty ? nil : note.bytes }
            submission.payload.withBytes { bytes in
                var cursor = ByteCursor(bytes)
                while !cursor.isAtEnd {
                    do throws(CodecError) {
                        guard case .rows(let number, let count, let base, let rows) = try GroupPayload.next(&cursor) else { continue }
                        let table = tables[Int(number)]
                        let first = lastSequence + 1
                        submission.duplicates += try table.lock.writing { () throws(CodecError) in
                            try table.applyLocked(
                                rows, count: count, base: base, commitTime: commitTime, firstSequence: first, isReplay: false)
                        }
                        feed.append(number, first: first, count: count, base: base, rows: rows, silent: table.silentRows)
                        lastSequence += UInt64(count)
                    } catch {
                        preconditionFailure("an encoded batch does not decode")
                    }
                }
            }
            submission.lastSequence = lastSequence
        }
    }

    private func count(_ group: [Submission], _ elapsed: Int) {
        counters.withLock { counters in
            counters.groups += 1
            counters.commits += group.count
            counters.syncNanoseconds += elapsed
            counters.maxSyncNanoseconds = max(counters.maxSyncNanoseconds, elapsed)
            for submission in group {
                counters.readings += submission.readingCount
                counters.duplicates += submission.duplicates
            }
        }
    }
}

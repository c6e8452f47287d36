import Glibc
import Telemetry
import Testing

@testable import TelemetryStore

/// A store on a disk that is full, wholly or for some files: what fails, what must not, and what is left behind.
final class HookedBench {
    let disk: SimulatedFileSystem
    let files: HookedFileSystem
    let clock = ManualClock(Bench.start)
    let tableOptions: TableOptions
    let storeOptions: StoreOptions
    private(set) var store: TelemetryStore

    init(disk: SimulatedFileSystem = .init(), configure: (inout TableOptions, inout StoreOptions) -> Void = { _, _ in }) throws {
        self.disk = disk
        files = HookedFileSystem(disk)
        var (table, options) = (TableOptions(name: "telemetry"), StoreOptions(path: "/store"))
        table.partitionLength = .minutes(1)
        table.sealAfter = .seconds(10)
        options.logFileByteCount = 1 << 16
        configure(&table, &options)
        (tableOptions, storeOptions) = (table, options)
        store = try TelemetryStore.open(options: options, tables: [table], fileSystem: files, clock: clock)
    }

    var table: Table { store.tables[0] }
    var core: TableCore { table.core }
    var partitions: [Partition] { core.lock.reading { core.partitions.values.sorted { $0.id < $1.id } } }
    var temporaries: [String] { disk.files.filter { $0.hasSuffix(temporarySuffix) } }

    @discardableResult
    func commit(_ readings: Reading...) throws -> CommitReceipt {
        var batch = ReadingBatch()
        for reading in readings { batch.append(reading) }
        return try store.commit(&batch)
    }

    func flush() throws {
        for partition in partitions {
            try store.maintenance.turn { () throws(StoreError) in try store.maintenance.flush(partition, of: core) }
        }
    }

    /// One segment with one row of the device `d`, `second` seconds after the start.
    func flushRow(_ second: Int) throws {
        try commit(reading("d", Bench.start + .seconds(Int64(second)), ["a": .integer(Int64(second))]))
        try flush()
    }

    /// One pass.
    /// - Returns: the code of what it threw.
    @discardableResult
    func maintain() -> StoreError.Code? {
        do throws(StoreError) {
            try store.performMaintenance()
            return nil
        } catch {
            return error.code
        }
    }

    /// The store as another process finds it.
    func opened(_ disk: SimulatedFileSystem) throws -> TelemetryStore {
        try TelemetryStore.open(options: storeOptions, tables: [tableOptions], fileSystem: disk, clock: clock)
    }
}

@Suite("A full disk")
struct FullDiskTests {
    @Test("while less than disk_reserve is free, writes are refused, reads and maintenance go on, and writes come back by themselves")
    func theReserveOfTheDiskIsKept() throws {
        let free = Guarded(100 << 20)
        let bench = try HookedBench { $1.diskReserveByteCount = 50 << 20 }
        defer { bench.files.removeHooks() }
        bench.files.freeByteCount = { free.withLock { $0 } }
        try bench.commit(reading("d", Bench.start, ["a": .integer(1)]))
        free.withLock { $0 = (50 << 20) - 1 }
        #expect(bench.maintain() == nil)
        let error = #expect(throws: StoreError.self) { try bench.commit(reading("d", Bench.start + .seconds(1), ["a": .integer(2)])) }
        #expect(error?.code == .diskFull && error?.detail.contains("49 MiB are free at /store, and disk_reserve is 50 MiB") == true)
        #expect(bench.table.summary().rowCount == 1)
        // A little more is not enough: it would be gone at once.
        free.withLock { $0 = 54 << 20 }
        bench.maintain()
        #expect(bench.store.diskProblem != nil)
        free.withLock { $0 = 56 << 20 }
        bench.maintain()
        try bench.commit(reading("d", Bench.start + .seconds(1), ["a": .integer(2)]))
        #expect(bench.table.summary().rowCount == 2)
    }

    let now = Bench.start
    let reserve = "/store/reserve"

    /// Merges have names that span flushes.
    static func isMerge(_ path: String) -> Bool {
        guard path.contains(".seg"), let name = path.split(separator: "/").last, name.count >= 25 else { return false }
        return name.prefix(12) != name.dropFirst(13).prefix(12)
    }

    // MARK: - Expiry

    @Test("expired partitions are dropped although a flush of another one fails")
    func dropBesideFailedFlush() throws {
        let bench = try HookedBench { table, _ in table.ttl = .minutes(10) }
        try bench.commit(reading("d", now, ["a": .integer(1)]))
        bench.clock.advance(by: .minutes(2))
        try bench.store.performMaintenance()
        try bench.commit(reading("d", bench.clock.now(), ["a": .integer(2)]))
        let (disk, reserve, old) = (bench.disk, reserve, bench.partitions[0].directory)
        // Full until the old partition is gone; what the reserve held is room for a checkpoint, not for a segment.
        bench.files.beforeWrite = { path, _, _, _ in
            guard disk.files.contains(where: { $0.hasPrefix(old) && $0.hasSuffix(".seg") }) else { return nil }
            return path.contains(".seg") || disk.files.contains(reserve) ? ENOSPC : nil
        }
        bench.clock.advance(by: .minutes(2))  // the second window is due to be sealed: its flush fails
        #expect(bench.maintain() == .diskFull)
        bench.clock.advance(by: .minutes(7))  // the first window is expired
        _ = bench.maintain()
        #expect(!bench.disk.files.contains { $0.hasPrefix(old) })
        bench.maintain()
        #expect(bench.partitions.map(\.hasUnflushedRows) == [false], "space is back")
    }

    /// The segment has its name, and its directory could not be synced: nobody knows whether it is there.
    @Test("rows of a flush that failed at its last step are there once and counted once", arguments: PowerCut.allCases)
    func flushFailsAtTheEnd(cut: PowerCut) throws {
        for (seed, failures) in (0..<20).flatMap({ seed in (1...3).map { (seed, $0) } }) {
            var random = SeededGenerator(seed: UInt64(seed))
            let bench = try HookedBench()
            try bench.commit(reading("d", now, ["a": .integer(1)]))
            var left = failures
            bench.files.beforeSyncDirectory = { path in
                guard path.hasSuffix("Z"), left > 0 else { return nil }
                left -= 1
                return ENOSPC
            }
            func check(_ moment: String) throws {
                let store = try bench.opened(bench.disk.crashed(cut, using: &random))
                let (rows, count) = (store.tables[0].summary().rowCount, store.tables[0].device("d")?.summary.readingCount)
                #expect(rows == 1 && count == 1, "\(moment): \(rows) rows, \(count ?? 0) counted; seed \(seed), \(failures) failures")
            }
            #expect(throws: StoreError.self) { try bench.flush() }
            try check("after the failed flush")
            try? bench.store.maintenance.checkpoint()
            try check("after a checkpoint")
            while bench.partitions[0].hasUnflushedRows { try? bench.flush() }
            try check("after the flush")
            try bench.store.maintenance.checkpoint()
            try check("at the end")
            #expect(bench.table.summary().rowCount == 1)
        }
    }

    // MARK: - The reserve

    @Test("the reserve grows with the checkpoint, and keeps its size while there is no room to grow")
    func reserveGrows() throws {
        let bench = try HookedBench { _, options in options.logFileByteCount = 1 << 22 }
        try bench.store.performMaintenance()
        let small = bench.disk.contents(reserve).count
        var batch = ReadingBatch()
        for number in 0..<20_000 {
            batch.append(reading("sensors/building/floor/room/device-\(number)", now, ["status": .string("all is well here")]))
        }
        _ = try bench.store.commit(&batch)
        try bench.store.maintenance.checkpoint()
        bench.disk.fail(after: 1, Fault.Kind(errno: ENOSPC, length: .max, sparesReads: true))
        #expect(bench.maintain() == .diskFull)
        #expect(bench.disk.contents(reserve).count == small)
        bench.disk.heal()
        try bench.store.performMaintenance()
        #expect(bench.disk.contents(reserve).count >= 2 * bench.disk.contents("/store/checkpoint").count)
        // A process that finds a reserve that is too small does not wait for its own first checkpoint.
        let disk = bench.disk.copy()
        disk.truncate(reserve, to: 4_096)
        try bench.opened(disk).performMaintenance()
        #expect(disk.contents(reserve).count >= 2 * disk.contents("/store/checkpoint").count)
    }

    @Test("the reserve is for drops: neither merges nor the end of the process take it")
    func reserveIsForDrops() throws {
        let bench = try HookedBench { table, _ in table.partitionLength = .hours(1) }
        try bench.store.performMaintenance()
        for second in 0..<8 { try bench.flushRow(second) }
        let (disk, reserve, isTaken) = (bench.disk, reserve, Guarded(false))
        bench.files.beforeWrite = { path, _, _, _ in
            guard disk.files.contains(reserve) else {
                isTaken.value = true
                return nil
            }
            return path.contains("checkpoint") ? ENOSPC : nil
        }
        #expect(bench.maintain() == .diskFull)
        #expect(!isTaken.value, "a merge took it")
        try bench.store.close()
        #expect(!isTaken.value, "closing took it")
        #expect(try bench.opened(bench.disk).tables[0].summary().rowCount == 8, "the log has what the checkpoint has not")
    }

    @Test("merges rest while the disk is full, and windows are sealed without")
    func mergesRest() throws {
        let bench = try HookedBench { table, _ in table.partitionLength = .hours(1) }
        for second in 0..<8 { try bench.flushRow(second) }
        let attempts = Guarded(0)
        bench.files.beforeWrite = { path, _, _, _ in
            guard FullDiskTests.isMerge(path) else { return nil }
            attempts.value += 1
            return ENOSPC
        }
        #expect(bench.maintain() == .diskFull)
        for _ in 0..<20 {
            bench.clock.advance(by: .seconds(1))
            try bench.store.performMaintenance()
        }
        #expect(attempts.value == 1)
        bench.clock.advance(by: .hours(2))
        #expect(bench.maintain() == .diskFull)
        #expect(bench.table.partitions().map(\.state) == [.sealed], "a delivery may begin, and make room")
        #expect(attempts.value == 2)
        bench.files.beforeWrite = nil
        bench.clock.advance(by: .minutes(2))
        try bench.store.performMaintenance()
        #expect(bench.table.partitions().map(\.segmentCount) == [1], "room again")
    }

    // MARK: - What is left behind

    @Test("what fails for want of space leaves no file behind", arguments: [".seg", "checkpoint", "state"])
    func noTemporaries(of kind: String) throws {
        let bench = try HookedBench()
        for second in 0..<3 {
            try bench.flushRow(second)
            try bench.commit(reading("d", now + .seconds(30), ["a": .integer(Int64(second))]))
            bench.files.beforeWrite = { path, _, _, _ in path.contains(kind) ? ENOSPC : nil }
            bench.clock.advance(by: .minutes(2))
            _ = bench.maintain()
            _ = try? bench.store.maintenance.checkpoint()
            #expect(bench.temporaries.isEmpty, "\(bench.temporaries)")
            bench.files.beforeWrite = nil
        }
    }

    @Test("merges that fail leave no file behind, whatever flushes they span")
    func noTemporariesOfMerges() throws {
        let bench = try HookedBench { table, _ in table.partitionLength = .hours(1) }
        for second in 0..<8 { try bench.flushRow(second) }
        bench.files.beforeWrite = { path, _, _, _ in FullDiskTests.isMerge(path) ? ENOSPC : nil }
        for second in 8..<11 {
            bench.clock.advance(by: .minutes(2))
            #expect(bench.maintain() == .diskFull)
            try bench.flushRow(second)
        }
        #expect(bench.temporaries.isEmpty, "\(bench.temporaries)")
    }

    /// A merged segment covers its sources by its name: one that stayed behind would hold rows twice once others are merged.
    @Test("a merge that fails at its last step leaves the sources as they were", arguments: PowerCut.allCases)
    func mergeFailsAtTheEnd(cut: PowerCut) throws {
        for (seed, failures) in (0..<10).flatMap({ seed in (1...3).map { (seed, $0) } }) {
            var random = SeededGenerator(seed: UInt64(seed))
            let bench = try HookedBench { table, _ in table.partitionLength = .hours(1) }
            for second in 0..<8 { try bench.flushRow(second) }
            var (isRenamed, left) = (false, failures)
            bench.files.afterRename = { isRenamed = isRenamed || FullDiskTests.isMerge($0) }
            bench.files.beforeSyncDirectory = { path in
                guard isRenamed, left > 0 else { return nil }
                left -= 1
                return ENOSPC
            }
            #expect(bench.maintain() == .diskFull)
            var count = 8
            for second in 8..<28 {
                let store = try bench.opened(bench.disk.crashed(cut, using: &random))
                #expect(store.tables[0].summary().rowCount == count, "seed \(seed), \(failures) failures")
                try? bench.flushRow(second)
                count += 1
                bench.clock.advance(by: .minutes(1))
                _ = bench.maintain()
            }
            #expect(bench.partitions[0].segments.count < 20)
        }
    }
}

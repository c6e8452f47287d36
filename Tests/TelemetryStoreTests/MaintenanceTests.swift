import Glibc
import Telemetry
import Testing

@testable import TelemetryStore

@Suite("Maintenance")
struct MaintenanceTests {
    let now = Bench.start

    // MARK: - Damage

    @Test("a damaged segment is left where it is, and what is beside it is merged", arguments: [[0], [7], [3, 20], [59]])
    func damagedSegment(damaged: [Int]) throws {
        let bench = try HookedBench { table, _ in table.partitionLength = .hours(1) }
        var errors = 0
        for second in 0..<60 {
            try bench.flushRow(second)
            if damaged.contains(second) { bench.disk.flip(bench.partitions[0].segments.last!.path, at: 20) }
            if let code = bench.maintain() {
                #expect(code == .corruption)
                errors += 1
            }
        }
        #expect(bench.partitions[0].segments.count < 24)
        #expect(bench.temporaries.isEmpty)
        #expect(errors <= damaged.count, "each is met once")
        bench.clock.advance(by: .hours(2))
        _ = bench.maintain()
        #expect(bench.table.partitions().map(\.state) == [.sealed])
        #expect(bench.partitions[0].segments.count <= 2 * damaged.count + 1)
        #expect(try bench.opened(bench.disk).tables[0].summary().rowCount == 60)
    }

    @Test("the sources of a merge stay until the merged segment was opened")
    func sourcesStay() throws {
        let bench = try HookedBench()
        for second in 0..<3 { try bench.flushRow(second) }
        // Killed between the merge and the removal of its sources; then the merged one is damaged.
        let (disk, killed) = (bench.disk, Guarded<SimulatedFileSystem?>(nil))
        bench.files.afterRename = { if FullDiskTests.isMerge($0) { killed.value = disk.copy() } }
        bench.clock.advance(by: .minutes(2))
        try bench.store.performMaintenance()
        let left = try #require(killed.value)
        let merged = try #require(left.files.first(where: FullDiskTests.isMerge))
        left.flip(merged, at: left.contents(merged).count - 8)
        #expect { _ = try bench.opened(left) } throws: { ($0 as? StoreError)?.code == .corruption }
        #expect(left.files.count { $0.hasSuffix(".seg") } == 4)
        try left.unlink(merged)
        #expect(try bench.opened(left).tables[0].summary().rowCount == 3)
    }

    // MARK: - Memory

    @Test("a pass ends while commits keep memory above its budget")
    func passEndsUnderLoad() throws {
        let bench = try HookedBench { table, options in
            table.partitionLength = .hours(1)
            options.headByteBudget = 256 << 10
            options.logFileByteCount = 1 << 19
        }
        let count = Guarded(0)
        let load = {
            var batch = ReadingBatch()
            for _ in 0..<2_800 {
                count.value += 1
                let time = Bench.start - .minutes(10) + .milliseconds(Int64(count.value))
                batch.append(reading("d", time, ["s": .string(String(repeating: "x", count: 100))]))
            }
            _ = try? bench.store.commit(&batch)
        }
        load()
        let flushes = Guarded(0)
        defer { bench.files.removeHooks() }
        bench.files.afterRename = { path in
            guard path.hasSuffix(".seg"), flushes.value < 40 else { return }
            flushes.value += 1
            load()
        }
        try bench.store.performMaintenance()
        #expect(flushes.value < 5, "\(flushes.value) flushes in one pass")
    }

    @Test("one partition that cannot be flushed does not keep the others in memory")
    func memoryBesideFailedFlush() throws {
        let bench = try HookedBench { _, options in options.headByteBudget = 64 << 10 }
        let text = FieldValue.string(String(repeating: "x", count: 60_000))
        try bench.commit(reading("d", now, ["s": text]), reading("d", now + .seconds(1), ["s": text]))
        let stuck = bench.partitions[0].directory
        bench.files.beforeWrite = { path, _, _, _ in path.hasPrefix(stuck) ? ENOSPC : nil }
        #expect(bench.maintain() == .diskFull)  // frozen: tried first in every pass
        try bench.commit(reading("d", now + .minutes(2), ["s": text]), reading("d", now + .minutes(2) + .seconds(1), ["s": text]))
        #expect(bench.maintain() == .diskFull)
        #expect(bench.partitions.map(\.hasUnflushedRows) == [true, false])
    }

    // MARK: - Drops

    @Test("a partition goes with all that is in it, and what a link leads to stays")
    func foreignDirectory() throws {
        let path = "/tmp/gaugehouse-drop-\(getpid())"
        let files = RealFileSystem()
        defer { try? files.removeTree(path) }
        try files.createDirectory(path + "/elsewhere")
        _ = try files.open(path + "/elsewhere/kept", .create)
        let clock = ManualClock(now)
        var table = TableOptions(name: "telemetry")
        (table.partitionLength, table.sealAfter, table.ttl) = (.minutes(1), .seconds(10), .minutes(10))
        let store = try TelemetryStore.open(options: StoreOptions(path: path + "/store"), tables: [table], clock: clock)
        var batch = ReadingBatch()
        batch.append(reading("d", now, ["a": .integer(1)]))
        _ = try store.commit(&batch)
        clock.advance(by: .minutes(2))
        try store.performMaintenance()
        let core = store.tables[0].core
        let partition = core.lock.reading { core.partitions.values.first!.directory }
        try files.createDirectory(partition + "/copy/of")
        _ = try files.open(partition + "/copy/of/something", .create)
        #expect(symlink(path + "/elsewhere", partition + "/link") == 0)
        clock.advance(by: .minutes(10))
        try store.performMaintenance()
        #expect(try files.list(core.directory).isEmpty)
        #expect(try files.list(path + "/elsewhere") == ["kept"])
        try store.close()
    }

    @Test("a removal that fails stops neither maintenance nor a start, and is made up for", arguments: [EBUSY, EPERM, ENOTEMPTY])
    func removalFails(errno: Int32) throws {
        let bench = try HookedBench { table, _ in table.ttl = .minutes(10) }
        try bench.commit(reading("d", now, ["a": .integer(1)]))
        bench.clock.advance(by: .minutes(2))
        try bench.store.performMaintenance()
        let directory = bench.partitions[0].directory
        bench.files.beforeRemoveDirectory = { _ in errno }
        bench.clock.advance(by: .minutes(10))
        #expect(bench.maintain() == .unusable)
        #expect(bench.table.partitions().isEmpty)
        #expect(bench.maintain() == .unusable, "it is tried, and told, again")
        let restarted = try TelemetryStore.open(
            options: bench.storeOptions, tables: [bench.tableOptions], fileSystem: bench.files, clock: bench.clock)
        #expect(throws: StoreError.self) { try restarted.performMaintenance() }
        bench.files.beforeRemoveDirectory = nil
        #expect(bench.maintain() == nil)
        #expect(!bench.disk.files.contains { $0.hasPrefix(directory) })
    }

    /// The row's time was checked before the partition expired, and the row is applied while a pass looks for what is to be dropped.
    @Test("a row that comes while its partition is dropped is not dropped undelivered")
    func lateRowDuringDrop() throws {
        for attempt in 0..<12 {
            let bench = try HookedBench { table, _ in
                table.ttl = .minutes(10)
                table.requiredDeliveries = ["archive"]
            }
            try bench.commit(reading("d", now, ["a": .integer(1)]))
            bench.clock.advance(by: .minutes(2))
            try bench.store.performMaintenance()
            for due in bench.table.deliverable(task: "archive", endingBefore: bench.clock.now()) {
                try bench.table.markDelivered(due.id, task: "archive", through: due.through)
            }
            // Older ones without rows, so that the look takes its time.
            let window = bench.partitions[0].id.window
            bench.core.lock.writing { for older in 1...10_000 { _ = bench.core.partitionLocked(window - Int64(older)) } }
            let (isWaiting, mayGo) = (Guarded(false), Guarded(false))
            bench.files.beforeWrite = { path, _, _, _ in
                guard path.contains(".log") else { return nil }
                isWaiting.value = true
                while !mayGo.value { usleep(50) }
                return nil
            }
            let late = Unchecked { _ = try? bench.commit(reading("d", self.now + .seconds(1), ["a": .integer(2)])) }
            let pass = Unchecked { _ = bench.maintain() }
            let committer = NamedThread(name: "late") { late.run() }
            while !isWaiting.value { usleep(50) }
            bench.clock.advance(by: .minutes(10))
            let dropper = NamedThread(name: "pass") { pass.run() }
            usleep(UInt32(attempt) * 1_000)
            mayGo.value = true
            committer.join()
            dropper.join()
            #expect(bench.store.statistics.readings == 2)
            guard bench.partitions.allSatisfy({ $0.id.window != window }) else { continue }
            #expect(bench.table.device("d")?.summary.readingCount == 1, "stored, acked, and dropped undelivered")
        }
    }
}

import Glibc
import Synchronization
import Telemetry
import Testing

@testable import TelemetryStore

/// Each was wrong once.
@Suite("Faults that were found")
struct RegressionTests {
    let now = Bench.start
    func table() -> TableOptions {
        var o = TableOptions(name: "telemetry")
        o.partitionLength = .minutes(1)
        o.sealAfter = .seconds(10)
        return o
    }
    func options() -> StoreOptions {
        var o = StoreOptions(path: "/store")
        o.logFileByteCount = 1 << 16
        return o
    }
    func commit(_ store: TelemetryStore, _ readings: Reading...) throws -> CommitReceipt {
        var batch = ReadingBatch()
        for r in readings { batch.append(r) }
        return try store.commit(&batch)
    }
    func all(_ store: TelemetryStore, _ device: String, fields: [String]? = nil) throws -> RangePage? {
        var q = RangeQuery(device: device, start: .distantPast, end: .distantFuture)
        q.fields = fields
        q.limit = 100_000
        return try store.tables[0].range(q)
    }
    func open(_ fs: any FileSystem, _ clock: ManualClock, _ t: TableOptions? = nil, _ o: StoreOptions? = nil) throws -> TelemetryStore {
        try TelemetryStore.open(options: o ?? options(), tables: [t ?? table()], fileSystem: fs, clock: clock)
    }

    @Test("a range of chosen fields finds every row that has one, page by page")
    func sparseField() throws {
        for order in [RangeQuery.Order.descending, .ascending] {
            let bench = try Bench { t, _ in t.partitionLength = .hours(1) }
            let base = now - .minutes(10)
            for i in 0..<500 {
                var f: [String: FieldValue] = ["a": .integer(Int64(i))]
                if i == 0 || i == 499 || i == 250 { f["b"] = .integer(7) }
                try bench.commit(reading("d", base + .seconds(Int64(i)), f))
            }
            var q = RangeQuery(device: "d", start: .distantPast, end: .distantFuture)
            q.fields = ["b"]
            q.limit = 5
            q.order = order
            var count = 0
            repeat {
                let page = try #require(try bench.table.range(q))
                count += page.times.count
                q.after = page.nextAfter
            } while q.after != nil
            #expect(count == 3, "\(order)")
        }
    }

    @Test("a process killed between write and sync, started again, then a power cut: what was acked since is there")
    func killBeforeSync() throws {
        var failures: [String: Int] = [:]
        for seed in 0..<40 {
            let disk = SimulatedFileSystem()
            let clock = ManualClock(now)
            var store: TelemetryStore? = try open(disk, clock)
            _ = try commit(store!, reading("d", now, ["a": .integer(1)]))
            disk.fail(after: 2, errno: EIO, isLasting: true)  // the process dies after pwrite, before fdatasync
            #expect(throws: StoreError.self) { try commit(store!, reading("d", now + .seconds(1), ["a": .integer(2)])) }
            try? store!.close()
            store = nil
            disk.heal()
            store = try open(disk, clock)  // started again at once: page cache intact
            _ = try commit(store!, reading("d", now + .seconds(2), ["a": .integer(3)]))  // acked
            var random = SeededGenerator(seed: UInt64(seed))
            let after = disk.crashed(using: &random)
            do {
                let again = try open(after, clock)
                let times = try all(again, "d")?.times ?? []
                if !times.contains(now + .seconds(2)) { failures["acked reading lost", default: 0] += 1 }
            } catch { failures["\(error)", default: 0] += 1 }
        }
        #expect(failures.isEmpty, "\(failures)")
    }

    @Test("a power cut with durability = interval leaves a store that opens")
    func relaxedPowerCut() throws {
        var failures: [String: Int] = [:]
        for seed in 0..<20 {
            var o = options()
            o.durability = .interval
            let disk = SimulatedFileSystem()
            let clock = ManualClock(now)
            let store = try open(disk, clock, nil, o)
            _ = try commit(store, reading("d", now, ["a": .integer(1)]))
            try store.performMaintenance()
            _ = try commit(store, reading("d", now + .seconds(1), ["a": .integer(2)]))
            try store.maintenance.checkpoint()  // as drop, merge and trim do in the middle of a pass
            var random = SeededGenerator(seed: UInt64(seed))
            let after = disk.crashed(using: &random)
            do { _ = try open(after, clock, nil, o) } catch { failures["\(error)", default: 0] += 1 }
        }
        #expect(failures.isEmpty, "\(failures)")
    }

    @Test("a write that failed half-way on a full disk leaves nothing behind that a restart trips over")
    func halfWrittenRecord() throws {
        let disk = SimulatedFileSystem()
        let fs = HookedFileSystem(disk)
        let clock = ManualClock(now)
        let store = try open(fs, clock)
        _ = try commit(store, reading("d", now, ["a": .integer(1)]))
        var once = true
        fs.beforeWrite = { path, bytes, offset, file in
            guard path.contains(".log"), once else { return nil }
            once = false
            try? file.write(UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - 8)]), at: offset)  // most of it, then no space
            return ENOSPC
        }
        let big = reading("d", now + .seconds(1), ["s": .binary([UInt8](repeating: 0x55, count: 40_000))])
        #expect(throws: StoreError.self) { try commit(store, big) }
        // Space is back: a small one first, then the big one again, which no longer fits and rotates.
        _ = try commit(store, reading("d", now + .seconds(2), ["a": .integer(2)]))
        _ = try commit(store, reading("d", now + .seconds(3), ["s": .binary([UInt8](repeating: 0x55, count: 65_536))]))
        do { _ = try open(disk.copy(), clock) } catch { Issue.record("does not open: \(error)") }
    }

    @Test("one damaged segment does not stop the maintenance of healthy partitions")
    func damageStaysLocal() throws {
        let bench = try Bench()
        try bench.commit(reading("d", now, ["a": .integer(1)]))
        try bench.flush()
        try bench.commit(reading("d", now + .seconds(1), ["a": .integer(2)]))
        try bench.flush()
        let segment = try #require(bench.disk.files.last { $0.hasSuffix(".seg") })
        bench.disk.flip(segment, at: 20)
        bench.clock.advance(by: .minutes(5))
        try bench.commit(reading("other", bench.clock.now(), ["a": .integer(3)]))
        bench.clock.advance(by: .hours(1))
        var errors = Set<String>()
        for _ in 0..<5 { do { try bench.store.performMaintenance() } catch { errors.insert("\(error)") } }
        let heads = bench.store.statistics.headByteCount
        #expect(heads == 0, "healthy partitions are not flushed any more: \(heads) bytes; \(errors)")
    }

    @Test("after a failed sync nothing that waited is acked")
    func failedSyncIsFinal() throws {
        let fs = HookedFileSystem(SimulatedFileSystem())
        let clock = ManualClock(now)
        let store = try open(fs, clock)
        _ = try commit(store, reading("d", now, ["a": .integer(1)]))
        let (result, waiter) = (Guarded("none"), Guarded<NamedThread?>(nil))
        var once = true
        defer { fs.removeHooks() }
        fs.beforeSync = { path in
            guard path.contains(".log"), once else { return nil }
            once = false
            let body = Unchecked {
                do {
                    _ = try self.commit(store, reading("d", self.now + .seconds(2), ["a": .integer(3)]))
                    result.value = "acked after a failed fsync"
                } catch { result.value = "failed" }
            }
            waiter.value = NamedThread(name: "waiter") { body.run() }
            usleep(300_000)
            return EIO
        }
        #expect(throws: StoreError.self) { try commit(store, reading("d", now + .seconds(1), ["a": .integer(2)])) }
        waiter.value?.join()
        #expect(result.value == "failed")
    }

    @Test("sealing ends while late rows keep arriving")
    func sealEnds() throws {
        let fs = HookedFileSystem(SimulatedFileSystem())
        let clock = ManualClock(now)
        let store = try open(fs, clock)
        _ = try commit(store, reading("d", now, ["a": .integer(0)]))
        clock.advance(by: .minutes(2))
        var count = 0
        defer { fs.removeHooks() }
        fs.afterRename = { path in
            guard path.hasSuffix(".seg"), count < 40 else { return }
            count += 1
            _ = try? self.commit(store, reading("d", self.now + .milliseconds(Int64(count)), ["a": .integer(1)]))
        }
        try store.performMaintenance()
        #expect(store.statistics.flushes <= 3, "\(store.statistics.flushes) flushes in one pass")
    }

    @Test("a clock that was ahead does not make readings without a time come from the future")
    func clockStepBack() throws {
        let bench = try Bench()
        bench.clock.advance(by: .hours(2))  // RTC in local time
        try bench.commit(reading("d", nil, ["a": .integer(1)]))
        bench.clock.advance(by: .hours(-2))  // NTP
        let receipt = try bench.commit(reading("d", nil, ["a": .integer(2)]))
        #expect(receipt.rejections.isEmpty, "\(receipt.rejections)")
    }

    @Test("a flush that failed and then succeeded is counted once, through a checkpoint between and a crash")
    func countAfterFailedFlush() throws {
        let bench = try Bench()
        try bench.commit(reading("d", now, ["a": .integer(1)]))
        bench.disk.fail(after: 4, errno: ENOSPC, isLasting: false)
        #expect(throws: StoreError.self) { try bench.flush() }
        try bench.store.maintenance.checkpoint()
        try bench.flush()
        #expect(bench.table.device("d")?.summary.readingCount == 1)
        let again = try open(bench.disk.copy(), bench.clock)
        #expect(again.tables[0].device("d")?.summary.readingCount == 1)
    }

    @Test("a process killed before a directory was synced, then a power cut: nothing acked is lost")
    func killBeforeDirectorySync() throws {
        var failures: [String: Int] = [:]
        for seed in 0..<20 {
            let disk = SimulatedFileSystem()
            let clock = ManualClock(now)
            let fs = HookedFileSystem(disk)
            var store: TelemetryStore? = try open(fs, clock)
            for i in 0..<4 {
                _ = try commit(store!, reading("d", now + .milliseconds(Int64(i)), ["s": .binary([UInt8](repeating: 1, count: 30_000))]))
            }
            fs.beforeSyncDirectory = { $0.hasSuffix("Z") ? EIO : nil }  // the process is killed here
            let core = store!.tables[0].core
            let partition = core.lock.reading { core.partitions.values.first! }
            #expect(throws: StoreError.self) {
                try store!.maintenance.turn { () throws(StoreError) in try store!.maintenance.flush(partition, of: core) }
            }
            store = nil
            store = try open(disk, clock)
            clock.advance(by: .seconds(5))
            for i in 0..<4 {
                _ = try commit(
                    store!, reading("e", clock.now() + .milliseconds(Int64(i)), ["s": .binary([UInt8](repeating: 1, count: 30_000))]))
            }
            clock.advance(by: .seconds(1))
            try store!.performMaintenance()  // trims the log
            var random = SeededGenerator(seed: UInt64(seed))
            let after = disk.crashed(using: &random)
            do {
                let again = try open(after, clock)
                let count = try all(again, "d")?.times.count ?? 0
                if count != 4 { failures["\(count) of 4 acked readings", default: 0] += 1 }
            } catch { failures["\(error)", default: 0] += 1 }
        }
        #expect(failures.isEmpty, "\(failures)")
    }

    @Test("a log cut short at a record's end is reported")
    func truncatedLog() throws {
        let bench = try Bench()
        try bench.commit(reading("d", now, ["a": .integer(1)]))
        let log = try #require(bench.disk.files.first { $0.hasSuffix(".log") })
        let end = (bench.disk.contents(log).lastIndex { $0 != 0 }! / 8 + 1) * 8
        try bench.commit(reading("d", now + .seconds(1), ["a": .integer(2)]))
        let copy = bench.disk.copy()
        try copy.open(log, .readWrite).truncate(to: end)
        do {
            let again = try open(copy, bench.clock)
            let count = try all(again, "d")?.times.count ?? 0
            #expect(count == 2, "opened without a word with \(count) of 2")
        } catch {}
    }

    @Test("a table that left the configuration keeps its versions")
    func tableOutOfConfiguration() throws {
        var a = table()
        a.maxVersions = 3
        var b = table()
        b.name = "b"
        let disk = SimulatedFileSystem()
        let clock = ManualClock(now)
        func open(_ t: [TableOptions]) throws -> TelemetryStore {
            try TelemetryStore.open(options: options(), tables: t, fileSystem: disk, clock: clock)
        }
        var store = try open([a, b])
        for v in 1...3 { _ = try commit(store, reading("d", now, ["a": .integer(Int64(v))])) }
        try store.close()
        store = try open([b])
        clock.advance(by: .hours(1))
        try store.performMaintenance()
        try store.close()
        store = try open([a, b])
        var q = RangeQuery(device: "d", start: .distantPast, end: .distantFuture)
        q.versions = 3
        let page = try #require(try store.tables[0].range(q))
        #expect(page.versions?.cells.count == 3)
    }

    @Test("no device is listed twice while new ones come")
    func listingWhileDevicesCome() throws {
        // position in `sorted` moves under a listing: a name inserted before it shows the last one twice
        let bench = try Bench { _, o in o.logFileByteCount = 1 << 22 }
        var batch = ReadingBatch()
        for i in 0..<5_000 { batch.append(reading("m\(10_000 + i)", now, ["a": .integer(1)])) }
        _ = try bench.store.commit(&batch)
        let stop = Guarded(false)
        let worker = Unchecked {
            var i = 0
            while !stop.value, i < 3_000 {
                var b = ReadingBatch()
                b.append(reading("a\(i)", self.now, ["a": .integer(1)]))
                _ = try? bench.store.commit(&b)
                i += 1
            }
        }
        let thread = NamedThread(name: "worker") { worker.run() }
        var doubled = 0
        for _ in 0..<20 {
            let ids = bench.table.devices(prefix: "", state: nil, after: nil, limit: .max).map(\.id)
            if Set(ids).count != ids.count { doubled += 1 }
        }
        stop.value = true
        thread.join()
        #expect(doubled == 0, "\(doubled) of 20 listings show a device twice")
    }

    @Test("a partition length that is not whole seconds is refused")
    func fractionalPartition() throws {
        #expect { try Bench { table, _ in table.partitionLength = .milliseconds(1_500) } } throws: {
            ($0 as? StoreError)?.code == .configuration
        }
    }

    @Test("an empty partition does not keep others from being dropped")
    func emptyPartition() throws {
        var t = table()
        t.requiredDeliveries = ["archive"]
        t.ttl = .minutes(10)
        let disk = SimulatedFileSystem()
        let clock = ManualClock(now)
        var store = try open(disk, clock, t)
        let core = store.tables[0].core
        try store.close()
        try disk.createDirectory(core.directory + "/" + core.directoryName(of: PartitionID(window: core.window(of: now.microseconds))))
        store = try open(disk, clock, t)
        clock.advance(by: .minutes(2))
        _ = try commit(store, reading("d", clock.now(), ["a": .integer(1)]))
        clock.advance(by: .minutes(3))
        try store.performMaintenance()
        for due in store.tables[0].deliverable(task: "archive", endingBefore: clock.now()) {
            try store.tables[0].markDelivered(due.id, task: "archive", through: due.through)
        }
        clock.advance(by: .hours(1))
        try store.performMaintenance()
        #expect(store.tables[0].partitions().isEmpty, "\(store.tables[0].partitions().map(\.state))")
    }

    @Test("expired partitions are dropped on a full disk: space comes back")
    func dropOnFullDisk() throws {
        let disk = SimulatedFileSystem()
        let fs = HookedFileSystem(disk)
        let clock = ManualClock(now)
        var t = table()
        t.ttl = .minutes(10)
        let store = try open(fs, clock, t)
        _ = try commit(store, reading("d", now, ["a": .integer(1)]))
        clock.advance(by: .minutes(2))
        try store.performMaintenance()
        _ = try commit(store, reading("d", clock.now(), ["a": .integer(2)]))
        // What the reserve held is free once it is gone.
        fs.beforeWrite = { _, _, _, _ in disk.files.contains("/store/reserve") ? ENOSPC : nil }
        clock.advance(by: .minutes(9))  // the first window is expired, the second is due to be sealed
        for _ in 0..<3 { try? store.performMaintenance() }
        #expect(store.tables[0].partitions().map(\.start) == [now + .minutes(2)])
        #expect(!disk.files.contains { $0.contains("20251124T160000Z") })
    }

    @Test("the directory of a store that was made by a process that died is made durable by the next one")
    func killBeforeStoreDirectorySync() throws {
        let disk = SimulatedFileSystem()
        let clock = ManualClock(now)
        let fs = HookedFileSystem(disk)
        fs.beforeSyncDirectory = { $0 == "/" ? EIO : nil }  // the process is killed here
        #expect(throws: StoreError.self) { try open(fs, clock) }
        let store = try open(disk, clock)
        _ = try commit(store, reading("d", now, ["a": .integer(1)]))
        var random = SeededGenerator(seed: 1)
        let again = try open(disk.crashed(.forgetful, using: &random), clock)
        #expect(try all(again, "d")?.times == [now])
    }
}

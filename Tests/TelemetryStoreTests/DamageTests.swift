import Glibc
import Telemetry
import Testing

@testable import TelemetryStore

@Suite("Damage, faults and full disks")
struct DamageTests {
    let now = Bench.start

    private func filled() throws -> Bench {
        let bench = try Bench()
        for step in 0..<20 { try bench.commit(reading("dev-\(step % 3)", now + .seconds(Int64(step)), ["a": .integer(Int64(step))])) }
        return bench
    }

    @Test("a torn end of the log is cut, what was before it stays")
    func tornEnd() throws {
        let bench = try filled()
        let path = try #require(bench.disk.files.first { $0.hasSuffix(".log") })
        // As a power cut: no clean close, and a record half written.
        let copy = bench.disk.copy()
        copy.write(path, [40, 0, 0, 0, 1, 2, 3, 4, 1, 0, 0, 0, 1], at: try end(of: copy.contents(path)))
        let store = try TelemetryStore.open(options: bench.storeOptions, tables: [bench.tableOptions], fileSystem: copy, clock: bench.clock)
        #expect(store.tables[0].summary().rowCount == 20)
        try store.close()
    }

    private func end(of log: [UInt8]) throws -> Int { (try #require(log.lastIndex { $0 != 0 }) / 8 + 1) * 8 }

    @Test("damage in the middle of the log stops the start and names file and offset")
    func middleDamage() throws {
        let bench = try filled()
        let copy = bench.disk.copy()
        let path = try #require(copy.files.first { $0.hasSuffix(".log") })
        copy.flip(path, at: 120)
        #expect {
            _ = try TelemetryStore.open(options: bench.storeOptions, tables: [bench.tableOptions], fileSystem: copy, clock: bench.clock)
        } throws: { error in
            guard let error = error as? StoreError else { return false }
            return error.code == .corruption && error.detail.contains(path) && error.detail.contains("offset 64")
        }
    }

    @Test("a failed sync acks nothing, and the store takes nothing more")
    func failedSync() throws {
        let bench = try filled()
        // write, then sync
        bench.disk.fail(after: 2, errno: EIO, isLasting: false)
        #expect { try bench.commit(reading("d", now, ["a": .integer(1)])) } throws: { ($0 as? StoreError)?.code == .fatal }
        #expect(bench.store.failure?.code == .fatal)
        #expect { try bench.commit(reading("d", now, ["a": .integer(1)])) } throws: { ($0 as? StoreError)?.code == .fatal }
        #expect(try bench.rows("dev-0").times.count == 7)
    }

    @Test("a full disk refuses writes, reads go on, and writing resumes by itself")
    func diskFull() throws {
        let bench = try filled()
        bench.disk.fail(after: 1, errno: ENOSPC, isLasting: true)
        for _ in 0..<3 {
            #expect { try bench.commit(reading("d", now, ["a": .integer(1)])) } throws: { ($0 as? StoreError)?.code == .diskFull }
        }
        #expect(throws: StoreError.self) { try bench.flush() }
        bench.disk.heal()
        #expect(try bench.rows("dev-0").times.count == 7)
        #expect(try bench.commit(reading("d", now, ["a": .integer(1)])).accepted == 1)
        try bench.flush()
        try bench.reopen()
        #expect(bench.table.summary().rowCount == 21)
    }

    @Test("every single failing operation leaves a store that opens again with all that was acked", arguments: 0..<120)
    func everyOperationFails(step: Int) throws {
        let bench = try Bench()
        var acked = 0
        bench.disk.fail(after: step + 1, errno: step % 2 == 0 ? EIO : ENOSPC, isLasting: false)
        for round in 0..<6 {
            do {
                acked += try bench.commit(reading("d", now + .seconds(Int64(round)), ["a": .integer(Int64(round))])).accepted
                try bench.flush()
                bench.clock.advance(by: .seconds(30))
                try bench.store.performMaintenance()
            } catch is StoreError {}
        }
        bench.disk.heal()
        try? bench.store.close()
        try bench.reopen()
        let page = try bench.table.range(RangeQuery(device: "d", start: .distantPast, end: .distantFuture))
        #expect((acked...6).contains(page?.times.count ?? 0))
    }

    @Test("a second process is told who holds the store")
    func locked() throws {
        let path = "/tmp/gaugehouse-lock-\(getpid())"
        defer { try? RealFileSystem().removeTree(path) }
        let store = try TelemetryStore.open(options: StoreOptions(path: path), tables: [TableOptions(name: "telemetry")])
        #expect { _ = try TelemetryStore.open(options: StoreOptions(path: path), tables: [TableOptions(name: "telemetry")]) } throws: {
            error in
            (error as? StoreError)?.code == .locked && "\(error)".contains("process \(getpid())")
        }
        try store.close()
    }

    @Test("a directory that cannot be used is an error that names it")
    func unusable() throws {
        #expect { _ = try TelemetryStore.open(options: StoreOptions(path: "/proc/none"), tables: [TableOptions(name: "t")]) } throws: {
            ($0 as? StoreError)?.code == .unusable && "\($0)".contains("/proc")
        }
    }
}

extension RealFileSystem {
    func removeTree(_ path: String) throws {
        for name in try list(path) {
            let entry = path + "/" + name
            var status = stat()
            guard lstat(entry, &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR { try removeTree(entry) } else { try unlink(entry) }
        }
        rmdir(path)
    }
}

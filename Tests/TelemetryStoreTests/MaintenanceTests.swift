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

    // MARK: - Memory

    @Test("a pass ends while commits keep memory above its budget")
    func passEndsUnderLoad() throws {
        let bench = try HookedBench { table, options in
            table.partitionLength = .hours(1)
            options.headByteBudget = 256 << 10
            options.logFileByteCount = 1 << 19
        }
        let count = Box(0)
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
        let flushes = Box(0)
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
}

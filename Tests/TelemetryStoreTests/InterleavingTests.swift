import Glibc
import Telemetry
import TelemetryCodec
import Testing

@testable import TelemetryStore

/// A commit that brings a field, between two looks of somebody who reads.
@Suite("Fields that come meanwhile")
struct InterleavingTests {
    private let now = Bench.start

    @Test("a checkpoint that is written while new fields come can be read back", .timeLimit(.minutes(5)))
    func checkpoint() throws {
        let bench = try Bench { _, options in options.logFileByteCount = 1 << 22 }
        var batch = ReadingBatch()
        for number in 0..<20_000 { batch.append(reading("m\(number)", now, ["a": .integer(1)])) }
        _ = try bench.store.commit(&batch)
        let isOver = Guarded(false)
        let committer = Unchecked {
            var number = 0
            while !isOver.value, number < 5_000 {
                number += 1
                do {
                    try bench.commit(reading("m19999", now + .milliseconds(Int64(number)), ["f\(number)": .integer(Int64(number))]))
                } catch {
                    Issue.record(error)
                }
                usleep(2_000)
            }
        }
        let thread = NamedThread(name: "committer") { committer.run() }
        for _ in 0..<5 {
            try bench.store.maintenance.checkpoint()
            let killed = bench.disk.copy()
            let store = try TelemetryStore.open(
                options: bench.storeOptions, tables: [bench.tableOptions], fileSystem: killed, clock: bench.clock)
            let latest = try #require(store.tables[0].latest(device: "m19999", fields: nil))
            // The fields come in order, each with its number: none is missing of those that came before the last.
            let numbers = latest.entries.filter { $0.field.hasPrefix("f") }.map(\.cell.integer).sorted()
            #expect(numbers == Array(1..<(Int64(numbers.count) + 1)))
        }
        isOver.value = true
        thread.join()
    }

    @Test("latest and device answer while a commit brings their device a field")
    func latest() throws {
        let bench = try Bench()
        try bench.commit(reading("d", now, ["a": .integer(1)]))
        let (latest, detail) = (Guarded<LatestReading?>(nil), Guarded<DeviceDetail?>(nil))
        let readers = [
            Unchecked { latest.value = bench.table.latest(device: "d", fields: nil) },
            Unchecked { detail.value = bench.table.device("d") },
        ]
        let core = bench.table.core
        let threads = core.lock.writing { () -> [NamedThread] in
            let threads = readers.map { reader in NamedThread(name: "reader") { reader.run() } }
            usleep(300_000)  // both have their names and wait for the lock
            applyNewField(core)
            return threads
        }
        for thread in threads { thread.join() }
        #expect(latest.value?.entries.map(\.field) == ["b"] || latest.value?.entries.map(\.field) == ["a", "b"])
        #expect(detail.value?.fields.contains { $0.name == "b" } == true)
    }

    /// What the thread that applies commits does, under the lock: d's second row, with a field "b".
    private func applyNewField(_ core: TableCore) {
        core.registry.withNames { names in _ = Array("b".utf8).withUnsafeBytes { names.insertField($0) } }
        var rows = RawBuffer()
        rows.append(varint: UInt64(0))
        rows.append(zigzag: now.microseconds + 1)
        rows.append(fixed: UInt32(2))
        rows.append(varint: UInt64(1) << 3 | CellCoding.integer)
        rows.append(zigzag: 2)
        do throws(CodecError) {
            _ = try rows.withBytes { (bytes) throws(CodecError) in
                try core.applyLocked(bytes, count: 1, base: 0, commitTime: 1, firstSequence: 2, isReplay: false)
            }
        } catch {
            Issue.record(error)
        }
    }
}

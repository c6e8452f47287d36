import Glibc
import Synchronization
import Telemetry
import TelemetryCodec
import Testing

@testable import TelemetryStore

/// What a device sends must not stop the store, whatever it is.
@Suite("Hostile devices")
struct HostileDeviceTests {
    private let now = Bench.start

    @Test("a value that looks like a record of the log does not pass for one when its record is torn")
    func recordInAValue() throws {
        let disk = SimulatedFileSystem()
        let fs = HookedFileSystem(disk)
        let bench = try Bench()
        var options = bench.storeOptions
        options.logFileByteCount = 1 << 18
        let store = try TelemetryStore.open(options: options, tables: [bench.tableOptions], fileSystem: fs, clock: bench.clock)
        var first = ReadingBatch()
        first.append(reading("d", now, ["a": .integer(1)]))
        _ = try store.commit(&first)
        let value = try forgedRecords()
        // A power cut takes the first page of the record and leaves the others.
        fs.beforeWrite = { path, bytes, offset, file in
            guard path.contains(".log") else { return nil }
            do throws(FileError) {
                try file.write(UnsafeRawBufferPointer(rebasing: bytes[4_096...]), at: offset + 4_096)
            } catch {
                Issue.record(error)
            }
            return EIO
        }
        var second = ReadingBatch()
        second.append(reading("d", now + .seconds(1), ["s": .binary(value)]))
        #expect(throws: StoreError.self) { try store.commit(&second) }
        let again = try TelemetryStore.open(options: options, tables: [bench.tableOptions], fileSystem: disk.copy(), clock: bench.clock)
        #expect(again.tables[0].device("d")?.summary.readingCount == 1)
    }

    /// Records that are valid but for the salt, at every alignment; all else of a file's first records is easily guessed.
    private func forgedRecords() throws -> [UInt8] {
        var file = RawBuffer()
        file.append(fixed: LogFormat.magic)
        file.append(fixed: UInt32(1))
        file.append(fixed: UInt32(1))
        while file.count < 60 { file.append(UInt8(0)) }
        let checksum = file.withBytes { crc32c($0) }
        file.append(fixed: checksum)
        let unsalted = try file.withBytes { (bytes) throws(CodecError) in try LogFileHeader(bytes) }
        var record = RawBuffer()
        LogRecordHeader.begin(&record)
        for _ in 0..<8 { record.append(UInt8(1)) }
        LogRecordHeader(payloadByteCount: 8, firstSequence: 2, readingCount: 1, commitTime: 1).complete(&record, in: unsalted)
        let one = record.withBytes { Array($0) }
        var value: [UInt8] = []
        while value.count < 60_000 { value += one + [0] }
        return value
    }

    @Test("names and long values without end do not fill memory: a device's latest values have a limit, the oldest go")
    func latestValues() throws {
        let bench = try Bench { _, options in options.logFileByteCount = 1 << 20 }
        for number in 0..<60 {
            let value = String(repeating: "x", count: 60_000)
            try bench.commit(reading("d", now + .milliseconds(Int64(number)), ["s\(number)": .string(value)]))
        }
        let bytes = bench.table.core.states.byteCount
        #expect(bytes < Limits.latestBytesPerDevice + 300_000, "\(bytes) bytes")
        let fields = try #require(bench.table.latest(device: "d", fields: nil)).entries.map(\.field)
        #expect(fields.count > 10 && fields.contains("s59") && fields.contains("s50") && !fields.contains("s0"))
    }

    @Test("late rows keep no segment open that was merged or dropped")
    func segmentsOfLateRows() throws {
        let fs = SegmentCounter(SimulatedFileSystem())
        let clock = ManualClock(now)
        var options = TableOptions(name: "telemetry")
        (options.partitionLength, options.sealAfter, options.ttl) = (.minutes(1), .seconds(10), .minutes(5))
        let store = try TelemetryStore.open(options: StoreOptions(path: "/store"), tables: [options], fileSystem: fs, clock: clock)
        let core = store.tables[0].core
        func commit(_ readings: Reading...) throws {
            var batch = ReadingBatch()
            for reading in readings { batch.append(reading) }
            _ = try store.commit(&batch)
        }
        for window in 0..<20 {
            let start = now + .minutes(Int64(window))
            clock.set(to: start + .seconds(20))
            try commit(reading("d", start, ["a": .integer(1)]), reading("d", start + .seconds(9), ["a": .integer(1)]))
            for partition in core.lock.reading({ Array(core.partitions.values) }) {
                try store.maintenance.turn { () throws(StoreError) in try store.maintenance.flush(partition, of: core) }
            }
            try commit(reading("d", start + .seconds(3), ["a": .integer(1)]))
            clock.set(to: start + .seconds(59))
            try store.performMaintenance()
        }
        let live = core.lock.reading { core.partitions.values.reduce(0) { $0 + $1.segments.count } }
        #expect(live < 10)
        #expect(fs.openCount == live)
    }
}

/// Counts the segment files that are open.
private final class SegmentCounter: FileSystem {
    final class Count: Sendable { let files = Atomic(0) }

    private let disk: SimulatedFileSystem
    private let count = Count()
    init(_ disk: SimulatedFileSystem) { self.disk = disk }

    var openCount: Int { count.files.load(ordering: .sequentiallyConsistent) }

    func open(_ path: String, _ mode: FileMode) throws(FileError) -> any File {
        let file = try disk.open(path, mode)
        return path.hasSuffix(".seg") ? CountedFile(file, count) : file
    }
    func createDirectory(_ path: String) throws(FileError) { try disk.createDirectory(path) }
    func list(_ directory: String) throws(FileError) -> [String] { try disk.list(directory) }
    func exists(_ path: String) throws(FileError) -> Bool { try disk.exists(path) }
    func rename(_ from: String, to: String) throws(FileError) { try disk.rename(from, to: to) }
    func unlink(_ path: String) throws(FileError) { try disk.unlink(path) }
    func removeDirectory(_ path: String) throws(FileError) { try disk.removeDirectory(path) }
    func syncDirectory(_ path: String) throws(FileError) { try disk.syncDirectory(path) }
    func lock(_ path: String) throws(FileError) -> any FileLock { try disk.lock(path) }
}

private final class CountedFile: File {
    private let file: any File
    private let count: SegmentCounter.Count
    init(_ file: any File, _ count: SegmentCounter.Count) {
        (self.file, self.count) = (file, count)
        count.files.add(1, ordering: .sequentiallyConsistent)
    }
    deinit { count.files.subtract(1, ordering: .sequentiallyConsistent) }

    func byteCount() throws(FileError) -> Int { try file.byteCount() }
    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        try file.read(at: offset, into: buffer)
    }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) { try file.write(bytes, at: offset) }
    func sync() throws(FileError) { try file.sync() }
    func allocate(_ byteCount: Int) throws(FileError) { try file.allocate(byteCount) }
    func truncate(to byteCount: Int) throws(FileError) { try file.truncate(to: byteCount) }
}

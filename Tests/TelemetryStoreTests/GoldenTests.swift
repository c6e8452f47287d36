import Glibc
import Telemetry
import TelemetryCodec
import Testing

@testable import TelemetryStore

/// A small store of every file class, as written by the first version of each format. It must stay readable for ever.
///
/// `GAUGEHOUSE_WRITE_GOLDEN=1` writes the files of the present formats, for a new version's directory.
@Suite("Golden files")
struct GoldenTests {
    static let directory = String(#filePath[..<#filePath.lastIndex(of: "/")!]) + "/Golden/store-v1"
    let now = Bench.start

    private var options: (StoreOptions, TableOptions) {
        var store = StoreOptions(path: "/store")
        store.logFileByteCount = 2_048
        var table = TableOptions(name: "telemetry")
        table.buckets = 4
        table.maxVersions = 2
        table.partitionLength = .minutes(1)
        table.sealAfter = .seconds(10)
        table.requiredDeliveries = ["archive"]
        return (store, table)
    }

    private func write(to disk: SimulatedFileSystem) throws {
        let clock = ManualClock(now)
        let store = try TelemetryStore.open(options: options.0, tables: [options.1], fileSystem: disk, clock: clock)
        func commit(_ readings: Reading...) throws {
            var batch = ReadingBatch()
            for reading in readings { batch.append(reading) }
            _ = try store.commit(&batch, note: CommitNote(source: "mqtt/golden", bytes: [7]))
        }
        try commit(
            reading(
                "line/1", now, ["i": .integer(-5), "d": .double(21.5), "b": .boolean(true), "s": .string("grün"), "x": .binary([0, 255])]),
            reading("line/2", now, ["d": .double(-0.0)]))
        try commit(reading("line/1", now, ["i": .integer(6)]), reading("line/1", now + .seconds(1), ["i": .double(0.25)]))
        clock.advance(by: .seconds(80))
        try store.performMaintenance()
        try store.tables[0].markDelivered(store.tables[0].partitions()[0].id, task: "archive", through: 1)
        try commit(reading("line/2", now + .seconds(5), ["late": .boolean(false)]), reading("line/1", clock.now(), ["i": .integer(7)]))
        try store.close()
    }

    private func check(_ disk: SimulatedFileSystem) throws {
        let clock = ManualClock(now + .seconds(90))
        let store = try TelemetryStore.open(options: options.0, tables: [options.1], fileSystem: disk, clock: clock)
        let table = store.tables[0]
        #expect(table.summary().rowCount == 5)
        #expect(store.sequence == 6)
        #expect(store.note(from: "mqtt/golden") == [7])
        #expect(table.partitions().map(\.state) == [.open, .sealed])
        #expect(table.device("line/1")?.summary.readingCount == 3)
        var query = RangeQuery(device: "line/1", start: .distantPast, end: .distantFuture)
        query.versions = 2
        let page = try #require(try table.range(query))
        #expect(page.columns.map(\.name) == ["b", "d", "i", "s", "x"])
        #expect(page.times == [now + .seconds(80), now + .seconds(1), now])
        let newest = page.cells.map { $0.value(in: page.bytes) }
        #expect(newest[2] == .integer(7))
        #expect(newest[7] == .double(0.25))
        #expect(Array(newest[10...]) == [.boolean(true), .double(21.5), .integer(6), .string("grün"), .binary([0, 255])])
        let versions = try #require(page.versions)
        #expect(versions.cells[versions.offsets[12]..<versions.offsets[13]].map(\.integer) == [6, -5])
        try store.close()
    }

    @Test("a store of version 1 reads as it was written")
    func version1() throws {
        if getenv("GAUGEHOUSE_WRITE_GOLDEN") != nil { try regenerate() }
        try check(try Self.load())
    }

    @Test("what is written today reads the same")
    func today() throws {
        let disk = SimulatedFileSystem()
        try write(to: disk)
        try check(disk)
    }

    @Test("headers and footers are byte for byte what the documents say")
    func bytes() throws {
        let disk = try Self.load()
        let log = try #require(disk.files.first { $0.hasSuffix(".log") })
        #expect(Array(disk.contents(log).prefix(16)) == Array("GAUGELOG".utf8) + [1, 0, 0, 0, 1, 0, 0, 0])
        let segment = disk.contents(try #require(disk.files.first { $0.hasSuffix(".seg") }))
        #expect(Array(segment.prefix(12)) == Array("GAUGESEG".utf8) + [1, 0, 0, 0])
        let footer = Array(segment.suffix(136))
        #expect(Array(footer.prefix(16)) == Array("GAUGESEG".utf8) + [1, 0, 0, 0, 0, 0, 1, 0])
        #expect(Array(footer[24..<40]) == [1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
        #expect(Array(disk.contents("/store/checkpoint").prefix(12)) == Array("GAUGECHK".utf8) + [1, 0, 0, 0])
        #expect(Array(disk.contents("/store/catalog").prefix(12)) == Array("GAUGECAT".utf8) + [1, 0, 0, 0])
    }

    @Test("the bucket hash never changes")
    func hash() {
        func hash(_ text: String) -> UInt64 { Array(text.utf8).withUnsafeBytes { stableHash($0) } }
        #expect(hash("") == 0)
        #expect(hash("dev-1") == 9_587_857_098_419_804_100)
        #expect(hash("devices/line-7/pump") == 11_528_846_287_995_562_592)
    }

    /// The golden directory on a simulated disk: opening may trim and checkpoint, and must not touch the files.
    private static func load() throws -> SimulatedFileSystem {
        let disk = SimulatedFileSystem()
        try load(directory, as: "/store", into: disk)
        return disk
    }

    static func load(_ path: String, as name: String, into disk: SimulatedFileSystem) throws {
        let real = RealFileSystem()
        try disk.createDirectory(name)
        for entry in try real.list(path) {
            if let bytes = try? real.contents(of: path + "/" + entry) {
                let file = try disk.open(name + "/" + entry, .create)
                try file.write(bytes.buffer, at: 0)
            } else {
                try load(path + "/" + entry, as: name + "/" + entry, into: disk)
            }
        }
    }

    private func regenerate() throws {
        let disk = SimulatedFileSystem()
        try write(to: disk)
        let real = RealFileSystem()
        for file in disk.files where !file.hasSuffix("LOCK") {
            let path = Self.directory + file.dropFirst("/store".count)
            try real.createDirectory(String(path[..<path.lastIndex(of: "/")!]))
            try disk.contents(file).withRawBytes { (bytes) throws(FileError) in try real.replace(path, with: bytes) }
        }
    }
}

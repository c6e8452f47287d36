import Glibc
import Telemetry
import TelemetryCodec
import Testing

@testable import TelemetryStore

/// A small store of every file class for each version of a format that there was. They must stay readable for ever.
///
/// `store-v1`: every format in version 1. `store-v2`: segments and log of version 2, a device with statistics.
/// `GAUGEHOUSE_WRITE_GOLDEN=store-v3` writes the files of the present formats into a new directory; an old one is never written again.
@Suite("Golden files")
struct GoldenTests {
    static let root = String(#filePath[..<#filePath.lastIndex(of: "/")!]) + "/Golden"
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
            _ = try store.commit(&batch, notes: [CommitNote(source: "mqtt/golden", bytes: [7])])
        }
        try commit(
            reading(
                "line/1", now, ["i": .integer(-5), "d": .double(21.5), "b": .boolean(true), "s": .string("grün"), "x": .binary([0, 255])]),
            reading("line/2", now, ["d": .double(-0.0)]))
        try commit(reading("line/1", now, ["i": .integer(6)]), reading("line/1", now + .seconds(1), ["i": .double(0.25)]))
        for index in 0..<Self.longCount { try commit(long(index)) }
        clock.advance(by: .seconds(80))
        try store.performMaintenance()
        try store.tables[0].markDelivered(store.tables[0].partitions()[0].id, task: "archive", through: 1)
        try commit(reading("line/2", now + .seconds(5), ["late": .boolean(false)]), reading("line/1", clock.now(), ["i": .integer(7)]))
        try store.close()
    }

    /// A device with rows enough for statistics; not in `store-v1`.
    private static let longCount = 70

    private func long(_ index: Int) -> Reading {
        reading(
            "line/3", now + .milliseconds(Int64(index) * 100),
            ["n": .integer(Int64(index * index)), "t": .double(Double(200 + index % 7) / 10), "s": .string(index % 9 == 0 ? "hot" : "ok")])
    }

    private func checkLong(_ table: Table) throws {
        let page = try #require(try table.range(RangeQuery(device: "line/3", start: .distantPast, end: .distantFuture)))
        #expect(page.times.count == Self.longCount)
        for (row, time) in page.times.enumerated() {
            let expected = long(Self.longCount - 1 - row)
            #expect(time == expected.time)
            for (column, value) in page.cells[(row * 3)..<(row * 3 + 3)].enumerated() {
                #expect(value.value(in: page.bytes) == expected.fields[page.columns[column].name])
            }
        }
        var query = AggregateQuery(device: "line/3", start: now, end: now + .minutes(1), step: .minutes(1))
        query.fields = ["n"]
        query.functions = [.count, .sum, .first, .last]
        let sum = Int64((0..<Self.longCount).reduce(0) { $0 + $1 * $1 })
        #expect(try table.aggregate(query)?.cells == [.integer(70), .integer(sum), .integer(0), .integer(69 * 69)])
    }

    private func check(_ disk: SimulatedFileSystem, hasLong: Bool = true) throws {
        let clock = ManualClock(now + .seconds(90))
        let store = try TelemetryStore.open(options: options.0, tables: [options.1], fileSystem: disk, clock: clock)
        let table = store.tables[0]
        let extra = hasLong ? Self.longCount : 0
        #expect(table.summary().rowCount == 5 + extra)
        #expect(store.sequence == SequenceNumber(6 + extra))
        if hasLong { try checkLong(table) }
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

    @Test("a store of each version reads as it was written", arguments: ["store-v1", "store-v2"])
    func everyVersion(_ name: String) throws {
        try check(try Self.load(name), hasLong: name != "store-v1")
    }

    @Test("what is written today reads the same")
    func today() throws {
        if let new = getenv("GAUGEHOUSE_WRITE_GOLDEN") { try writeGolden(String(cString: new)) }
        let disk = SimulatedFileSystem()
        try write(to: disk)
        try check(disk)
    }

    @Test("headers and footers are byte for byte what the documents say")
    func bytes() throws {
        let disk = try Self.load("store-v1")
        let log = try #require(disk.files.first { $0.hasSuffix(".log") })
        #expect(Array(disk.contents(log).prefix(16)) == Array("GAUGELOG".utf8) + [1, 0, 0, 0, 1, 0, 0, 0])
        let segment = disk.contents(try #require(disk.files.first { $0.hasSuffix(".seg") }))
        #expect(Array(segment.prefix(12)) == Array("GAUGESEG".utf8) + [1, 0, 0, 0])
        let footer = Array(segment.suffix(136))
        #expect(Array(footer.prefix(16)) == Array("GAUGESEG".utf8) + [1, 0, 0, 0, 0, 0, 1, 0])
        #expect(Array(footer[24..<40]) == [1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
        let second = try Self.load("store-v2")
        for path in second.files where path.hasSuffix(".seg") {
            #expect(Array(second.contents(path).prefix(12)) == Array("GAUGESEG".utf8) + [2, 0, 0, 0])
            #expect(Array(second.contents(path).suffix(136).prefix(12)) == Array("GAUGESEG".utf8) + [2, 0, 0, 0])
        }
        let secondLog = try #require(second.files.first { $0.hasSuffix(".log") })
        #expect(Array(second.contents(secondLog).prefix(12)) == Array("GAUGELOG".utf8) + [2, 0, 0, 0])
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
    private static func load(_ name: String) throws -> SimulatedFileSystem {
        let disk = SimulatedFileSystem()
        try load(root + "/" + name, as: "/store", into: disk)
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

    private func writeGolden(_ name: String) throws {
        let real = RealFileSystem()
        let isThere = try real.exists(Self.root + "/" + name)
        try #require(!isThere, "\(name) is there and never written again")
        let disk = SimulatedFileSystem()
        try write(to: disk)
        for file in disk.files where !file.hasSuffix("LOCK") {
            let path = Self.root + "/" + name + file.dropFirst("/store".count)
            try real.createDirectory(String(path[..<path.lastIndex(of: "/")!]))
            try disk.contents(file).withRawBytes { (bytes) throws(FileError) in try real.replace(path, with: bytes) }
        }
    }
}

import Telemetry
import Testing

@testable import TelemetryStore

/// What a reader was shown.
struct Shown: Equatable {
    var sequences: [SequenceNumber] = []
    var devices: [String] = []
    var numbers: [Int64] = []
    var gaps: [FeedGap] = []
}

extension FeedReader {
    /// Reads to the end.
    func drain(byteLimit: Int = 1 << 16) -> Shown {
        var (shown, rows) = (Shown(), FeedRows())
        while true {
            let progress = read(into: &rows, byteLimit: byteLimit)
            for row in rows.rows {
                shown.sequences.append(row.sequence)
                shown.devices.append(String(decoding: rows.bytes[row.device], as: UTF8.self))
                for value in rows.values[row.values] where rows.fieldNames[value.field] == "n" { shown.numbers.append(value.cell.integer) }
            }
            switch progress {
            case .more: break
            case .gap(let gap): shown.gaps.append(gap)
            case .atEnd: return shown
            }
        }
    }
}

@Suite("Live readers")
struct FeedTests {
    static func bench(bytes: Int = 1 << 20) throws -> Bench { try Bench { $1.feedByteCount = bytes } }

    /// Commits one reading of `device`, a millisecond after the one before.
    static func commit(_ number: Int, _ device: String = "d", _ fields: [String: FieldValue] = [:], to bench: Bench) throws {
        let time = Bench.start + TimeSpan(microseconds: Int64(number) * 1_000)
        try bench.commit(reading(device, time, fields.merging(["n": .integer(Int64(number))]) { $1 }))
    }

    static func reader(
        _ bench: Bench, after: SequenceNumber? = nil, _ change: (inout FeedSelection) -> Void = { _ in }
    ) throws -> FeedReader {
        var selection = FeedSelection()
        change(&selection)
        return try #require(bench.store.liveReader(of: bench.table, selection: selection, after: after))
    }

    @Test("a reader sees each reading once, in order, with its values, from when it came")
    func showsWhatComes() throws {
        let bench = try Self.bench()
        try Self.commit(0, to: bench)
        let reader = try Self.reader(bench)
        #expect(reader.settled == 1)
        #expect(!reader.hasNews)
        #expect(reader.drain() == Shown())
        try Self.commit(1, to: bench)
        try bench.commit(
            reading("a", Bench.start, ["n": .integer(2), "text": .string("ü"), "raw": .binary([0, 255])]),
            reading("b", Bench.start, ["n": .integer(3), "x": .double(-0.5), "on": .boolean(true)]))
        #expect(reader.hasNews)
        #expect(reader.behindCount == 3)
        var rows = FeedRows()
        #expect(reader.read(into: &rows, byteLimit: 1 << 16) == .atEnd)
        #expect(rows.rows.map(\.sequence) == [2, 3, 4])
        #expect(rows.rows.map(\.time) == [Bench.start + TimeSpan(microseconds: 1_000), Bench.start, Bench.start])
        let values = rows.rows.map { row in
            Dictionary(
                uniqueKeysWithValues: rows.values[row.values].map { (rows.fieldNames[$0.field], $0.cell.value(in: rows.bytes)) })
        }
        #expect(values[1] == ["n": .integer(2), "text": .string("ü"), "raw": .binary([0, 255])])
        #expect(values[2] == ["n": .integer(3), "x": .double(-0.5), "on": .boolean(true)])
        #expect(reader.settled == 4)
        #expect(!reader.hasNews)
        #expect(reader.behindCount == 0)
    }

    @Test("duplicates and refused readings are not shown; versions are")
    func onlyNews() throws {
        let bench = try Self.bench()
        let reader = try Self.reader(bench)
        let old = Bench.start - bench.tableOptions.ttl - .seconds(1)
        let receipt = try bench.commit(
            reading("d", Bench.start, ["n": .integer(1)]), reading("d", Bench.start, ["n": .integer(1)]),
            reading("d", old, ["n": .integer(2)]), reading("d", Bench.start + .days(9), ["n": .integer(3)]),
            reading("d", Bench.start, ["n": .integer(4)]))
        #expect((receipt.accepted, receipt.duplicates) == (3, 1))
        try bench.commit(reading("d", Bench.start, ["n": .integer(4)]))
        try bench.commit(reading("d", Bench.start, ["n": .integer(5)]))
        let shown = reader.drain()
        #expect(shown.numbers == [1, 4, 5])
        #expect(shown.sequences == [1, 3, 5])
        #expect(shown.gaps.isEmpty)
    }

    @Test("what expired while it waited is not shown")
    func expired() throws {
        let bench = try Bench { table, _ in table.ttl = .seconds(10) }
        let reader = try Self.reader(bench)
        try bench.commit(reading("d", Bench.start - .seconds(9), ["n": .integer(1)]), reading("d", Bench.start, ["n": .integer(2)]))
        bench.clock.advance(by: .seconds(2))
        #expect(reader.drain().numbers == [2])
    }

    @Test("other tables are passed over")
    func tables() throws {
        let store = try TelemetryStore.open(
            options: StoreOptions(path: "/store"), tables: [TableOptions(name: "one"), TableOptions(name: "two")],
            fileSystem: SimulatedFileSystem(), clock: ManualClock(Bench.start))
        let readers = try store.tables.map { try #require(store.liveReader(of: $0, selection: FeedSelection())) }
        var batch = ReadingBatch()
        for number in 0..<6 {
            let time = Bench.start + TimeSpan(microseconds: Int64(number))
            batch.append(reading("d", time, ["n": .integer(Int64(number))]), table: TableNumber(number / 2 % 2))
        }
        _ = try store.commit(&batch)
        #expect(readers[0].drain().numbers == [0, 1, 4, 5])
        #expect(readers[1].drain().numbers == [2, 3])
        #expect(readers.map(\.settled) == [6, 6])
        // From the middle of another table's readings.
        let resumed = try #require(store.liveReader(of: store.tables[0], selection: FeedSelection(), after: 3))
        #expect(resumed.drain().numbers == [4, 5])
        try store.close()
    }

    @Test("devices and fields select; bytes count, not characters")
    func selection() throws {
        let bench = try Self.bench()
        let composed = "\u{e9}"
        let decomposed = "e\u{301}"
        let readers = try [
            Self.reader(bench) { $0.devices.require(prefix: "line1/") },
            Self.reader(bench) { $0.devices.require(devices: ["line1/b", composed, "later"]) },
            Self.reader(bench) {
                $0.devices.require(prefix: "line1/")
                $0.devices.require(prefix: "line1/b")
                $0.devices.require(devices: ["line1/a", "line1/b"])
            },
            Self.reader(bench) { $0.devices.require(prefix: "e") },
            Self.reader(bench) { $0.devices.require(prefix: "") },
        ]
        for (number, device) in ["line1/a", "line1/b", "line2/a", composed, decomposed, "later", "line1"].enumerated() {
            try Self.commit(number, device, to: bench)
        }
        #expect(readers.map { $0.drain().numbers } == [[0, 1], [1, 3, 5], [1], [4], [0, 1, 2, 3, 4, 5, 6]])
        #expect(readers.map(\.settled) == [7, 7, 7, 7, 7])

        try Self.commit(7, "d", ["x": .integer(1), "y": .integer(2)], to: bench)
        let fields = try Self.reader(bench, after: 0) { $0.fields = ["y", "x"] }
        var rows = FeedRows()
        #expect(fields.read(into: &rows, byteLimit: 1 << 16) == .atEnd)
        #expect(rows.rows.map(\.sequence) == [8])
        #expect(Set(rows.values.map { rows.fieldNames[$0.field] }) == ["x", "y"])
    }

    @Test("a reader resumes behind any reading that is held", arguments: [1, 7])
    func resumes(batchCount: Int) throws {
        let bench = try Self.bench()
        let witness = try Self.reader(bench)
        for first in stride(from: 0, to: 21, by: batchCount) {
            var batch = ReadingBatch()
            for number in first..<(first + batchCount) {
                // Every third one says what the one before said.
                let value = Int64(number % 3 == 2 ? number - 1 : number)
                batch.append(reading("d", Bench.start + TimeSpan(microseconds: value), ["n": .integer(value)]))
            }
            _ = try bench.store.commit(&batch)
        }
        let all = witness.drain()
        #expect(all.numbers == (0..<21).filter { $0 % 3 != 2 })
        for after in 0...21 {
            let resumed = try Self.reader(bench, after: SequenceNumber(after))
            let rest = resumed.drain(byteLimit: 1)
            #expect(rest.sequences == all.sequences.filter { $0 > after }, "after \(after)")
            #expect(rest.gaps.isEmpty, "after \(after)")
            #expect(resumed.settled == 21)
        }
    }

    @Test("what nobody can know is told as such")
    func unknownPlaces() throws {
        let bench = try Self.bench()
        for number in 0..<5 { try Self.commit(number, to: bench) }
        // Nothing was held before the first reader came.
        let late = try Self.reader(bench, after: 2)
        #expect(late.drain() == Shown(gaps: [FeedGap(count: 3, isExact: false, last: 5)]))
        for after in [6, SequenceNumber.max] {
            let foreign = try Self.reader(bench, after: after)
            #expect(foreign.hasNews)
            #expect(foreign.drain() == Shown(gaps: [FeedGap(count: nil, isExact: false, last: 5)]), "after \(after)")
            #expect(foreign.settled == 5)
        }
        try Self.commit(5, to: bench)
        #expect(late.drain().numbers == [5])
        let resumed = Shown(sequences: [6], devices: ["d"], numbers: [5], gaps: [FeedGap(count: 2, isExact: false, last: 5)])
        #expect(try Self.reader(bench, after: 3).drain() == resumed)
    }

    @Test("sequences go on after a restart, and so do readers that missed nothing")
    func restart() throws {
        let bench = try Self.bench()
        for number in 0..<3 { try Self.commit(number, to: bench) }
        try bench.reopen()
        let same = try Self.reader(bench, after: 3)
        let behind = try Self.reader(bench, after: 1)
        try Self.commit(3, to: bench)
        #expect(same.drain() == Shown(sequences: [4], devices: ["d"], numbers: [3]))
        #expect(behind.drain().gaps == [FeedGap(count: 2, isExact: false, last: 3)])
    }
}

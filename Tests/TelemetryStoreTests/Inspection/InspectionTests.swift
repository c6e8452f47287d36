import Glibc
import Telemetry
import TelemetryCodec
import Testing

@testable import TelemetryStore

@Suite("Inspection of a store")
struct InspectionTests {
    /// Two sealed windows, one of them delivered by nobody, one open; a log with more than one file and a checkpoint.
    static func filled(configure: (inout TableOptions, inout StoreOptions) -> Void = { _, _ in }) throws -> Bench {
        let bench = try Bench { table, store in
            table.buckets = 4
            table.requiredDeliveries = ["archive"]
            store.logFileByteCount = 2_048
            configure(&table, &store)
        }
        for window in 0..<3 {
            for commit in 0..<8 {
                var batch = ReadingBatch()
                for step in commit * 5..<(commit + 1) * 5 {
                    let time = bench.clock.now() - .milliseconds(Int64(40 - step) * 10)
                    let fields: [String: FieldValue] = ["t": .double(20.5 + Double(step)), "n": .integer(Int64(step)), "s": .string("ok")]
                    batch.append(reading("line/\(step % 7)", time, fields))
                }
                _ = try bench.store.commit(&batch)
            }
            if window < 2 { try bench.seal() }
        }
        return bench
    }

    static func inspect(_ disk: any FileSystem, isDeep: Bool = true, usage: Bool = false) throws -> InspectionReport {
        var options = StoreInspector.Options()
        options.isDeep = isDeep
        options.measuresUsage = usage
        return try StoreInspector(path: "/store", options: options, fileSystem: disk).inspect()
    }

    private func snapshot(_ disk: SimulatedFileSystem) -> [String: [UInt8]] {
        Dictionary(uniqueKeysWithValues: disk.files.map { ($0, disk.contents($0)) })
    }

    @Test("a sound store has no finding, and the summary counts what is in it", arguments: [false, true], [1, 3])
    func sound(isDeep: Bool, versions: Int) throws {
        let bench = try InspectionTests.filled { table, _ in table.maxVersions = versions }
        try bench.commit(reading("line/1", Bench.start + .seconds(1), ["n": .integer(-1)]))
        try bench.store.close()
        let before = snapshot(bench.disk)
        let report = try InspectionTests.inspect(bench.disk, isDeep: isDeep)
        #expect(report.findings == [])
        #expect(report.isSound && snapshot(bench.disk) == before)
        let table = try #require(report.tables.first)
        #expect(table.name == "telemetry" && table.deviceCount == 7 && table.fieldCount == 3)
        #expect(table.rowCount + table.loggedRowCount == 121)
        #expect(table.partitions == [.sealed: 2])
        #expect(report.log.lastSequence == 121)
    }

    @Test("a store killed between any two operations is sound", arguments: 0..<8)
    func afterCrash(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let bench = try InspectionTests.filled()
        let disk = bench.disk.crashed(using: &random)
        let report = try InspectionTests.inspect(disk)
        #expect(report.isSound, "seed \(seed): \(report.findings)")
        _ = try TelemetryStore.open(options: bench.storeOptions, tables: [bench.tableOptions], fileSystem: disk, clock: bench.clock)
    }

    @Test("the golden store is sound")
    func golden() throws {
        for version in try RealFileSystem().list(GoldenTests.root) {
            let disk = SimulatedFileSystem()
            try GoldenTests.load(GoldenTests.root + "/" + version, as: "/store", into: disk)
            #expect(try InspectionTests.inspect(disk).findings == [], "\(version)")
        }
    }

    /// What is done to a closed store, and what an inspection must call it.
    struct Damage: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var suffix: String
        var kind: FindingKind
        var isDeep = false
        var change: @Sendable (SimulatedFileSystem, String) throws -> Void

        static let all: [Damage] = [
            .flip("catalogue", "/catalog", .catalog) { $0 / 2 },
            .flip("checkpoint", "/checkpoint", .checkpoint) { $0 / 2 },
            .flip("partition state", "/state", .partitionState) { $0 / 2 },
            .flip("log file header", ".log", .log) { _ in 20 },
            .flip("log record", ".log", .log) { _ in 70 },
            .flip("segment footer", ".seg", .segment) { $0 - 60 },
            .flip("sparse index", ".seg", .segment, isDeep: true) { $0 - 150 },
            .flip("segment frame", ".seg", .segment, isDeep: true) { _ in 40 },
            Damage(testDescription: "catalogue missing", suffix: "/catalog", kind: .catalog) { try $0.unlink($1) },
            Damage(testDescription: "log file missing", suffix: ".log", kind: .logGap) { try $0.unlink($1) },
            Damage(testDescription: "checkpoint missing", suffix: "/checkpoint", kind: .logGap) { try $0.unlink($1) },
            Damage(testDescription: "segment under another name", suffix: ".seg", kind: .foreignFile) { disk, path in
                try disk.rename(path, to: path.dropLast(16) + "000000000777.seg")
            },
            Damage(testDescription: "log file under another name", suffix: ".log", kind: .foreignFile) { disk, path in
                try disk.rename(path, to: path.dropLast(35) + "0000000099-" + path.suffix(24))
            },
            Damage(testDescription: "unknown directory", suffix: "/catalog", kind: .unknownDirectory) { disk, _ in
                try disk.createDirectory("/store/tables/telemetry/old")
            },
            Damage(testDescription: "newer segment", suffix: ".seg", kind: .newerVersion) { disk, path in
                disk.write(path, [7], at: 8)
                disk.flip(path, at: disk.contents(path).count - 1)
            },
            Damage(testDescription: "newer log", suffix: ".log", kind: .newerVersion) { $0.write($1, [7], at: 8) },
            Damage(testDescription: "newer catalogue", suffix: "/catalog", kind: .newerVersion) { $0.write($1, [7], at: 8) },
            Damage(testDescription: "newer checkpoint", suffix: "/checkpoint", kind: .newerVersion) { $0.write($1, [7], at: 8) },
            Damage(testDescription: "newer state", suffix: "/state", kind: .newerVersion) { $0.write($1, [7], at: 8) },
        ]

        static func flip(
            _ what: String, _ suffix: String, _ kind: FindingKind, isDeep: Bool = false, _ offset: @escaping @Sendable (Int) -> Int
        ) -> Damage {
            Damage(testDescription: what, suffix: suffix, kind: kind, isDeep: isDeep) { disk, path in
                disk.flip(path, at: offset(disk.contents(path).count))
            }
        }
    }

    @Test("damage is found, named with its file, and left as it is", arguments: Damage.all)
    func damage(_ damage: Damage) throws {
        let bench = try InspectionTests.filled()
        let disk = bench.disk.copy()
        let path = try #require(disk.files.first { $0.hasSuffix(damage.suffix) })
        try damage.change(disk, path)
        let before = snapshot(disk)
        let report = try InspectionTests.inspect(disk, isDeep: damage.isDeep)
        let finding = try #require(report.findings.first { $0.kind == damage.kind }, "\(report.findings)")
        #expect(finding.severity == .damage && !report.isSound && finding.file.hasPrefix("/store/"))
        #expect(!finding.kind.advice.isEmpty && !finding.detail.isEmpty)
        #expect(snapshot(disk) == before)
        // What opening refuses, an inspection finds; frames are read at need only.
        if !damage.isDeep {
            #expect(throws: StoreError.self) {
                _ = try TelemetryStore.open(options: bench.storeOptions, tables: [bench.tableOptions], fileSystem: disk, clock: bench.clock)
            }
        }
    }

    @Test("a flipped byte anywhere in a segment is found by a deep inspection")
    func everyByteOfASegment() throws {
        let bench = try InspectionTests.filled()
        try bench.store.close()
        let path = try #require(bench.disk.files.first { $0.hasSuffix(".seg") })
        // The header repeats what the footer says and is looked at only when that fails.
        for offset in stride(from: SegmentFormat.headerByteCount, to: bench.disk.contents(path).count, by: 3) {
            bench.disk.flip(path, at: offset)
            let report = try InspectionTests.inspect(bench.disk)
            #expect(report.findings.contains { $0.severity == .damage && $0.file == path }, "offset \(offset)")
            bench.disk.flip(path, at: offset)
        }
    }

    @Test("all damage is reported, not only the first")
    func everything() throws {
        let bench = try InspectionTests.filled()
        try bench.store.close()
        let segments = bench.disk.files.filter { $0.hasSuffix(".seg") }
        for path in segments { bench.disk.flip(path, at: 40) }
        bench.disk.flip(try #require(bench.disk.files.first { $0.hasSuffix("/state") }), at: 14)
        let report = try InspectionTests.inspect(bench.disk)
        #expect(segments.allSatisfy { path in report.findings.contains { $0.file == path && $0.kind == .segment } })
        #expect(report.findings.contains { $0.kind == .partitionState })
        #expect(report.findings.allSatisfy { $0.kind != .segment || $0.offset != nil })
    }

    @Test("what a crash leaves behind is a leftover, not damage")
    func leftovers() throws {
        let bench = try InspectionTests.filled()
        try bench.store.close()
        let segment = try #require(bench.disk.files.first { $0.hasSuffix(".seg") })
        let partition = String(segment[..<segment.lastIndex(of: "/")!])
        func create(_ path: String) throws { _ = try bench.disk.open(path, .create) }
        try create(partition + "/000000000050-000000000060.seg.tmp")
        try create("/store/log/0000000099-00000000000000000001.log.tmp")
        try create("/store/notes.txt")
        try create(partition + "/copy of something")
        let report = try InspectionTests.inspect(bench.disk)
        #expect(report.isSound)
        let kinds = report.findings.map(\.kind.rawValue).sorted()
        #expect(kinds == ["temporary-file", "temporary-file", "unknown-file", "unknown-file"], "\(report.findings)")
    }

    @Test("a segment that a merged one covers, and the directory of a dropped window, are leftovers")
    func coveredAndDropped() throws {
        let bench = try InspectionTests.filled { table, _ in
            table.requiredDeliveries = []
            table.ttl = .minutes(30)
        }
        let old = try #require(bench.disk.files.first { $0.hasSuffix(".seg") })
        let bytes = bench.disk.contents(old)
        try bench.commit(reading("line/1", Bench.start - .milliseconds(5), ["n": .integer(9)]))
        try bench.flush()
        try bench.seal()
        func restore() throws {
            try bench.disk.createDirectory(String(old[..<old.lastIndex(of: "/")!]))
            let file = try bench.disk.open(old, .create)
            try bytes.withRawBytes { (bytes) throws(FileError) in try file.write(bytes, at: 0) }
        }
        try restore()
        #expect(try InspectionTests.inspect(bench.disk).findings.map(\.kind) == [.superseded])
        try bench.disk.unlink(old)
        bench.clock.advance(by: .hours(1))
        try bench.store.performMaintenance()
        try bench.store.close()
        try restore()
        #expect(try InspectionTests.inspect(bench.disk).findings.map(\.kind) == [.droppedPartition])
    }

    @Test("a torn end of the log is a note")
    func tornEnd() throws {
        let bench = try InspectionTests.filled()
        let disk = bench.disk.copy()
        let path = try #require(disk.files.last { $0.hasSuffix(".log") })
        let log = disk.contents(path)
        disk.write(path, [40, 0, 0, 0, 1, 2, 3, 4, 1, 0, 0, 0, 1], at: (log.lastIndex { $0 != 0 }! / 8 + 1) * 8)
        let report = try InspectionTests.inspect(disk)
        #expect(report.isSound && report.findings.map(\.kind) == [.tornEnd] && report.findings[0].file == path)
    }

    @Test("a checkpoint of another moment leaves devices that nobody defines")
    func unknownDevice() throws {
        let bench = try InspectionTests.filled()
        try bench.store.close()
        let old = bench.disk.contents("/store/checkpoint")
        try bench.reopen()
        try bench.commit(reading("line/new", bench.clock.now(), ["t": .double(1)]))
        try bench.seal()
        try bench.seal()
        try bench.store.close()
        try bench.disk.unlink("/store/checkpoint")
        let file = try bench.disk.open("/store/checkpoint", .create)
        try old.withRawBytes { (bytes) throws(FileError) in try file.write(bytes, at: 0) }
        let report = try InspectionTests.inspect(bench.disk)
        #expect(!report.isSound)
        #expect(report.findings.contains { $0.kind == .logGap || $0.kind == .unknownDevice }, "\(report.findings)")
    }

    @Test("usage adds up to the size of the segments")
    func usage() throws {
        let bench = try InspectionTests.filled()
        try bench.store.close()
        let table = try #require(try InspectionTests.inspect(bench.disk, usage: true).tables.first)
        let usage = try #require(table.usage)
        #expect(usage.byteCount == table.byteCount)
        #expect(usage.rowCount == 80 && usage.timeByteCount > 0 && usage.indexByteCount > 0)
        #expect(
            Set(usage.columns.map { "\($0.field) \($0.type.name) \($0.valueCount)" }) == ["t double 80", "n integer 80", "s string 80"])
        #expect(usage.columns.allSatisfy { $0.byteCount > 0 })
    }

    @Test("a store in use says by whom, and the lock file keeps its bytes")
    func locked() throws {
        let path = "/tmp/gaugehouse-inspect-\(getpid())"
        defer { try? RealFileSystem().removeTree(path) }
        let store = try TelemetryStore.open(options: StoreOptions(path: path), tables: [TableOptions(name: "telemetry")])
        let inspector = StoreInspector(path: path)
        #expect {
            _ = try inspector.inspect()
        } throws: { error in
            guard let error = error as? StoreError else { return false }
            return error.code == .locked && error.detail.contains("process \(getpid())")
        }
        try store.close()
        let lock = try RealFileSystem().contents(of: path + "/LOCK").map { Array($0.buffer) }
        #expect(try inspector.inspect().isSound)
        #expect(try RealFileSystem().contents(of: path + "/LOCK").map { Array($0.buffer) } == lock)
        #expect(throws: StoreError.self) { try StoreInspector(path: path + "/none").inspect() }
    }
}

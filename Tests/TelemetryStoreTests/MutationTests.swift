import Telemetry
import TelemetryCodec
import Testing

@testable import TelemetryStore

/// The short form of the fuzzers (Tests/Fuzz): a few thousand mutations of golden files, each with checksums that hold and with those it
/// had. No bytes may make a reader trap, and what an inspection calls sound must open.
@Suite("Mutated files")
struct MutationTests {
    @Test(
        "no mutation of a golden file makes the store, an inspection or a dump trap",
        arguments: ["log", "seg", "checkpoint", "state", "catalog"])
    func golden(kind: String) throws {
        let disk = SimulatedFileSystem()
        try GoldenTests.load(GoldenTests.root + "/store-v1", as: "/store", into: disk)
        try mutate(kind, of: disk, seed: 11, count: 400)
    }

    @Test("nor of a file as it is written today", arguments: ["log", "seg", "checkpoint"])
    func today(kind: String) throws {
        let bench = try InspectionTests.filled { table, _ in table.maxVersions = 2 }
        try bench.store.close()
        try mutate(kind, of: bench.disk, seed: 12, count: 300)
    }

    private func mutate(_ kind: String, of sound: SimulatedFileSystem, seed: UInt64, count: Int) throws {
        var random = SeededGenerator(seed: seed)
        for round in 0..<count {
            let disk = sound.copy()
            let path = try #require(disk.files.first { $0.hasSuffix(kind) })
            var bytes = disk.contents(path)
            for _ in 0..<Int.random(in: 1...4, using: &random) { MutationTests.mutate(&bytes, using: &random) }
            if Bool.random(using: &random) { MutationTests.reseal(&bytes, kind) }
            try disk.unlink(path)
            let file = try disk.open(path, .create)
            try bytes.withRawBytes { (bytes) throws(FileError) in try file.write(bytes, at: 0) }
            try exercise(disk, path, "\(kind), seed \(seed), round \(round)")
        }
    }

    private static func mutate(_ bytes: inout [UInt8], using random: inout SeededGenerator) {
        // Most of a log file is zeros: mutations there say little.
        let used = min(bytes.count, (bytes.lastIndex { $0 != 0 } ?? 0) + 16)
        guard used > 0 else { return }
        let offset = Int.random(in: 0..<used, using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes[offset] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes[offset] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &random)!
        case 2: bytes.replaceSubrange(offset..<min(offset + 8, bytes.count), with: repeatElement(0xFF, count: 8))
        case 3: bytes.removeSubrange(offset..<min(offset + Int.random(in: 1...16, using: &random), bytes.count))
        case 4:
            bytes.insert(
                contentsOf: (0..<Int.random(in: 1...16, using: &random)).map { _ in .random(in: 0...255, using: &random) }, at: offset)
        default: bytes.replaceSubrange(offset..., with: bytes[offset...].shuffled(using: &random))
        }
    }

    /// Checksums that hold, so that what is behind them is read.
    private static func reseal(_ bytes: inout [UInt8], _ kind: String) {
        func put(_ start: Int, _ end: Int, at offset: Int, seed: UInt32 = 0) {
            guard start >= 0, start <= end, end <= bytes.count, offset >= 0, offset + 4 <= bytes.count else { return }
            let sum = bytes[start..<end].withUnsafeBytes { crc32c($0, seed: seed) }
            withUnsafeBytes(of: sum.littleEndian) { bytes.replaceSubrange(offset..<offset + 4, with: $0) }
        }
        switch kind {
        case "log":
            put(0, 60, at: 60)
            let header = bytes.withUnsafeBytes { bytes in try? LogFileHeader(bytes) }
            var offset = LogFormat.fileHeaderByteCount
            while offset + LogFormat.recordHeaderByteCount <= bytes.count {
                let length = bytes.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
                let end = offset + LogFormat.recordHeaderByteCount + length
                guard length > 0, end <= bytes.count else { return }
                put(offset + 8, end, at: offset + 4, seed: header?.checksumSeed ?? 0)
                offset += LogFormat.aligned(LogFormat.recordHeaderByteCount + length)
            }
        case "seg": put(bytes.count - SegmentFormat.footerByteCount, bytes.count - 4, at: bytes.count - 4)
        default: put(0, bytes.count - 4, at: bytes.count - 4)
        }
    }

    private func exercise(_ disk: SimulatedFileSystem, _ path: String, _ what: String) throws {
        var inspection = StoreInspector.Options()
        (inspection.isDeep, inspection.measuresUsage) = (true, true)
        let report = try StoreInspector(path: "/store", options: inspection, fileSystem: disk).inspect()
        var dump = FileDump.Options()
        dump.showsRows = true
        do throws(StoreError) { try FileDump(path: path, options: dump, fileSystem: disk).run { _ in } } catch {
            #expect(!error.detail.isEmpty, "\(what)")
        }
        var options = StoreOptions(path: "/store")
        options.logFileByteCount = 2_048
        var table = TableOptions(name: "telemetry")
        (table.buckets, table.maxVersions, table.partitionLength) = (4, 2, .minutes(1))
        do throws(StoreError) {
            let clock = ManualClock(Bench.start + .seconds(90))
            let store = try TelemetryStore.open(options: options, tables: [table], fileSystem: disk, clock: clock)
            for device in ["line/1", "line/2"] {
                _ = try store.tables[0].range(RangeQuery(device: device, start: .distantPast, end: .distantFuture))
                _ = store.tables[0].latest(device: device, fields: nil)
            }
            // Dropped without a close: no checkpoint is written, so that a round is cheap.
            withExtendedLifetime(store) {}
        } catch {
            #expect(error.code != .corruption || !report.isSound, "an inspection missed, \(what): \(error.detail)")
        }
    }
}

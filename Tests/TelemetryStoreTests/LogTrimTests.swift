import Telemetry
import Testing

@testable import TelemetryStore

/// Which files of the log may go, and what of those that a crash kept.
@Suite struct LogTrimTests {
    private func commit(_ number: UInt8, of source: String, byteCount: Int = 4_096, to bench: Bench) throws {
        var nothing = ReadingBatch()
        let note = CommitNote(source: source, bytes: Array(repeating: number, count: byteCount))
        _ = try bench.store.commit(&nothing, notes: [note])
    }

    private func logFiles(of bench: Bench) -> [String] { bench.disk.files.filter { $0.hasSuffix(".log") } }

    /// A file of the log takes sixteen of these notes.
    @Test(arguments: [true, false]) func aLogThatOnlyGetsNotesIsTrimmed(hasReading: Bool) throws {
        let bench = try Bench()
        if hasReading {
            try bench.commit(reading("d", bench.clock.now(), ["a": .integer(1)]))
            try bench.seal()
        }
        try commit(7, of: "old", byteCount: 3, to: bench)
        for number in 0..<200 {
            try commit(UInt8(number), of: "homie", to: bench)
            try bench.store.performMaintenance()
            #expect(logFiles(of: bench).count <= 2)
        }
        for _ in 0..<2 {
            #expect(bench.store.note(from: "homie") == Array(repeating: 199, count: 4_096))
            #expect(bench.store.note(from: "old") == [7, 7, 7])
            try bench.reopen()
        }
        #expect(bench.store.sequence == (hasReading ? 1 : 0))
    }

    @Test func readingsThatAreNotFlushedKeepTheirFilesOnly() throws {
        let bench = try Bench()
        try bench.commit(reading("d", bench.clock.now(), ["a": .integer(1)]))
        for number in 0..<64 {
            try commit(UInt8(number), of: "homie", to: bench)
            try bench.store.performMaintenance()
        }
        #expect(logFiles(of: bench).count == 2)
        try bench.reopen()
        #expect(bench.value("d", "a") == .integer(1))
        #expect(bench.store.note(from: "homie") == Array(repeating: 63, count: 4_096))
    }

    /// A crash may undo the removal of some of the files, and not of others.
    @Test func notesOfAFileThatACrashKeptAreNotNewerThanTheCheckpoint() throws {
        let bench = try Bench()
        try commit(1, of: "a", byteCount: 3, to: bench)
        let first = try #require(logFiles(of: bench).first)
        let kept = bench.disk.contents(first)
        try commit(2, of: "a", byteCount: 3, to: bench)
        for number in 0..<40 { try commit(UInt8(number), of: "b", to: bench) }
        try bench.store.performMaintenance()
        #expect(!logFiles(of: bench).contains(first))
        try bench.store.close()
        let file = try bench.disk.open(first, .create)
        try kept.withRawBytes { (bytes) throws(FileError) in try file.write(bytes, at: 0) }
        try file.sync()
        try bench.disk.syncDirectory("/store/log")
        try bench.reopen()
        #expect(bench.store.note(from: "a") == [2, 2, 2])
        #expect(bench.store.note(from: "b") == Array(repeating: 39, count: 4_096))
    }
}

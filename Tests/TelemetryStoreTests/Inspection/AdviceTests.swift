import Telemetry
import Testing

@testable import TelemetryStore

/// What docs/operations/troubleshooting.md tells an operator to do about damage works, and costs what it says.
@Suite("Advice about damage")
struct AdviceTests {
    /// Without the damaged file, as if an operator had moved it away; opened again.
    private func opened(without suffix: String, keepingLog: Bool) throws -> (bench: Bench, rowsBefore: Int) {
        let bench = try InspectionTests.filled { table, store in
            table.requiredDeliveries = []
            if keepingLog { store.logFileByteCount = 1 << 20 }
        }
        let rows = bench.table.summary().rowCount
        try bench.store.close()
        let path = try #require(bench.disk.files.first { $0.hasSuffix(suffix) })
        bench.disk.flip(path, at: bench.disk.contents(path).count - 1)
        #expect(throws: StoreError.self) { try bench.reopen() }
        try bench.disk.unlink(path)
        let report = try InspectionTests.inspect(bench.disk)
        #expect(report.isSound, "\(report.findings)")
        try bench.reopen()
        return (bench, rows)
    }

    @Test("without a damaged segment the store opens; its readings are lost when the log no longer has them, and no others")
    func segment() throws {
        let (bench, rows) = try opened(without: ".seg", keepingLog: false)
        #expect(bench.table.summary().rowCount == rows - 40)
        #expect(try bench.rows("line/0").times.count == 12)
        try bench.store.close()
    }

    @Test("without a damaged segment nothing is lost that the log still has")
    func segmentInLog() throws {
        let (bench, rows) = try opened(without: ".seg", keepingLog: true)
        #expect(bench.table.summary().rowCount == rows)
        try bench.store.close()
    }

    @Test("without a damaged state the partition is sealed again, and nothing is lost")
    func state() throws {
        let (bench, rows) = try opened(without: "/state", keepingLog: false)
        #expect(bench.table.summary().rowCount == rows)
        try bench.store.performMaintenance()
        #expect(bench.table.partitions().filter { $0.state == .sealed }.count == 2)
        try bench.store.close()
    }

    @Test("without a damaged checkpoint a log from reading 1 on brings everything back")
    func checkpoint() throws {
        let (bench, rows) = try opened(without: "/checkpoint", keepingLog: true)
        #expect(bench.table.summary().rowCount == rows)
        #expect(bench.value("line/4", "n") == .integer(39))
        #expect(bench.table.device("line/0")?.summary.readingCount == 18)
        try bench.store.close()
    }
}

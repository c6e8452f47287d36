import ArgumentParser
import Glibc
import Telemetry
import TelemetryStore

/// Asks a settled store the questions of its users, of devices drawn at random.
struct QueriesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "queries")

    @OptionGroup var set: DataSet
    @OptionGroup var settings: StoreSettings
    @Option(help: "Times that each question is asked.") var count = 2_000

    func run() throws {
        let names = DeviceNames(count: set.devices)
        let store = try settings.open(clock: set.clockAfterwards())
        defer { try? store.close() }
        let table = store.tables[0]
        var draw = Draw(seed: set.seed, count: set.devices)

        var report: [(String, Double)] = [("segment_bytes", Double(store.statistics.segmentByteCount))]
        // A first pass over other devices, unmeasured: "warm" means the process and the page cache, not the answer.
        var range = Latencies()
        for isMeasured in [false, true] {
            range = Latencies()
            for _ in 0..<(isMeasured ? count : count / 4) { try newest(100, names.string(draw.next()), table, &range) }
        }
        report += range.report("range100")
        report += try latest(table, names, &draw)
        report += try AggregateQuestion(set: set).ask(table, names, &draw, count: count)
        report.append(("peak_bytes", Double(memoryByteCount("VmHWM"))))
        printReport(report)
    }

    private func newest(_ rows: Int, _ device: String, _ table: Table, _ latencies: inout Latencies) throws {
        var query = RangeQuery(device: device, start: .distantPast, end: .distantFuture)
        query.limit = rows
        let page = try latencies.measure { () throws(StoreError) in try table.range(query) }
        guard page?.times.count == min(rows, set.ticks) else {
            throw BenchError("\(device): \(page?.times.count ?? 0) rows instead of \(min(rows, set.ticks))")
        }
    }

    private func latest(_ table: Table, _ names: DeviceNames, _ draw: inout Draw) throws -> [(String, Double)] {
        var one = Latencies()
        var thousand = Latencies()
        for _ in 0..<20 * count {
            let name = names.string(draw.next())
            guard one.measure({ table.latest(device: name, fields: nil) }) != nil else { throw BenchError("\(name) is unknown") }
        }
        for _ in 0..<max(10, count / 20) {
            let devices = (0..<1_000).map { _ in names.string(draw.next()) }
            let found = thousand.measure { devices.reduce(0) { $0 + (table.latest(device: $1, fields: nil)?.entries.count ?? 0) } }
            guard found == 1_000 * set.variant.fields.count else { throw BenchError("latest values are missing") }
        }
        return one.report("latest1") + thousand.report("latest1000")
    }
}

/// Devices drawn at random.
struct Draw {
    private var state: UInt64
    private let count: UInt64

    init(seed: UInt64, count: Int) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        self.count = UInt64(count)
    }

    mutating func next() -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state >> 11 % count)
    }
}

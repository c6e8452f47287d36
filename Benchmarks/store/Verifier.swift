import Telemetry
import TelemetryStore

/// Compares what a table holds with what was generated: the count of all rows, and every value of some devices.
struct Verifier {
    private let set: DataSet
    private let names: DeviceNames

    /// Spread over the fleet, first and last included.
    private static let deviceCount = 8
    private static let pageRows = 10_000

    init(_ set: DataSet, names: DeviceNames) {
        self.set = set
        self.names = names
    }

    /// - Throws: `BenchError` that names the first difference.
    func verify(_ table: Table) throws {
        let summary = table.summary()
        guard summary.rowCount == set.readingCount, summary.deviceCount == set.devices else {
            throw BenchError(
                "the table has \(summary.rowCount) rows of \(summary.deviceCount) devices; sent were \(set.readingCount) of \(set.devices)")
        }
        for step in 0..<Self.deviceCount { try verify(table, device: (set.devices - 1) * step / (Self.deviceCount - 1)) }
    }

    private func verify(_ table: Table, device: Int) throws {
        var generator = Generator(device: device, of: set)
        let builder = BatchBuilder(set, names: names)
        let name = names.string(device)
        var query = RangeQuery(device: name, start: .distantPast, end: .distantFuture)
        query.order = .ascending
        query.limit = Self.pageRows
        var rows = 0
        repeat {
            guard let page = try table.range(query) else { throw BenchError("\(name) is unknown") }
            for row in page.times.indices {
                try compare(generator.next(), builder, page, row, name)
                rows += 1
            }
            query.after = page.nextAfter
        } while query.after != nil
        guard rows == set.ticks else { throw BenchError("\(name) has \(rows) rows, not \(set.ticks)") }
        guard let latest = table.latest(device: name, fields: nil), latest.entries.count == set.variant.fields.count else {
            throw BenchError("\(name) has no latest reading")
        }
    }

    private func compare(_ sample: Sample, _ builder: BatchBuilder, _ page: RangePage, _ row: Int, _ name: String) throws {
        guard page.times[row].microseconds == sample.milliseconds * 1_000 else {
            throw BenchError("\(name) has a row at \(page.times[row].rfc3339) where one of \(sample.milliseconds) ms was sent")
        }
        let expected = builder.cells(of: sample)
        for (column, cell) in zip(page.columns, page.cells[row * page.columns.count..<(row + 1) * page.columns.count]) {
            let value = expected.first { $0.name == column.name }?.value
            guard cell.value(in: page.bytes) == value else {
                throw BenchError("\(name) at \(page.times[row].rfc3339): \(column.name) is \(cell), sent was \(String(describing: value))")
            }
        }
        guard page.columns.count == expected.count else { throw BenchError("\(name) has \(page.columns.count) fields") }
    }
}

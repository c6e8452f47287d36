import Telemetry
import TelemetryCodec

/// Turns the physical rows of windows into one page of logical rows.
struct PageBuilder {
    private(set) var page: RangePage
    private let query: RangeQuery
    private let maxVersions: Int
    /// Column of each of the table's fields; -1: none.
    private var columns: [Int32]
    private let wanted: Set<UInt32>
    private var rows = RowBuffer()

    init(names: [String], registry: NameRegistry, query: RangeQuery, maxVersions: Int) {
        page = RangePage(columns: names.map { RangePage.Column(name: $0, type: nil) })
        if query.versions > 1 { page.versions = RangePage.Versions() }
        self.query = query
        self.maxVersions = maxVersions
        let numbers = names.map { registry.field($0) }
        columns = Array(repeating: -1, count: Int(numbers.compactMap { $0 }.max() ?? 0) + 1)
        for (index, number) in numbers.enumerated() {
            if let number { columns[Int(number)] = Int32(index) }
        }
        wanted = Set(numbers.compactMap { $0 })
    }

    var isFull: Bool { page.nextAfter != nil }

    /// Adds the rows of one window, as many as the page still takes.
    ///
    /// Blocks are read in the order of the page, and no further than needed: rows beyond the reach of every block not yet read are
    /// complete, and when those fill the page the rest stays unread.
    mutating func read(
        _ sources: PartitionSources, _ times: ClosedRange<Int64>, bucket: Int, device: UnsafeRawBufferPointer
    ) throws(StoreError) {
        var pending = try PieceList(sources, times, bucket: bucket, device: device, order: query.order)
        rows.removeAll()
        while true {
            let needed = query.limit - page.times.count + 1
            try pending.readNext(atLeast: needed, times: times, wanted: wanted, into: &rows)
            let complete = pending.completeTimes(within: times)
            rows.sortNewestFirst()
            if pending.isEmpty || rows.distinctTimeCount(in: complete) >= needed {
                appendRows(in: complete)
                return
            }
        }
    }

    private mutating func appendRows(in complete: ClosedRange<Int64>?) {
        guard let complete else { return }
        var runs: [Range<Int>] = []
        var start = 0
        while start < rows.rows.count {
            var end = start + 1
            while end < rows.rows.count, rows.rows[end].time == rows.rows[start].time { end += 1 }
            if complete.contains(rows.rows[start].time) { runs.append(start..<end) }
            start = end
        }
        for run in query.order == .descending ? runs : runs.reversed() {
            if page.times.count == query.limit {
                page.nextAfter = page.times.last
                return
            }
            appendRow(rows.rows[run])
        }
    }

    /// One logical row from its versions, newest first. A row without any of the wanted fields is left out.
    private mutating func appendRow(_ versions: ArraySlice<RowBuffer.Row>) {
        let start = page.cells.count
        page.cells.append(contentsOf: repeatElement(.absent, count: page.columns.count))
        var lists = [[(cell: Cell, time: Int64)]](repeating: [], count: query.versions > 1 ? page.columns.count : 0)
        var isPresent = false
        for version in versions {
            for index in Int(version.firstCell)..<Int(version.firstCell + version.cellCount) {
                let entry = rows.cells[index]
                guard Int(entry.field) < columns.count, columns[Int(entry.field)] >= 0 else { continue }
                let column = Int(columns[Int(entry.field)])
                isPresent = true
                if page.cells[start + column].type == nil {
                    page.cells[start + column] = copy(entry.cell)
                    note(entry.cell.type, column)
                }
                if query.versions > 1, lists[column].count < min(query.versions, maxVersions) {
                    lists[column].append((lists[column].isEmpty ? page.cells[start + column] : copy(entry.cell), version.commitTime))
                }
            }
        }
        guard isPresent else {
            page.cells.removeLast(page.columns.count)
            return
        }
        page.times.append(Timestamp(microseconds: versions.first!.time))
        for list in lists { page.versions?.append(list) }
    }

    private mutating func note(_ type: FieldType?, _ column: Int) {
        guard let type, page.columns[column].type != type else { return }
        switch (page.columns[column].type, type) {
        case (nil, _): page.columns[column].type = type
        case (.integer, .double), (.double, .integer): page.columns[column].type = .double
        default: page.columns[column].isMixed = true
        }
    }

    private mutating func copy(_ cell: Cell) -> Cell {
        guard let type = cell.type, type.isBytes else { return cell }
        let offset = page.bytes.count
        page.bytes.append(contentsOf: rows.bytes[cell.byteRange])
        return .bytes(type, offset: offset, count: cell.byteCount)
    }
}

extension RangePage.Versions {
    fileprivate mutating func append(_ list: [(cell: Cell, time: Int64)]) {
        cells.append(contentsOf: list.map(\.cell))
        times.append(contentsOf: list.map { Timestamp(microseconds: $0.time) })
        offsets.append(cells.count)
    }
}

extension RowBuffer {
    /// Number of different times inside `times`. The rows are sorted.
    func distinctTimeCount(in times: ClosedRange<Int64>?) -> Int {
        guard let times else { return 0 }
        var count = 0
        for (index, row) in rows.enumerated() where times.contains(row.time) && (index == 0 || rows[index - 1].time != row.time) {
            count += 1
        }
        return count
    }
}

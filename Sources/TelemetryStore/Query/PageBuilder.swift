import Telemetry
import TelemetryCodec

/// Turns the physical rows of windows into one page of logical rows.
struct PageBuilder {
    private(set) var page: RangePage
    private let query: RangeQuery
    private let maxVersions: Int
    /// Column of each of the table's fields; -1: none.
    private var columns: [Int32]
    /// Columns of fields that are asked for again, and where each stands first.
    private var repeats: [(column: Int, first: Int)] = []
    private let wanted: FieldSet
    private let condition: ResolvedCondition?
    private var rows = RowBuffer()
    private var scannedCount = 0
    /// Passes over the pieces, in all windows.
    private var passCount = 0
    /// The row looked at last.
    private var lastTime: Timestamp?

    /// Room for so many rows is made at once.
    private static let usualRowCount = 128
    /// Rows of a pass behind the first: for fewer, finding them costs more than decoding them.
    private static let laterPortions = 64...(1 << 20)

    init(names: [String], registry: NameRegistry, query: RangeQuery, maxVersions: Int) {
        page = RangePage(columns: names.map { RangePage.Column(name: $0, type: nil) })
        if query.versions > 1 { page.versions = RangePage.Versions() }
        let usualRowCount = min(query.limit, Self.usualRowCount)
        page.times.reserveCapacity(usualRowCount)
        page.cells.reserveCapacity(usualRowCount * names.count)
        self.query = query
        self.maxVersions = maxVersions
        let numbers = names.map { registry.field($0) }
        columns = Array(repeating: -1, count: Int(numbers.compactMap { $0 }.max() ?? 0) + 1)
        for (index, number) in numbers.enumerated() {
            guard let number = number.map(Int.init) else { continue }
            if columns[number] < 0 { columns[number] = Int32(index) } else { repeats.append((index, Int(columns[number]))) }
        }
        condition = query.condition.map { ResolvedCondition($0, registry: registry) }
        wanted = FieldSet(numbers.compactMap { $0 } + Array(condition?.fields ?? []))
    }

    var isFull: Bool { page.nextAfter != nil }

    /// Adds the rows of one window, as many as the page still takes.
    ///
    /// Pieces are read in the order of the page, and no further than needed: rows beyond the reach of every piece not yet read are
    /// complete, and go to the page before more are read.
    mutating func read(
        _ sources: PartitionSources, _ times: ClosedRange<Int64>, bucket: Int, device: UnsafeRawBufferPointer
    ) throws(StoreError) {
        var pending = try PieceList(
            sources, times, bucket: bucket, device: device, order: query.order,
            access: query.isFromMemory ? .memory : .cached)
        var unread: ClosedRange<Int64>? = times
        var portion = query.limit - page.times.count + 1
        rows.removeAll()
        let usualRowCount = min(portion, Self.usualRowCount)
        rows.reserve(rows: usualRowCount, cells: usualRowCount * page.columns.count)
        while !isFull, let times = unread {
            passCount += 1
            try checkMemoryBudget()
            try pending.readNext(atLeast: portion, times: times, wanted: wanted, into: &rows)
            // Rows without a wanted field bring nothing: what one pass does not find, the next looks for in twice as many.
            portion = min(max(portion * 2, PageBuilder.laterPortions.lowerBound), PageBuilder.laterPortions.upperBound)
            rows.sortNewestFirst()
            guard let complete = pending.completeTimes(within: times) else { continue }
            takeRows(in: complete)
            unread = query.order == .descending ? times.below(complete) : times.above(complete)
        }
    }

    /// What is to come at once may not look at much: rows without a wanted field, or megabytes of text.
    private func checkMemoryBudget() throws(StoreError) {
        guard query.isFromMemory else { return }
        guard passCount <= MemoryBudget.passLimit, page.bytes.count + rows.bytes.count <= MemoryBudget.byteLimit else {
            throw .notInMemory
        }
    }

    /// Moves the rows of `complete` to the page: in its order they are the first.
    private mutating func takeRows(in complete: ClosedRange<Int64>) {
        let isDescending = query.order == .descending
        let end = rows.rows.firstIndex { isDescending ? $0.time < complete.lowerBound : $0.time <= complete.upperBound }
        let split = end ?? rows.rows.count
        appendRows(isDescending ? 0..<split : split..<rows.rows.count)
        // What is left of a full page is the next one's.
        if !isFull { rows.keep(isDescending ? split..<rows.rows.count : 0..<split) }
    }

    /// Adds rows to the page until it has its number of them, or of bytes, and there is another.
    private mutating func appendRows(_ range: Range<Int>) {
        var rest = range
        while !rest.isEmpty {
            let run = query.order == .descending ? rows.firstRun(of: rest) : rows.lastRun(of: rest)
            rest = query.order == .descending ? run.upperBound..<rest.upperBound : rest.lowerBound..<run.lowerBound
            if page.times.count == query.limit || page.bytes.count >= RangePage.byteLimit || scannedCount == query.scanLimit {
                page.nextAfter = lastTime
                return
            }
            scannedCount += 1
            lastTime = Timestamp(microseconds: rows.rows[run.lowerBound].time)
            if condition?.holds(for: rows.rows[run], in: rows) ?? true { appendRow(rows.rows[run]) }
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
        for (column, first) in repeats {
            page.cells[start + column] = page.cells[start + first]
            (page.columns[column].type, page.columns[column].isMixed) = (page.columns[first].type, page.columns[first].isMixed)
            if query.versions > 1 { lists[column] = lists[first] }
        }
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

extension RowBuffer {
    /// The rows at the start of `range` that have one time: versions of one row.
    fileprivate func firstRun(of range: Range<Int>) -> Range<Int> {
        var end = range.lowerBound + 1
        while end < range.upperBound, rows[end].time == rows[range.lowerBound].time { end += 1 }
        return range.lowerBound..<end
    }

    /// Those at its end.
    fileprivate func lastRun(of range: Range<Int>) -> Range<Int> {
        var start = range.upperBound - 1
        while start > range.lowerBound, rows[start - 1].time == rows[range.upperBound - 1].time { start -= 1 }
        return start..<range.upperBound
    }
}

extension RangePage.Versions {
    fileprivate mutating func append(_ list: [(cell: Cell, time: Int64)]) {
        cells.append(contentsOf: list.map(\.cell))
        times.append(contentsOf: list.map { Timestamp(microseconds: $0.time) })
        offsets.append(cells.count)
    }
}

extension ClosedRange<Int64> {
    /// What lies below `part`, which is a part of this; nil when nothing does.
    func below(_ part: ClosedRange<Int64>) -> ClosedRange<Int64>? {
        part.lowerBound > lowerBound ? lowerBound...(part.lowerBound - 1) : nil
    }

    /// What lies above `part`, which is a part of this; nil when nothing does.
    func above(_ part: ClosedRange<Int64>) -> ClosedRange<Int64>? {
        part.upperBound < upperBound ? (part.upperBound + 1)...upperBound : nil
    }
}

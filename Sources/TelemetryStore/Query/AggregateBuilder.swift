import Telemetry
import TelemetryCodec

/// Reads the pieces of one device, oldest first, into accumulators per field and window.
///
/// Pieces whose times touch no other's are taken column by column, or from their statistics; where times overlap (late rows, versions, a
/// head beside a segment) the rows are merged first, so that each cell counts once with its newest value.
struct AggregateBuilder {
    private let windows: AggregateWindows
    /// Name and series of each field asked for; one that is asked for twice has one series.
    private var fields: [(name: String, series: Int)] = []
    /// Series of a field number.
    private var series: [UInt32: Int] = [:]
    private var wanted = FieldSet([])
    private let condition: ResolvedCondition?
    private var accumulators: [SeriesAccumulator]
    private let access: SegmentAccess
    /// Rows looked at so far, and bytes of their strings and binaries.
    private var (rowCount, byteCount) = (0, 0)
    private var rows = RowBuffer()
    private var scan: PieceAggregation

    init(names: [String], query: AggregateQuery, registry: NameRegistry, windows: AggregateWindows) {
        self.windows = windows
        access = query.isFromMemory ? .memory : .cached
        scan = PieceAggregation(functions: query.functions)
        condition = query.condition.map { ResolvedCondition($0, registry: registry) }
        accumulators = []
        for name in names {
            let number = registry.field(name)
            let index = number.flatMap { series[$0] } ?? accumulators.count
            if index == accumulators.count {
                accumulators.append(SeriesAccumulator(windowCount: windows.count, keepsBytes: scan.needsOrder))
            }
            if let number { series[number] = index }
            fields.append((name, index))
        }
        wanted = FieldSet(Set(series.keys).union(condition?.fields ?? []))
    }

    /// Adds the rows of one partition. Partitions come oldest first.
    mutating func read(
        _ sources: PartitionSources, _ times: ClosedRange<Int64>, bucket: Int, device: UnsafeRawBufferPointer
    ) throws(StoreError) {
        let pieces = try PieceList(sources, times, bucket: bucket, device: device, order: .ascending, access: access)
        rowCount += pieces.rowCount
        try checkMemoryBudget()
        for var group in pieces.disjointGroups() {
            // Which rows fulfil a condition only rows tell.
            if condition == nil, let (piece, segment) = group.onlyStoredPiece, !segment.footer.hasCommitTimes, segment.footer.version > 1,
                try scan.add(
                    piece, of: segment, times: times, windows: windows, series: series, access: access, to: &accumulators)
            {
                try checkByteCount()
            } else {
                try addRows(of: &group, times)
            }
        }
    }

    private func checkMemoryBudget() throws(StoreError) {
        guard access == .memory, rowCount > MemoryBudget.rowLimit || byteCount > MemoryBudget.byteLimit else { return }
        throw .notInMemory
    }

    /// What is kept is what will be answered.
    private func checkByteCount() throws(StoreError) {
        guard scan.needsOrder, accumulators.reduce(0, { $0 + $1.byteCount }) > AggregateQuery.byteLimit else { return }
        throw StoreError(.invalid, "first and last values come to more than \(AggregateQuery.byteLimit) bytes; ask for fewer windows")
    }

    /// Merges pieces and adds their rows, a pass's worth at a time.
    private mutating func addRows(of group: inout PieceList, _ times: ClosedRange<Int64>) throws(StoreError) {
        var unread: ClosedRange<Int64>? = times
        rows.removeAll()
        while let times = unread {
            try group.readNext(atLeast: max(SegmentFormat.rowsPerFrame, rows.rows.count), times: times, wanted: wanted, into: &rows)
            byteCount += rows.bytes.count
            try checkMemoryBudget()
            rows.sortNewestFirst()
            guard let complete = group.completeTimes(within: times) else { continue }
            unread = times.above(complete)
            var rest = RowBuffer()
            if unread != nil {
                let end = rows.rows.firstIndex { $0.time <= complete.upperBound } ?? rows.rows.count
                rest.append(rows.rows[..<end], of: rows)
                rows.rows.removeSubrange(..<end)
            }
            rows.coalesce(maxVersions: 1)
            addRows()
            try checkByteCount()
            if rest.isEmpty { rows.removeAll() } else { rows = rest }
        }
    }

    /// The merged rows, oldest first.
    private mutating func addRows() {
        for row in rows.rows.reversed() {
            if let condition, !condition.holds(for: CollectionOfOne(row), in: rows) { continue }
            let window = windows.window(of: row.time)
            for entry in rows.cells(of: row) {
                guard let index = series[entry.field], let type = entry.cell.type else { continue }
                if type == .integer || type == .double {
                    accumulators[index].add(type: type, bits: entry.cell.bits, window: window)
                } else if scan.needsOthers {
                    rows.bytes.withUnsafeBytes {
                        accumulators[index].add(count: 1, first: entry.cell, last: entry.cell, source: $0, window: window)
                    }
                }
            }
        }
    }

    // MARK: - The answer

    func page(_ query: AggregateQuery) -> AggregatePage {
        var page = AggregatePage()
        var isFilled = [Bool](repeating: query.fill != .none, count: windows.count)
        for accumulator in accumulators {
            for window in 0..<windows.count where accumulator.windows[window].count > 0 { isFilled[window] = true }
        }
        page.hasValues = accumulators.contains { $0.windows.contains { $0.count > 0 || $0.numberCount > 0 } }
        let shown = (0..<windows.count).filter { isFilled[$0] }
        page.times = shown.map { windows.time(of: $0) }
        var columns: [[Cell]] = []
        for (name, index) in fields {
            for function in query.functions {
                var cells = shown.map { accumulators[index].cell(function, $0, into: &page.bytes) }
                if function != .count { query.fill.apply(to: &cells) }
                page.columns.append(.init(field: name, function: function, type: cells.commonType))
                columns.append(cells)
            }
        }
        page.cells.reserveCapacity(shown.count * columns.count)
        for row in shown.indices {
            for column in columns { page.cells.append(column[row]) }
        }
        return page
    }
}

extension [Cell] {
    /// Integer and double together are double; other mixtures name the first.
    fileprivate var commonType: FieldType? {
        var result: FieldType?
        for case let type? in lazy.map(\.type) where type != result {
            if result == nil || (result == .integer && type == .double) { result = type }
        }
        return result
    }
}

extension AggregateQuery.Fill {
    /// Gives the absent cells of a column their value.
    fileprivate func apply(to cells: inout [Cell]) {
        switch self {
        case .none, .null: return
        case .previous:
            for index in cells.indices.dropFirst() where cells[index].type == nil { cells[index] = cells[index - 1] }
        case .linear: interpolate(&cells)
        }
    }

    private func interpolate(_ cells: inout [Cell]) {
        var known: (index: Int, value: Double)?
        for index in cells.indices {
            guard let value = cells[index].number else {
                if cells[index].type != nil { known = nil }
                continue
            }
            if let known, known.index + 1 < index {
                let slope = (value - known.value) / Double(index - known.index)
                for gap in (known.index + 1)..<index { cells[gap] = .double(known.value + slope * Double(gap - known.index)) }
            }
            known = (index, value)
        }
    }
}

extension Cell {
    /// An integer or a double as a double.
    var number: Double? {
        switch type {
        case .integer: Double(integer)
        case .double: double
        default: nil
        }
    }
}

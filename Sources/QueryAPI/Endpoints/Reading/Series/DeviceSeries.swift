import Telemetry
import TelemetryStore

/// The rows of one device, raw or aggregated, a slice at a time.
struct DeviceSeries: Sendable {
    struct Column {
        var name: String
        /// `mixed` when values differ; nil when the field never had one.
        var type: String?
    }

    /// Cells of one slice: 2 MiB of the store's memory, a few hundred kilobytes of JSON.
    private static let sliceCellCount = 131_072
    private static let sliceRowCount = 4_096
    /// Rows that one slice looks at when a condition takes few of them: tens of milliseconds.
    private static let scanLimit = 1 << 18

    let device: String
    private let table: Table
    private let detail: DeviceDetail
    private let aggregation: Aggregation?
    private var range: RangeQuery
    /// All windows, once computed.
    private var windows: RangePage?
    /// False: no row of the range counted; what an aggregate shows comes from its filling.
    private(set) var hasValues = true

    /// - Parameters:
    ///   - detail: of the device.
    ///   - after: behind which row to begin.
    init(_ query: SeriesQuery, detail: DeviceDetail, after: Timestamp?) {
        device = detail.summary.id
        table = query.table
        self.detail = detail
        aggregation = query.aggregation
        range = RangeQuery(device: device, start: query.resolvedStart, end: query.end)
        // A field that comes while the answer is made has no column in it.
        range.fields = query.aggregation == nil ? query.fields ?? detail.fields.map(\.name) : query.fields
        range.order = query.order
        range.after = after
        range.versions = query.versions
        range.condition = query.condition
        range.scanLimit = Self.scanLimit
        range.isFromMemory = query.isFromMemory
    }

    /// The next rows; more follow when `nextAfter` is set, which may be so of an empty slice, too. Blocking.
    mutating func next(limit: Int) throws -> RangePage {
        let page = try aggregation.map { try aggregates($0, limit: limit) } ?? rows(limit: limit)
        range.after = page.nextAfter
        return page
    }

    // MARK: - Rows

    private mutating func rows(limit: Int) throws -> RangePage {
        let columnCount = max(1, range.fields?.count ?? detail.fields.count)
        range.limit = min(limit, Self.sliceRowCount, max(1, Self.sliceCellCount / columnCount / range.versions))
        guard let page = try table.range(range) else { throw API.unknownDevice(device, in: table) }
        return page
    }

    /// The columns behind the time.
    ///
    /// Of rows that come in several slices only the first is known here: the type of the field's newest value is taken into account too.
    func columns(of page: RangePage) -> [Column] {
        page.columns.map { column in
            let newest = detail.fields.first { $0.name == column.name }?.type
            if let aggregation { return Column(name: column.name, type: aggregation.typeName(of: column)) }
            if column.isMixed { return Column(name: column.name, type: "mixed") }
            guard let type = column.type else { return Column(name: column.name, type: newest?.name) }
            guard page.nextAfter != nil, let newest, newest != type else { return Column(name: column.name, type: type.name) }
            return Column(name: column.name, type: Set([type, newest]) == [.integer, .double] ? FieldType.double.name : "mixed")
        }
    }

    // MARK: - Aggregates

    private mutating func aggregates(_ aggregation: Aggregation, limit: Int) throws -> RangePage {
        let all = try windows ?? allWindows(aggregation)
        windows = all
        return all.slice(after: range.after, order: range.order, limit: min(limit, Self.sliceRowCount))
    }

    /// In the order of the answer.
    private mutating func allWindows(_ aggregation: Aggregation) throws -> RangePage {
        let fields = range.fields ?? detail.fields.filter { !aggregation.isOfNumbersOnly || $0.type.isNumber }.map(\.name)
        var query = try aggregation.query(device: device, start: range.start, end: range.end, fieldCount: fields.count)
        query.fields = fields
        query.condition = range.condition
        query.isFromMemory = range.isFromMemory
        guard let page = try table.aggregate(query) else { throw API.unknownDevice(device, in: table) }
        hasValues = page.hasValues
        return RangePage(page, order: range.order)
    }
}

extension FieldType {
    fileprivate var isNumber: Bool { self == .integer || self == .double }
}

extension Aggregation {
    /// Of a column without a value: what the function gives, when that is always the same.
    fileprivate func typeName(of column: RangePage.Column) -> String? {
        if let type = column.type { return type.name }
        if column.name.hasSuffix("_" + AggregateQuery.Function.avg.rawValue) { return FieldType.double.name }
        if column.name.hasSuffix("_" + AggregateQuery.Function.count.rawValue) { return FieldType.integer.name }
        return nil
    }
}

extension RangePage {
    /// Aggregates as rows: `temp_avg`, `temp_min`…
    fileprivate init(_ page: AggregatePage, order: RangeQuery.Order) {
        self.init(columns: page.columns.map { Column(name: Aggregation.columnName($0.field, $0.function), type: $0.type) })
        bytes = page.bytes
        guard order == .descending else {
            (times, cells) = (page.times, page.cells)
            return
        }
        times = page.times.reversed()
        cells.reserveCapacity(page.cells.count)
        for row in page.times.indices.reversed() { cells += page.cells[(row * columns.count)..<((row + 1) * columns.count)] }
    }

    /// So many rows behind one.
    fileprivate func slice(after: Timestamp?, order: RangeQuery.Order, limit: Int) -> RangePage {
        let start = after.map { after in
            times.firstIndex { order == .descending ? $0 < after : $0 > after } ?? times.count
        }
        let rows = (start ?? 0)..<min(times.count, (start ?? 0) + limit)
        var slice = RangePage(columns: columns)
        slice.times = Array(times[rows])
        slice.cells = Array(cells[(rows.lowerBound * columns.count)..<(rows.upperBound * columns.count)])
        slice.bytes = bytes
        slice.nextAfter = rows.upperBound < times.count ? times[rows.upperBound - 1] : nil
        return slice
    }
}

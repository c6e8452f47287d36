import Telemetry
import TelemetryStore

/// What is asked of each device: its rows in a range of time, or their aggregates.
struct SeriesQuery: Sendable {
    /// Versions of a cell that may be asked for; a table keeps at most as many.
    private static let versionLimit = 100

    let table: Table
    /// Inclusive. Nil: from the oldest row on.
    var start: Timestamp?
    /// Exclusive.
    var end: Timestamp
    let order: RangeQuery.Order
    let versions: Int
    let aggregation: Aggregation?
    /// The wanted fields in their order; nil: all.
    var fields: [String]?
    var condition: RowCondition?
    /// See `RangeQuery` and `AggregateQuery`.
    var isFromMemory = false

    /// - Throws: a 400 that names the parameter. `fields` and `condition` are the caller's to read.
    init(_ parameters: Parameters, table: Table, now: Timestamp) throws(Problem) {
        self.table = table
        start = try parameters.time("start", now: now)
        end = try parameters.time("end", now: now) ?? now
        order = try parameters.choice("order", default: .descending)
        aggregation = try Aggregation(parameters)
        versions = try parameters.integer("versions", in: 1...Self.versionLimit, default: 1)
        if let start, start > end { throw .invalid("start", "start must not be later than end, which is now unless it is given.") }
    }

    /// The range of the first page, for the pages that follow: `-1h` must not move from page to page.
    mutating func fix(start: Timestamp, end: Timestamp) {
        // The start of all times stands for none.
        self.start = start == .distantPast ? nil : start
        self.end = end
    }

    /// Windows must begin somewhere.
    var needsStart: Bool { aggregation != nil && start == nil }

    /// Aggregates without a start begin where the table does, or with what is not expired. Blocking.
    func withStart(now: Timestamp) -> SeriesQuery {
        guard needsStart else { return self }
        var query = self
        query.start = min(max(table.summary().oldest ?? end, now - table.options.ttl), end)
        return query
    }

    /// The columns behind the time, of `fields`.
    var columnNames: [String] {
        let fields = fields ?? []
        guard let aggregation else { return fields }
        return fields.flatMap { field in aggregation.functions.map { Aggregation.columnName(field, $0) } }
    }

    /// The start as page tokens carry it.
    var resolvedStart: Timestamp { start ?? .distantPast }
}

extension RangeQuery.Order: CaseIterable {
    package static var allCases: [RangeQuery.Order] { [.descending, .ascending] }
}

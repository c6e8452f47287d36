import Hummingbird
import Telemetry
import TelemetryStore

/// `/api/v1/devices/{id}/range`: the rows of one device.
extension API {
    private enum Shape: String, CaseIterable { case table, objects }

    /// Versions of a cell that may be asked for; a table keeps at most as many.
    private static let versionLimit = 100

    func range(_ request: APIRequest) async throws -> Response {
        let parameters = request.parameters
        let table = try table(of: request)
        let hash = request.queryHash(table: table.name)
        let now = clock.now()
        var query = RangeQuery(
            device: request.captures[0], start: try parameters.time("start", now: now) ?? .distantPast,
            end: try parameters.time("end", now: now) ?? now)
        query.order = try parameters.choice("order", default: .descending)
        query.versions = try parameters.integer("versions", in: 1...Self.versionLimit, default: 1)
        query.limit = try limit(of: request)
        let layout = try layout(of: request, versions: query.versions)
        switch try cursor(of: request, query: hash) {
        case nil: break
        case .row(let after, let start, let end)? where start <= after && after < end && after != .distantPast:
            (query.start, query.end, query.after) = (start, end, after)
        default: throw Self.foreignToken
        }
        guard query.start <= query.end else { throw Problem.invalid("start", "start must not be later than end.") }
        let device = query.device
        guard let detail = try await readers.perform({ table.device(device) }) else {
            throw Self.unknownDevice(device, in: table)
        }
        query.fields = try fields(of: request, in: table)
        let pieces = RangePieces(table: table, query: query, detail: detail, hash: hash, layout: layout)
        return try await readers.response(pieces, contentType: layout.format.contentType, logger: request.logger)
    }

    private func layout(of request: APIRequest, versions: Int) throws -> RowLayout {
        let parameters = request.parameters
        let format: AnswerFormat =
            if let format: AnswerFormat = try parameters.choice("format") { format } else {
                try AnswerFormat.accepted(by: request.headers[.accept], among: AnswerFormat.allCases)
            }
        if format == .csv, versions > 1 { throw Problem.invalid("versions", "CSV holds one version of a value.") }
        let shape: Shape? = try parameters.choice("shape")
        if shape != nil, format != .json { throw Problem.invalid("shape", "shape is a matter of format=json.") }
        return RowLayout(
            format: format, isObjects: shape == .objects || format == .ndjson, time: try timeFormat(of: request))
    }
}

extension RangeQuery.Order: CaseIterable {
    package static var allCases: [RangeQuery.Order] { [.descending, .ascending] }
}

/// How rows are written.
struct RowLayout: Sendable {
    let format: AnswerFormat
    /// Each row an object with named members; otherwise an array, or a line of CSV.
    let isObjects: Bool
    let time: TimeFormat
}

/// One page of a range, read from the store a slice at a time.
private struct RangePieces: PieceSource {
    /// Cells of one slice: 2 MiB of the store's memory, a few hundred kilobytes of JSON.
    private static let sliceCellCount = 131_072
    private static let sliceRowCount = 4_096

    private let table: Table
    private var query: RangeQuery
    private let detail: DeviceDetail
    private let hash: QueryHash
    private let layout: RowLayout
    /// Rows that the page still may have.
    private var remaining: Int
    private var isFirst = true
    private var nextPageToken: String?

    init(table: Table, query: RangeQuery, detail: DeviceDetail, hash: QueryHash, layout: RowLayout) {
        self.table = table
        self.query = query
        self.detail = detail
        self.hash = hash
        self.layout = layout
        remaining = query.limit
    }

    /// CSV has no place for a token among its lines.
    var headerToken: String? { layout.format == .csv ? nextPageToken : nil }

    mutating func next(_ json: inout JSONWriter) throws -> Bool {
        let columnCount = max(1, query.fields?.count ?? detail.fields.count)
        query.limit = min(remaining, Self.sliceRowCount, max(1, Self.sliceCellCount / columnCount / query.versions))
        guard let page = try table.range(query) else { throw API.unknownDevice(query.device, in: table) }
        remaining -= page.times.count
        let isComplete = page.nextAfter == nil || remaining <= 0
        let rows = RowWriter(columns: page.columns.map(\.name), layout: layout)
        if isFirst { begin(page, isWhole: isComplete, rows: rows, to: &json) }
        isFirst = false
        rows.write(page, to: &json)
        // A field that is new since the first slice has no column in this answer.
        query.fields = page.columns.map(\.name)
        query.after = page.nextAfter
        if isComplete {
            nextPageToken = page.nextAfter.map { PageToken.encode(.row($0, start: query.start, end: query.end), query: hash) }
            end(&json)
        }
        return !isComplete
    }

    private func begin(_ page: RangePage, isWhole: Bool, rows: RowWriter, to json: inout JSONWriter) {
        switch layout.format {
        case .ndjson: break
        case .csv: rows.writeCSVHeader(to: &json)
        case .json:
            json.beginObject()
            json.member("device", query.device)
            json.member("table", table.name)
            if !layout.isObjects {
                json.key("columns")
                json.array { json in
                    json.column("time", type: layout.time.columnType)
                    for column in page.columns { json.column(column.name, type: typeName(of: column, isWhole: isWhole)) }
                }
            }
            json.key("rows")
            json.beginArray()
        }
    }

    private func end(_ json: inout JSONWriter) {
        switch layout.format {
        case .csv: break
        case .ndjson:
            guard let nextPageToken else { return }
            json.line { $0.object { $0.member("next_page_token", nextPageToken) } }
        case .json:
            json.endArray()
            if let nextPageToken { json.member("next_page_token", nextPageToken) }
            json.endObject()
        }
    }

    /// The type of a column's values, `mixed` when they differ, nil when the field never had one.
    ///
    /// Of a page in several pieces only the first is known here: the type of the field's newest value is taken into account too.
    private func typeName(of column: RangePage.Column, isWhole: Bool) -> String? {
        if column.isMixed { return "mixed" }
        let newest = detail.fields.first { $0.name == column.name }?.type
        guard let type = column.type else { return newest?.name }
        guard !isWhole, let newest, newest != type else { return type.name }
        return Set([type, newest]) == [.integer, .double] ? FieldType.double.name : "mixed"
    }
}

extension JSONWriter {
    fileprivate mutating func column(_ name: String, type: String?) {
        object { json in
            json.member("name", name)
            json.key("type")
            if let type { json.string(type) } else { json.null() }
        }
    }
}

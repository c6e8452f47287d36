import HTTPTypes
import Hummingbird
import Telemetry
import TelemetryStore

/// `/api/v1/devices/{id}/range`: the rows of one device, or their aggregates.
extension API {
    func range(_ request: APIRequest) async throws -> Response {
        let parameters = request.parameters
        let table = try table(of: request)
        let id = try device(of: request, in: table)
        let hash = request.queryHash(table: table.name)
        let now = clock.now()
        var query = try SeriesQuery(parameters, table: table, now: now)
        let layout = try RowLayout(parameters, headers: request.headers, isVersioned: query.versions > 1)
        var after: Timestamp?
        switch try cursor(of: parameters, query: hash) {
        case nil: break
        case .row(let row, let start, let end)? where row < end && row != .distantPast:
            query.fix(start: start, end: end)
            after = row
        default: throw Self.foreignToken
        }
        let tag = try tag(request, query, layout)
        if let known = tag?.notModified(for: request.headers[.ifNoneMatch], now: now) { return known }
        // In memory, under a short lock: the rows alone are worth a thread of the readers.
        guard let device = table.device(id) else { throw Self.unknownDevice(id, in: table) }
        if query.needsStart { query = try await readers.perform { [query] in query.withStart(now: now) } }
        query.fields = try fields(of: parameters, in: table)
        let pieces = RangePieces(query: query, detail: device, after: after, hash: hash, layout: layout)
        var headers: HTTPFields = [.vary: "accept"]
        if let tag, let start = query.start {
            headers[.eTag] = tag.text(expiry: start + table.options.ttl)
            headers[.cacheControl] = "no-cache"
        }
        return try await readers.response(pieces, contentType: layout.format.contentType, headers: headers, for: request)
    }

    /// Of a range that was given whole: one that ends now is another each time.
    private func tag(_ request: APIRequest, _ query: SeriesQuery, _ layout: RowLayout) throws(Problem) -> AnswerTag? {
        guard query.start != nil, request.parameters.isGiven("end") else { return nil }
        var hash = request.queryHash(table: query.table.name)
        let token = try request.parameters.text("page_token") ?? ""
        let range = [query.resolvedStart, query.end].map { String($0.microseconds) }
        for part in range + [token, layout.format.rawValue, String(layout.isObjects), layout.time.rawValue, String(layout.limit)] {
            hash.add(part)
        }
        return AnswerTag(store: store, table: query.table, query: hash)
    }
}

/// One page of a range.
private struct RangePieces: PieceSource {
    private var series: DeviceSeries
    private let query: SeriesQuery
    private let hash: QueryHash
    private let layout: RowLayout
    /// Rows that the page still may have.
    private var remaining: Int
    private var isFirst = true
    private var nextPageToken: String?

    init(query: SeriesQuery, detail: DeviceDetail, after: Timestamp?, hash: QueryHash, layout: RowLayout) {
        self.query = query
        self.hash = hash
        self.layout = layout
        series = DeviceSeries(query, detail: detail, after: after)
        remaining = layout.limit
    }

    /// CSV has no place for a token among its lines.
    var headerToken: String? { layout.format == .csv ? nextPageToken : nil }

    mutating func next(_ json: inout JSONWriter) throws -> Bool {
        let page = try series.next(limit: remaining)
        remaining -= page.times.count
        let rows = RowWriter(columns: page.columns.map(\.name), layout: layout)
        if isFirst { begin(page, to: &json) }
        isFirst = false
        rows.write(page, to: &json)
        guard page.nextAfter == nil || remaining <= 0 else { return true }
        nextPageToken = page.nextAfter.map { PageToken.encode(.row($0, start: query.resolvedStart, end: query.end), query: hash) }
        end(&json)
        return false
    }

    private func begin(_ page: RangePage, to json: inout JSONWriter) {
        switch layout.format {
        case .ndjson: break
        case .csv: RowWriter.writeCSVHeader(page.columns.map(\.name), to: &json)
        case .json:
            json.beginObject()
            json.member("device", series.device)
            json.member("table", query.table.name)
            json.aggregationMembers(of: query, time: layout.time)
            if !layout.isObjects { json.columns(series.columns(of: page), time: layout.time) }
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
            json.endLine()
        }
    }
}

extension JSONWriter {
    /// The range as it was understood, and the windows' length. Nothing for rows.
    mutating func aggregationMembers(of query: SeriesQuery, time: TimeFormat) {
        guard let aggregation = query.aggregation else { return }
        member("start", query.start, as: time)
        member("end", query.end, as: time)
        member("step_ms", milliseconds: aggregation.step)
        if let zone = aggregation.zone { member("align", zone.name) }
    }

    /// What each row of the table shape holds.
    mutating func columns(_ columns: [DeviceSeries.Column], time: TimeFormat) {
        key("columns")
        array { json in
            json.column("time", type: time.columnType)
            for column in columns { json.column(column.name, type: column.type) }
        }
    }

    private mutating func column(_ name: String, type: String?) {
        object { json in
            json.member("name", name)
            json.key("type")
            if let type { json.string(type) } else { json.null() }
        }
    }
}

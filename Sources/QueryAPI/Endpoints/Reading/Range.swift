import HTTPTypes
import Hummingbird
import Telemetry
import TelemetryStore

/// `/api/v1/devices/{id}/range`: the rows of one device, or their aggregates.
extension API {
    func range(_ request: APIRequest) async throws -> Response {
        switch try rangePlan(request) {
        case .known(let answer): return answer.response
        case .read(var plan):
            if plan.query.needsStart {
                plan.query = try await readers.perform { [query = plan.query, now = clock.now()] in query.withStart(now: now) }
            }
            return try await readers.response(plan.pieces, contentType: plan.layout.format.contentType, headers: plan.headers, for: request)
        }
    }

    /// The range when it is short and its rows are in memory, as those that came last mostly are; nil: it takes a reader.
    func rangeInMemory(_ request: APIRequest) throws -> WholeAnswer? {
        switch try rangePlan(request) {
        case .known(let answer): return answer
        case .read(var plan):
            // It would have to be packed, which takes a thread.
            guard plan.isShort, !AcceptedEncoding.takesGzip(request.headers[.acceptEncoding]) else { return nil }
            plan.query.isFromMemory = true
            var pieces = plan.pieces
            var json = JSONWriter()
            json.bytes.reserveCapacity(4_096)
            do {
                guard try !pieces.next(&json) else { return nil }
            } catch let error as StoreError where error.code == .notInMemory {
                return nil
            }
            var answer = WholeAnswer(contentType: plan.layout.format.contentType, headers: plan.headers, bytes: json.bytes)
            if let token = pieces.headerToken { answer.headers[.nextPageToken] = token }
            return answer
        }
    }

    /// What is to be read, and how it is told.
    private struct RangePlan {
        /// Cells of an answer that is made without a thread: less than a millisecond's.
        private static let shortCellCount = 4_096

        var query: SeriesQuery
        let layout: RowLayout
        let detail: DeviceDetail
        let after: Timestamp?
        let hash: QueryHash
        let headers: HTTPFields

        var pieces: RangePieces { RangePieces(query: query, detail: detail, after: after, hash: hash, layout: layout) }

        var isShort: Bool {
            let fieldCount = max(1, query.fields?.count ?? detail.fields.count)
            guard let aggregation = query.aggregation else {
                return query.versions == 1 && layout.limit <= Self.shortCellCount / fieldCount
            }
            guard let start = query.start, aggregation.zone == nil else { return false }
            return aggregation.windowCount(from: start, to: query.end) <= Self.shortCellCount / fieldCount / aggregation.functions.count
        }
    }

    private enum RangeStep {
        /// The client holds the answer.
        case known(WholeAnswer)
        case read(RangePlan)
    }

    private func rangePlan(_ request: APIRequest) throws -> RangeStep {
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
        let tag = try tag(request, query, layout, hash)
        if let known = tag?.notModified(for: request.headers[.ifNoneMatch], now: now) { return .known(known) }
        guard let device = table.device(id) else { throw Self.unknownDevice(id, in: table) }
        query.fields = try fields(of: parameters, in: table)
        var headers: HTTPFields = [.vary: "accept"]
        if let tag, let start = query.start {
            headers[.eTag] = tag.text(expiry: start + table.options.ttl)
            headers[.cacheControl] = "no-cache"
        }
        return .read(RangePlan(query: query, layout: layout, detail: device, after: after, hash: hash, headers: headers))
    }

    /// Of a range that was given whole: one that ends now is another each time.
    private func tag(_ request: APIRequest, _ query: SeriesQuery, _ layout: RowLayout, _ hash: QueryHash) throws(Problem) -> AnswerTag? {
        guard query.start != nil, request.parameters.isGiven("end") else { return nil }
        var hash = hash
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

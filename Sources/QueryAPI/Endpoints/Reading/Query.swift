import HTTPTypes
import Hummingbird
import NIOCore
import Telemetry
import TelemetryStore

/// POST `/api/v1/query`: rows or aggregates of many devices.
extension API {
    private static let queryMembers = [
        "table", "devices", "prefix", "fields", "start", "end", "order", "step", "agg", "fill", "align", "versions", "where", "format",
        "shape",
        "time", "limit", "page_token",
    ]

    func query(_ request: APIRequest) async throws -> Response {
        let body = try await request.collectBody(upTo: options.bodyByteLimit)
        var (pieces, isResumed) = try await parsing(body) { body in try queryPieces(body, request) }
        if !isResumed {
            let now = clock.now()
            pieces.query = try await readers.perform { [query = pieces.query] in query.withStart(now: now) }
        }
        return try await readers.response(pieces, contentType: pieces.layout.format.contentType, headers: [.vary: "accept"], for: request)
    }

    /// - Returns: `isResumed`: from a page token on, whose start holds.
    private func queryPieces(_ body: ByteBuffer, _ request: APIRequest) throws(Problem) -> (QueryPieces, isResumed: Bool) {
        let form = "an object such as {\"prefix\":\"line1/\",\"start\":\"-1h\",\"fields\":[\"temp\"]}"
        let parameters = try Parameters(members: try JSONValue.members(of: body, form: form), known: Self.queryMembers)
        let table = try table(of: parameters)
        let hash = request.queryHash(table: table.name, members: parameters)
        var query = try SeriesQuery(parameters, table: table, now: clock.now())
        query.fields = try fields(of: parameters, in: table)
        query.condition = try parameters.json("where").map { value throws(Problem) in try ConditionParameter.parse(value, in: table) }
        let layout = try RowLayout(parameters, headers: request.headers, isVersioned: query.versions > 1)
        if layout.format == .csv, query.fields == nil {
            throw Problem.invalid("fields", "fields is needed for CSV, whose heading names the columns of all devices.")
        }
        var devices = try seriesDevices(parameters, table: table, access: request.access)
        let cursor = try cursor(of: parameters, query: hash)
        switch cursor {
        case nil: break
        case .series(let place, let start, let end)? where devices.move(to: place): query.fix(start: start, end: end)
        default: throw Self.foreignToken
        }
        return (QueryPieces(devices: devices, access: request.access, query: query, hash: hash, layout: layout), cursor != nil)
    }

    private func seriesDevices(_ parameters: Parameters, table: Table, access: Access) throws(Problem) -> SeriesDevices {
        let prefix = try parameters.text("prefix")
        guard let list = try parameters.list("devices") else {
            return SeriesDevices(table: table, prefix: access.narrowed(prefix: prefix ?? ""))
        }
        guard prefix == nil else { throw .invalid("devices", "devices and prefix exclude each other: give one of them.") }
        guard list.count <= DeviceListBody.limit else {
            throw .invalid("devices", "devices may name at most \(DeviceListBody.limit) devices.")
        }
        return SeriesDevices(list: list)
    }
}

/// One page of the series of several devices.
private struct QueryPieces: PieceSource {
    /// A piece ends with the slice that brings it here: a few hundred kilobytes at most.
    private static let pieceByteCount = 64 << 10
    /// Devices without rows bring no bytes.
    private static let pieceDeviceCount = 256

    private var devices: SeriesDevices
    private let access: Access
    var query: SeriesQuery
    private let hash: QueryHash
    let layout: RowLayout
    /// Rows that the page still may have.
    private var remaining: Int
    /// The device that is being written; its series may not have begun in the answer.
    private var current: (series: DeviceSeries, isBegun: Bool)?
    private var isFirst = true
    private var nextPageToken: String?

    init(devices: SeriesDevices, access: Access, query: SeriesQuery, hash: QueryHash, layout: RowLayout) {
        self.devices = devices
        self.access = access
        self.query = query
        self.hash = hash
        self.layout = layout
        remaining = layout.limit
    }

    /// CSV has no place for a token among its lines.
    var headerToken: String? { layout.format == .csv ? nextPageToken : nil }

    mutating func next(_ json: inout JSONWriter) throws -> Bool {
        if isFirst { begin(&json) }
        isFirst = false
        var deviceCount = 0
        while json.bytes.count < Self.pieceByteCount, deviceCount < Self.pieceDeviceCount {
            if current == nil {
                guard devices.hasNext, let (id, after) = devices.next() else { return end(&json) }
                deviceCount += 1
                // Whatever a page token says: a list or a walk may be told to go on with any id.
                guard access.allows(device: id), let detail = query.table.device(id) else {
                    writeUnknown(id, &json)
                    continue
                }
                current = (DeviceSeries(query, detail: detail, after: after), false)
            }
            let byteCount = json.bytes.count
            let nextAfter = try writeSlice(&json)
            // Much was looked at and nothing found: others want the thread, too, and the client may have gone.
            if nextAfter != nil, remaining > 0, json.bytes.count == byteCount { return true }
            guard remaining == 0, nextAfter != nil || devices.hasNext else { continue }
            nextPageToken = PageToken.encode(
                .series(devices.place(after: nextAfter), start: query.resolvedStart, end: query.end), query: hash)
            return end(&json)
        }
        return true
    }

    /// The next rows of the current device, which is none any more when they were its last, or the page's.
    private mutating func writeSlice(_ json: inout JSONWriter) throws -> Timestamp? {
        guard var (series, isBegun) = current else { return nil }
        let page = try series.next(limit: remaining)
        if !series.hasValues, !devices.isList {
            // Of a fleet only those count that have something to show.
            current = nil
            return nil
        }
        remaining -= page.times.count
        let isLast = page.nextAfter == nil || remaining == 0
        if !isBegun, !page.times.isEmpty || (isLast && devices.isList) {
            beginSeries(series, page, &json)
            isBegun = true
        }
        RowWriter(columns: page.columns.map(\.name), device: series.device, layout: layout).write(page, to: &json)
        if isLast, isBegun { endSeries(&json) }
        current = isLast ? nil : (series, isBegun)
        return page.nextAfter
    }

    // MARK: - What is around the rows

    private func begin(_ json: inout JSONWriter) {
        switch layout.format {
        case .ndjson: break
        case .csv: RowWriter.writeCSVHeader(query.columnNames, hasDevice: true, to: &json)
        case .json:
            json.beginObject()
            json.member("table", query.table.name)
            json.aggregationMembers(of: query, time: layout.time)
            json.key("series")
            json.beginArray()
        }
    }

    private func beginSeries(_ series: DeviceSeries, _ page: RangePage, _ json: inout JSONWriter) {
        guard layout.format == .json else { return }
        json.beginObject()
        json.member("device", series.device)
        if !layout.isObjects { json.columns(series.columns(of: page), time: layout.time) }
        json.key("rows")
        json.beginArray()
    }

    private func endSeries(_ json: inout JSONWriter) {
        guard layout.format == .json else { return }
        json.endArray()
        json.endObject()
    }

    /// A device that was asked for by name and is not there says so.
    private func writeUnknown(_ id: String, _ json: inout JSONWriter) {
        guard devices.isList else { return }
        switch layout.format {
        case .csv: break
        case .ndjson:
            json.line { json in
                json.object { json in
                    json.member("device", id)
                    json.member("unknown", true)
                }
            }
        case .json:
            json.object { json in
                json.member("device", id)
                if !layout.isObjects { json.columns([], time: layout.time) }
                json.key("rows")
                json.array { _ in }
                json.member("unknown", true)
            }
        }
    }

    /// - Returns: false: no piece follows.
    private func end(_ json: inout JSONWriter) -> Bool {
        switch layout.format {
        case .csv: break
        case .ndjson: nextPageToken.map { token in json.line { $0.object { $0.member("next_page_token", token) } } }
        case .json:
            json.endArray()
            if let nextPageToken { json.member("next_page_token", nextPageToken) }
            json.endObject()
            json.endLine()
        }
        return false
    }
}

import HTTPTypes
import Hummingbird
import Telemetry
import TelemetryStore

/// `/api/v1/devices/{id}/latest` and `/api/v1/latest`.
extension API {
    func latestOfDevice(_ request: APIRequest) throws -> WholeAnswer {
        let table = try table(of: request)
        let format = try timeFormat(of: request)
        let id = try device(of: request, in: table)
        let tag = AnswerTag(store: store, table: table, query: hash(request, table: table, time: format))
        if let known = tag.notModified(for: request.headers[.ifNoneMatch], now: clock.now()) { return known }
        if request.parameters.isGiven("fields"), table.latest(device: id, fields: []) == nil {
            // Of an unknown device no field is known either.
            throw Self.unknownDevice(id, in: table)
        }
        let fields = try fields(of: request.parameters, in: table)
        // In memory, under a short lock.
        guard let latest = table.latest(device: id, fields: fields) else { throw Self.unknownDevice(id, in: table) }
        let expiry = latest.earliestTime.map { $0 + table.options.ttl }
        return wholeJSON(headers: [.eTag: tag.text(expiry: expiry), .cacheControl: "no-cache"]) { json in
            json.member("device", id)
            json.member("table", table.name)
            json.latestMembers(latest, time: format)
        }
    }

    func latest(_ request: APIRequest) async throws -> Response {
        let prefix = try request.parameters.text("prefix")
        let list = try request.parameters.list("devices")
        if prefix != nil, list != nil { throw Problem.invalid("devices", "devices and prefix exclude each other: give one of them.") }
        return try await latest(request, list: list, prefix: prefix ?? "")
    }

    /// The same for lists that do not fit a URL.
    func latestOfList(_ request: APIRequest) async throws -> Response {
        let body = try await request.collectBody(upTo: options.bodyByteLimit)
        return try await latest(request, list: try await parsing(body, DeviceListBody.parse), prefix: "")
    }

    private func latest(_ request: APIRequest, list: [String]?, prefix: String) async throws -> Response {
        let table = try table(of: request)
        let format = try timeFormat(of: request)
        let limit = try limit(of: request)
        let query = request.queryHash(table: table.name, adding: list ?? [])
        var tagQuery = hash(request, table: table, time: format, adding: list ?? [])
        tagQuery.add(try request.parameters.text("page_token") ?? "")
        tagQuery.add(String(limit))
        // Answers to POST are not cached (RFC 9110 §9.3.3).
        let tag = request.route.method == .get ? AnswerTag(store: store, table: table, query: tagQuery) : nil
        if let known = tag?.notModified(for: request.headers[.ifNoneMatch], now: clock.now()) { return known.response }
        let filter = DeviceFilter(table: table, prefix: request.access.narrowed(prefix: prefix))
        let devices: LatestPieces.Devices
        switch (list, try cursor(of: request.parameters, query: query)) {
        case (let list?, nil): devices = .list(list[...], remaining: limit)
        case (let list?, .offset(let count)?) where count <= list.count: devices = .list(list[count...], remaining: limit)
        case (nil, nil):
            devices = .walk(DeviceWalk(filter: filter, after: nil, remaining: limit))
        case (nil, .device(let id)?):
            devices = .walk(DeviceWalk(filter: filter, after: id, remaining: limit))
        default: throw Self.foreignToken
        }
        let pieces = LatestPieces(
            devices: devices, access: request.access, table: table, fields: try fields(of: request.parameters, in: table), query: query,
            time: format)
        return try await readers.response(
            pieces, contentType: AnswerFormat.json.contentType, headers: [.cacheControl: "no-cache"], for: request
        ) { pieces, headers in
            headers[.eTag] = tag?.text(expiry: pieces.earliestTime.map { $0 + table.options.ttl })
        }
    }

    /// What a tag stands for beyond the rows: their look.
    private func hash(_ request: APIRequest, table: Table, time: TimeFormat, adding parts: [String] = []) -> QueryHash {
        var hash = request.queryHash(table: table.name, adding: parts)
        hash.add(time.rawValue)
        return hash
    }
}

/// The latest values of many devices.
private struct LatestPieces: PieceSource {
    enum Devices: Sendable {
        case list(ArraySlice<String>, remaining: Int)
        case walk(DeviceWalk)
    }

    /// Devices of a list answered in one piece.
    private static let sliceLength = 1_024

    private var devices: Devices
    private let access: Access
    private let table: Table
    private let fields: [String]?
    private let query: QueryHash
    private let time: TimeFormat
    private var isFirst = true
    /// Of all values written so far.
    private(set) var earliestTime: Timestamp?

    init(devices: Devices, access: Access, table: Table, fields: [String]?, query: QueryHash, time: TimeFormat) {
        self.devices = devices
        self.access = access
        self.table = table
        self.fields = fields
        self.query = query
        self.time = time
    }

    mutating func next(_ json: inout JSONWriter) -> Bool {
        if isFirst {
            json.beginObject()
            json.key("rows")
            json.beginArray()
            isFirst = false
        }
        let (ids, isComplete, token) = nextDevices()
        for id in ids { write(id, to: &json) }
        guard isComplete else { return true }
        json.endArray()
        if let token { json.member("next_page_token", token) }
        json.endObject()
        json.endLine()
        return false
    }

    private mutating func nextDevices() -> (ids: [String], isComplete: Bool, token: String?) {
        switch devices {
        case .walk(var walk):
            let ids = walk.next().map(\.id)
            devices = .walk(walk)
            return (ids, walk.isPageComplete, walk.isPageComplete ? walk.nextPageToken(query: query) : nil)
        case .list(let list, let remaining):
            let ids = list.prefix(min(remaining, Self.sliceLength))
            let rest = list.dropFirst(ids.count)
            devices = .list(rest, remaining: remaining - ids.count)
            let isComplete = rest.isEmpty || remaining == ids.count
            return (Array(ids), isComplete, rest.isEmpty ? nil : PageToken.encode(.offset(rest.startIndex), query: query))
        }
    }

    /// Every asked device gets its row; one that the table does not know says so.
    private mutating func write(_ id: String, to json: inout JSONWriter) {
        let latest = access.allows(device: id) ? table.latest(device: id, fields: fields) : nil
        if let time = latest?.earliestTime { earliestTime = min(time, earliestTime ?? time) }
        json.object { json in
            json.member("device", id)
            json.latestMembers(latest, time: time)
            if latest == nil { json.member("unknown", true) }
        }
    }
}

extension LatestReading {
    var earliestTime: Timestamp? { entries.map(\.time).min() }
}

extension JSONWriter {
    fileprivate mutating func latestMembers(_ latest: LatestReading?, time format: TimeFormat) {
        member("time", latest?.time, as: format)
        key("values")
        object { json in
            guard let latest else { return }
            for entry in latest.entries {
                json.key(entry.field)
                json.object { json in
                    json.key("value")
                    json.cell(entry.cell, arena: latest.bytes)
                    json.member("time", entry.time, as: format)
                }
            }
        }
    }
}

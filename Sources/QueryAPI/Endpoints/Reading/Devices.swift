import Hummingbird
import Telemetry
import TelemetryStore

/// `/api/v1/devices` and `/api/v1/devices/{id}`.
extension API {
    private enum Sort: String, CaseIterable {
        case id
        case lastSeen = "last_seen"
    }

    func devices(_ request: APIRequest) async throws -> Response {
        let table = try table(of: request)
        let query = request.queryHash(table: table.name)
        let state: DeviceState? = try request.parameters.choice("state")
        let prefix = try request.parameters.text("prefix") ?? ""
        let filter = DeviceFilter(table: table, prefix: request.access.narrowed(prefix: prefix), state: state)
        let limit = try limit(of: request)
        let format = try timeFormat(of: request)
        let cursor = try cursor(of: request.parameters, query: query)
        switch (try request.parameters.choice("sort", default: Sort.id), cursor) {
        case (.id, nil), (.id, .device):
            let after: String? = if case .device(let id) = cursor { id } else { nil }
            let walk = DeviceWalk(filter: filter, after: after, remaining: limit)
            return try await readers.response(
                DevicePieces(walk: walk, query: query, time: format), contentType: AnswerFormat.json.contentType, for: request)
        case (.lastSeen, nil), (.lastSeen, .offset):
            let offset = if case .offset(let count) = cursor { count } else { 0 }
            return try await recentDevices(filter, offset: offset, limit: limit, query: query, time: format)
        default:
            throw Self.foreignToken
        }
    }

    func device(_ request: APIRequest) async throws -> Response {
        let table = try table(of: request)
        let format = try timeFormat(of: request)
        let id = try device(of: request, in: table)
        guard let detail = try await readers.perform({ table.device(id) }) else { throw Self.unknownDevice(id, in: table) }
        return json { json in
            json.deviceMembers(detail.summary, time: format)
            json.key("fields")
            json.array { json in
                for field in detail.fields {
                    json.object { json in
                        json.member("name", field.name)
                        json.member("type", field.type.name)
                        json.member("time", field.time, as: format)
                    }
                }
            }
        }
    }

    /// Newest first; the order moves with every reading, so its pages go by position.
    private func recentDevices(
        _ filter: DeviceFilter, offset: Int, limit: Int, query: QueryHash, time format: TimeFormat
    ) async throws -> Response {
        let devices: [DeviceSummary] = try await readers.perform {
            guard let prefix = filter.prefix else { return [] }
            return filter.table.devicesByLastSeen(prefix: prefix, state: filter.state, limit: limit + 1, offset: offset)
        }
        return json { json in
            json.key("devices")
            json.array { json in
                for device in devices.prefix(limit) { json.object { $0.deviceMembers(device, time: format) } }
            }
            if devices.count > limit {
                json.member("next_page_token", PageToken.encode(.offset(offset + limit), query: query))
            }
        }
    }
}

/// Which devices a list is about.
struct DeviceFilter: Sendable {
    let table: Table
    /// Nil: about none; see `Access.narrowed`.
    let prefix: String?
    var state: DeviceState?
}

/// A page of devices in the order of their ids, a slice at a time.
struct DeviceWalk: Sendable {
    /// Devices of one slice: a few hundred kilobytes of JSON.
    private static let sliceLength = 2_048

    let filter: DeviceFilter
    private(set) var after: String?
    private(set) var remaining: Int
    /// True once no device follows, in this page or the next ones.
    private(set) var isAtEnd = false

    init(filter: DeviceFilter, after: String?, remaining: Int) {
        self.filter = filter
        self.after = after
        self.remaining = remaining
    }

    var isPageComplete: Bool { isAtEnd || remaining == 0 }

    mutating func next() -> [DeviceSummary] {
        guard let prefix = filter.prefix else {
            isAtEnd = true
            return []
        }
        let count = min(remaining, Self.sliceLength)
        // One more than wanted tells whether anything follows.
        var devices = filter.table.devices(prefix: prefix, state: filter.state, after: after, limit: count + 1)
        if devices.count > count { devices.removeLast() } else { isAtEnd = true }
        remaining -= devices.count
        after = devices.last?.id ?? after
        return devices
    }

    /// Nil when the list ends with this page.
    func nextPageToken(query: QueryHash) -> String? {
        guard !isAtEnd, let after else { return nil }
        return PageToken.encode(.device(after), query: query)
    }
}

private struct DevicePieces: PieceSource {
    var walk: DeviceWalk
    let query: QueryHash
    let time: TimeFormat
    private var isFirst = true

    init(walk: DeviceWalk, query: QueryHash, time: TimeFormat) {
        self.walk = walk
        self.query = query
        self.time = time
    }

    mutating func next(_ json: inout JSONWriter) -> Bool {
        if isFirst {
            json.beginObject()
            json.key("devices")
            json.beginArray()
            isFirst = false
        }
        for device in walk.next() { json.object { $0.deviceMembers(device, time: time) } }
        guard walk.isPageComplete else { return true }
        json.endArray()
        if let token = walk.nextPageToken(query: query) { json.member("next_page_token", token) }
        json.endObject()
        json.endLine()
        return false
    }
}

extension JSONWriter {
    fileprivate mutating func deviceMembers(_ device: DeviceSummary, time format: TimeFormat) {
        member("id", device.id)
        member("first_seen", device.firstSeen, as: format)
        member("last_seen", device.lastSeen, as: format)
        member("state", device.state.rawValue)
        member("readings", device.readingCount)
    }
}

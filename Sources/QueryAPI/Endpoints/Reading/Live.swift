import HTTPTypes
import Hummingbird
import Telemetry
import TelemetryStore

/// `/api/v1/live`: readings as they are committed.
extension API {
    /// Turns a second: more would need more wake-ups than there are (`LiveClients.tick`).
    private static let turnRates = 0.01...50.0

    func live(_ request: APIRequest) async throws -> Response {
        try AnswerFormat.require(Self.eventStream, by: request.headers[.accept])
        let table = try table(of: request)
        var text = EventText(table: table.name, time: try timeFormat(of: request))
        text.retry()
        var selection = FeedSelection()
        try select(&selection.devices, request)
        selection.fields = try fields(of: request.parameters, in: table)
        let rate = try request.parameters.number("max_hz", in: Self.turnRates)
        selection.isNewestOnly = rate != nil
        let after = try Self.lastEventID(of: request)
        let place = try liveClients.enter()
        let reader = try await readers.perform { [store, selection] in
            store.liveReader(of: table, selection: selection, after: after)
        }
        guard let reader else { throw Problem.notFound("There is no live tail here: live_buffer is 0 in the configuration.") }
        let stream = LiveStream(
            place: place, reader: reader, store: store, clock: clock,
            sampler: request.access.prefix.isEmpty ? sampler : nil,
            isAdmitted: { [gatekeeper, access = request.access] in gatekeeper.stillHolds(access) },
            turnInterval: rate.map { .seconds(1 / $0) }, text: text)
        return Response(
            status: .ok, headers: [.contentType: Self.eventStream, .accelBuffering: "no"], body: stream.body)
    }

    static let eventStream = "text/event-stream"

    private func select(_ filter: inout FeedFilter, _ request: APIRequest) throws(Problem) {
        let prefix = try request.parameters.text("prefix")
        let devices = try request.parameters.list("devices")
        if prefix != nil, devices != nil { throw .invalid("devices", "devices and prefix exclude each other.") }
        // What no device can match would be a stream that is silent for ever.
        for (name, ids) in [("prefix", [prefix ?? ""]), ("devices", devices ?? [])] {
            guard ids.allSatisfy({ $0.utf8.count <= Limits.deviceByteCount }) else {
                throw .invalid(name, "\(name) holds more than the \(Limits.deviceByteCount) bytes that a device id may have.")
            }
        }
        filter.require(prefix: request.access.prefix)
        if let prefix { filter.require(prefix: prefix) }
        if let devices { filter.require(devices: devices) }
    }

    private static func lastEventID(of request: APIRequest) throws(Problem) -> SequenceNumber? {
        guard let value = request.headers[.lastEventID], !value.isEmpty else { return nil }
        guard let sequence = SequenceNumber(value), value.first != "+" else {
            throw .invalid("last-event-id", "Last-Event-ID must be the id of an event of this stream, a whole number.")
        }
        return sequence
    }
}

extension HTTPField.Name {
    static let lastEventID = HTTPField.Name("last-event-id")!
    /// Tells nginx to pass events on at once.
    fileprivate static let accelBuffering = HTTPField.Name("x-accel-buffering")!
}

import Dialects
import HTTPTypes
import Hummingbird
import NIOCore
import Telemetry

/// `/api/v1/deliveries` and what is below it: tasks that write tables as Parquet objects.
extension API {
    /// As much as a definition may have, and far more than one needs.
    private static let definitionByteLimit = 64 << 10

    var deliveryRoutes: [Route] {
        let one = "/api/v1/deliveries/{name}"
        return [
            Route(.get, "/api/v1/deliveries", needs: .readAll, taking: ["time"], deliveries),
            Route(.post, "/api/v1/deliveries", needs: .admin, taking: ["time"], createDelivery),
            Route(.get, one, needs: .readAll, taking: ["time"], delivery),
            Route(.delete, one, needs: .admin, deleteDelivery),
            Route(.get, one + "/ddl", needs: .readAll, taking: ["engine"], deliveryStatement),
        ]
            + DeliveryChange.allCases.map { change in
                Route(.post, "\(one)/\(change.rawValue)", needs: .admin, taking: ["time"]) { try await changeDelivery($0, change) }
            }
    }

    func deliveries(_ request: APIRequest) async throws -> Response {
        let format = try timeFormat(of: request)
        return json { json in
            json.key("deliveries")
            json.array { json in
                for delivery in sources.deliveries.list() { json.object { $0.deliveryMembers(delivery, time: format) } }
            }
        }
    }

    func delivery(_ request: APIRequest) async throws -> Response {
        let format = try timeFormat(of: request)
        return describe(try known(request), time: format).response
    }

    /// 201 with the task, which runs.
    func createDelivery(_ request: APIRequest) async throws -> Response {
        let format = try timeFormat(of: request)
        guard try BodyFormat(contentType: request.headers[.contentType]) == .json else {
            throw Problem(
                .unsupportedMediaType, "unsupported-media-type", "Unsupported media type",
                "A delivery is defined in application/json.", param: "content-type")
        }
        let body = try await request.collectBody(upTo: Self.definitionByteLimit)
        try Self.checkMembers(of: body)
        let created = try await changing { control in try control.create(Array(body.readableBytesView)) }
        var answer = describe(created, time: format)
        answer.status = .created
        answer.headers[.location] = "/api/v1/deliveries/\(created.name)"
        return answer.response
    }

    func deleteDelivery(_ request: APIRequest) async throws -> Response {
        let name = request.captures[0]
        try await changing { control in try control.delete(name) }
        return Response(status: .noContent)
    }

    /// 200 with the task once it is done; 202: it is under way, and will be done when the task comes to an end of what it writes.
    private func changeDelivery(_ request: APIRequest, _ change: DeliveryChange) async throws -> Response {
        let format = try timeFormat(of: request)
        let body = try await request.collectBody(upTo: Self.definitionByteLimit)
        guard body.readableBytes == 0 else { throw Problem.invalid("body", "\(change.rawValue) takes no body.") }
        let name = request.captures[0]
        let isDone = try await changing { control in try control.change(name, change) }
        var answer = describe(try known(request), time: format)
        answer.status = isDone ? .ok : .accepted
        return answer.response
    }

    func deliveryStatement(_ request: APIRequest) async throws -> Response {
        let engines = sources.deliveries.engines
        guard let engine = try request.parameters.text("engine"), engines.contains(engine) else {
            let names = engines.isEmpty ? "those that this gateway writes statements for, which are none" : engines.joined(separator: ", ")
            throw Problem.invalid("engine", "engine must be one of \(names).")
        }
        let name = try known(request).name
        let text = try await Self.reporting {
            try await readers.perform { [control = sources.deliveries] in try control.statement(name, engine) }
        }
        return Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8"], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    private func describe(_ delivery: DeliverySnapshot, time format: TimeFormat) -> WholeAnswer {
        wholeJSON { json in
            json.deliveryMembers(delivery, time: format)
            json.history(delivery.events, time: format)
        }
    }

    /// The task in the path.
    private func known(_ request: APIRequest) throws(Problem) -> DeliverySnapshot {
        let name = request.captures[0]
        guard let delivery = sources.deliveries.find(name) else { throw Problem(.unknown(name: name)) }
        return delivery
    }

    /// Threads of their own: whoever waits for a task to pause holds up neither reads nor writes.
    private func changing<Value: Sendable>(
        _ body: @escaping @Sendable (DeliveryControl) throws -> Value
    ) async throws -> Value {
        try await Self.reporting {
            try await deliveryChanges.perform { [control = sources.deliveries] in try body(control) }
        }
    }

    private static func reporting<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch let problem as DeliveryProblem { throw Problem(problem) }
    }

    /// Parsers differ in which of two members of a name counts: neither does.
    private static func checkMembers(of body: ByteBuffer) throws(Problem) {
        let members = try JSONValue.members(of: body, form: #"an object with the options of a [[delivery]], such as {"name":"archive",…}"#)
        var names: Set<String> = []
        for member in members where !names.insert(member.name).inserted {
            throw .invalid(member.name, "\(member.name) must be given once.")
        }
    }
}

extension Problem {
    init(_ problem: DeliveryProblem) {
        switch problem {
        case .unknown(let name): self = .notFound("There is no delivery \(name); /api/v1/deliveries lists them.", param: "name")
        case .conflict(let reason): self.init(.conflict, "conflict", "Conflict", reason)
        case .invalid(let member, let reason): self = .invalid(member, "\(member): \(reason)")
        case .failed(let reason): self = .unavailable("delivery", reason)
        }
    }
}

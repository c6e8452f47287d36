import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import Synchronization
import TelemetryStore

/// Takes every request: gives it an id, finds its route, lets it in or not, turns errors into problems, sets the common headers, counts.
package struct QueryResponder: HTTPResponder {
    package typealias Context = PeerContext

    /// What becomes known of a request on its way, for whoever tells of it afterwards.
    private struct Exchange {
        var route: Route?
        var access: Access?
        /// What stands in the path, decoded.
        var captures: [String] = []
    }

    let table: RouteTable
    let gatekeeper: Gatekeeper
    let crossOrigin: CrossOrigin
    let metrics: RequestMetrics
    let requestIDs: RequestIDs
    let bodies: BodyBudget
    /// Packs answers.
    let packers: BlockingPool
    let logger: Logger

    package func respond(to request: Request, context: Context) async throws -> Response {
        let started = ContinuousClock.now
        let id = requestIDs.id(for: request.headers)
        var logger = context.logger
        logger[metadataKey: "request_id"] = .string(id)
        var exchange = Exchange()
        var response: Response
        do {
            response = try await answer(request, context: context, logger: logger, exchange: &exchange)
            try await response.pack(for: request.headers[.acceptEncoding], on: packers)
            if request.method == .head { response = try await response.withoutBody() }
        } catch {
            let problem = problem(for: error, logger: logger)
            response = exchange.route?.errors == .influx ? problem.influxResponse() : problem.response(requestID: id)
            if request.method == .head { response = response.createHeadResponse() }
        }
        finish(&response.headers, requestID: id, for: request.head)
        audit(exchange, response, context: context)
        record(exchange.route, response.status, since: started)
        return response
    }

    /// The answer to a request without a body, if it can be had without waiting for anything; nil: it goes the way of `respond`, and so
    /// does one that fails, to be told of it there.
    func promptAnswer(to head: HTTPRequest, on channel: any Channel) -> WholeAnswer? {
        let started = ContinuousClock.now
        let target = RequestTarget(head.path ?? "/")
        var exchange = Exchange()
        guard !Self.hasSecondHost(head),
            case .found(let route, let captures) = table.match(head.method, path: target.segments),
            let promptHandler = route.promptHandler,
            let request = try? open(
                head, target, route, captures, body: RequestBody(buffer: ByteBuffer()), channel: channel, logger: logger, &exchange),
            let made = try? promptHandler(request),
            var answer = made.plain(for: head.headerFields[.acceptEncoding])
        else { return nil }
        finish(&answer.headers, requestID: requestIDs.id(for: head.headerFields), for: head)
        record(route, answer.status, since: started)
        return answer
    }

    private func answer(_ request: Request, context: Context, logger: Logger, exchange: inout Exchange) async throws -> Response {
        guard !Self.hasSecondHost(request.head) else { throw Problem.invalid("host", "The header Host may be given once.") }
        let target = RequestTarget(request.head.path ?? "/")
        switch table.match(request.method, path: target.segments) {
        case .none:
            throw Problem.notFound("There is nothing at this path." + target.slashHint)
        case .otherMethods(let allowed):
            guard request.method == .options else { throw Problem.methodNotAllowed(request.method, allowed: allowed) }
            var headers = crossOrigin.preflight(request.head, methods: allowed) ?? [:]
            headers[.allow] = (allowed + [.options]).map(\.rawValue).joined(separator: ", ")
            return Response(status: .noContent, headers: headers)
        case .found(let route, let captures):
            let request = try open(
                request.head, target, route, captures, body: request.body, channel: context.channel, logger: logger, &exchange)
            // A streamed answer goes on without its body; a list of devices that it still holds does not count.
            defer { request.bodyShare?.giveBack() }
            return try await route.handler(request)
        }
    }

    /// The first Host is the authority; what is left among the headers is a second one (RFC 9112 §3.2).
    private static func hasSecondHost(_ head: HTTPRequest) -> Bool { head.headerFields.contains(.host) }

    /// Lets a request in that has found its route, and reads what it asks.
    private func open(
        _ head: HTTPRequest, _ target: RequestTarget, _ route: Route, _ captures: [Substring], body: RequestBody, channel: any Channel,
        logger: Logger, _ exchange: inout Exchange
    ) throws -> APIRequest {
        exchange.route = route
        let access = try admit(head, to: route, query: target.query)
        exchange.access = access
        let captures = try zip(captures, route.captureNames).map { raw, name in
            guard let capture = PercentEncoding.decode(raw) else {
                let what = name == "id" ? "device id" : name
                throw Problem.invalid(name, "The \(what) in the path is not percent-encoded UTF-8.")
            }
            return capture
        }
        exchange.captures = captures
        return APIRequest(
            route: route, access: access, captures: captures,
            parameters: try Parameters(route.readsOwnForm ? "" : target.query, known: route.parameters), query: target.query,
            headers: head.headerFields, body: body, bodyShare: route.method == .post ? bodies.share() : nil, channel: channel,
            logger: logger)
    }

    /// What every answer has, whoever made it.
    private func finish(_ headers: inout HTTPFields, requestID: String, for head: HTTPRequest) {
        headers.append(HTTPField(name: .requestID, value: requestID))
        SecurityHeaders.add(to: &headers)
        crossOrigin.mark(&headers, origin: head.headerFields[.origin])
    }

    private func record(_ route: Route?, _ status: HTTPResponse.Status, since started: ContinuousClock.Instant) {
        metrics.record(route: route?.pattern ?? "none", status: status.code, duration: ContinuousClock.now - started)
    }

    /// The first thing that happens at a route: nothing of the request is judged, or told, before.
    private func admit(_ head: HTTPRequest, to route: Route, query: Substring) throws(Problem) -> Access {
        if gatekeeper.isOpen, route.admission != .open { try crossOrigin.check(head) }
        return try gatekeeper.admit(route.admission) { Credentials.secret(headers: head.headerFields, query: query, route: route) }
    }

    /// Tells of everything that only an admin may, with what it was about, and of whoever was refused.
    private func audit(_ exchange: Exchange, _ response: Response, context: Context) {
        guard let route = exchange.route else { return }
        let (method, status) = (route.method.rawValue, response.status)
        let what = "\(method) \(route.pattern)"
        if let access = exchange.access {
            guard route.admission == .admin else { return }
            let who = access.token.map { "token \($0.name)" } ?? "anyone"
            let created = response.headers[.location].map { " \($0)" } ?? ""
            gatekeeper.security.audit.record(
                "\(who) from \(context.peerText)", "\(method) \(route.path(with: exchange.captures))", "\(status.code)\(created)")
        } else if status == .unauthorized || status == .forbidden {
            gatekeeper.security.audit.recordRefusal(context.peerText, what, "refused with \(status.code)")
        }
    }

    private func problem(for error: any Error, logger: Logger) -> Problem {
        switch error {
        case let problem as Problem:
            return problem
        case let error as StoreError:
            let problem = Problem.store(error)
            if problem.status.code >= 500 { logger.error("request failed: \(error)") }
            return problem
        case let error as HTTPParserError:
            return .malformed(error)
        default:
            logger.error("request failed: \(error)")
            return Problem(.internalServerError, "internal", "Internal error", "The server failed to answer; its log says why.")
        }
    }
}

/// Names for requests: the client's own when it sends a sane one, otherwise a random prefix and a number.
struct RequestIDs: Sendable {
    private final class Counter: Sendable { let next = Atomic<UInt64>(0) }

    private let prefix = String(UInt64.random(in: 0...UInt64.max), radix: 36)
    private let counter = Counter()

    func id(for headers: HTTPFields) -> String {
        if let given = headers[.requestID], Self.isSane(given) { return given }
        return "\(prefix)-\(counter.next.wrappingAdd(1, ordering: .relaxed).newValue)"
    }

    private static func isSane(_ id: String) -> Bool {
        (1...64).contains(id.utf8.count)
            && id.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
                default: false
                }
            }
    }
}

extension HTTPField.Name {
    static let host = HTTPField.Name("host")!
    static let requestID = HTTPField.Name("x-request-id")!
    static let nextPageToken = HTTPField.Name("x-next-page-token")!
    static let version = HTTPField.Name("x-gaugehouse-version")!
    static let influxVersion = HTTPField.Name("x-influxdb-version")!
}

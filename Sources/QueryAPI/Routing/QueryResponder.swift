import HTTPTypes
import Hummingbird
import Logging
import Synchronization
import TelemetryStore

/// Takes every request: gives it an id, finds its route, turns errors into problems, sets the common headers, counts.
package struct QueryResponder: HTTPResponder {
    package typealias Context = PeerContext

    let table: RouteTable
    let metrics: RequestMetrics
    let requestIDs: RequestIDs
    /// Packs answers.
    let packers: BlockingPool

    package func respond(to request: Request, context: Context) async throws -> Response {
        let started = ContinuousClock.now
        let id = requestIDs.id(for: request.headers)
        var logger = context.logger
        logger[metadataKey: "request_id"] = .string(id)
        var route: Route?
        var response: Response
        do {
            response = try await answer(request, context: context, logger: logger, route: &route)
            try await response.pack(for: request.headers[.acceptEncoding], on: packers)
            if request.method == .head { response = try await response.withoutBody() }
        } catch {
            let problem = problem(for: error, logger: logger)
            response = route?.errors == .influx ? problem.influxResponse() : problem.response(requestID: id)
            if request.method == .head { response = response.createHeadResponse() }
        }
        response.headers[.requestID] = id
        response.headers[.xContentTypeOptions] = "nosniff"
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        metrics.record(route: route?.pattern ?? "none", status: response.status.code, duration: ContinuousClock.now - started)
        return response
    }

    private func answer(_ request: Request, context: Context, logger: Logger, route found: inout Route?) async throws -> Response {
        let target = RequestTarget(request.head.path ?? "/")
        switch table.match(request.method, path: target.segments) {
        case .none:
            throw Problem.notFound("There is nothing at this path." + target.slashHint)
        case .otherMethods(let allowed):
            guard request.method == .options else { throw Problem.methodNotAllowed(request.method, allowed: allowed) }
            return Response(status: .noContent, headers: [.allow: (allowed + [.options]).map(\.rawValue).joined(separator: ", ")])
        case .found(let route, let rawCaptures):
            found = route
            let captures = try rawCaptures.map { raw in
                guard let capture = PercentEncoding.decode(raw) else {
                    throw Problem.invalid("id", "The device id in the path is not percent-encoded UTF-8.")
                }
                return capture
            }
            let parameters = try Parameters(target.query, known: route.parameters)
            return try await route.handler(
                APIRequest(
                    route: route, captures: captures, parameters: parameters, headers: request.headers, body: request.body,
                    channel: context.channel, logger: logger))
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
    static let requestID = HTTPField.Name("x-request-id")!
    static let nextPageToken = HTTPField.Name("x-next-page-token")!
    static let version = HTTPField.Name("x-gaugehouse-version")!
    static let influxVersion = HTTPField.Name("x-influxdb-version")!
}

import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Telemetry
import TelemetryStore

/// `/prom/api/v1/query` and `/prom/api/v1/query_range`.
///
/// Source: https://prometheus.io/docs/prometheus/latest/querying/api/
extension API {
    /// Of a form: some queries of the greatest length.
    private static let formByteLimit = 256 << 10
    /// How long a query keeps at it, unless it asks for less.
    private static let timeLimit = TimeSpan.seconds(30)
    /// What a query reads at once, before others get their turn.
    private static let slice = Duration.milliseconds(20)

    /// A query may come in the URL or as a form, like a few thousand selectors.
    var prometheusRoutes: [Route] {
        let list = ["match[]", "start", "end", "limit", "timeout"]
        let handlers: [(name: String, parameters: [String], handler: @Sendable (APIRequest) async throws -> Response)] = [
            ("query", ["query", "time", "timeout"], prometheusQuery),
            ("query_range", ["query", "start", "end", "step", "timeout"], prometheusRange), ("labels", list, prometheusLabels),
            ("series", list, prometheusSeries),
        ]
        return handlers.flatMap { entry in
            [HTTPRequest.Method.get, .post].map {
                Route($0, "/prom/api/v1/\(entry.name)", needs: .read, taking: entry.parameters, readsOwnForm: true, entry.handler)
            }
        } + [
            Route(.get, "/prom/api/v1/label/{name}/values", needs: .read, taking: list, readsOwnForm: true, prometheusLabelValues),
            Route(.get, "/prom/api/v1/metadata", needs: .read, taking: ["metric", "limit"], readsOwnForm: true, prometheusMetadata),
            Route(.get, "/prom/api/v1/status/buildinfo", needs: .read, readsOwnForm: true, prometheusBuildInformation),
        ]
    }

    func prometheusQuery(_ request: APIRequest) async throws -> Response {
        await prometheus(request) { form throws in
            let steps = StepTimes(at: try form.time("time") ?? clock.now())
            return try await evaluate(try form.required("query"), steps: steps, isInstant: true, form, request)
        }
    }

    func prometheusRange(_ request: APIRequest) async throws -> Response {
        await prometheus(request) { form throws in
            guard let step = try form.span("step") else { throw PrometheusError.parameter("step", "missing") }
            let steps = try StepTimes(start: try form.requiredTime("start"), end: try form.requiredTime("end"), step: step)
            return try await evaluate(try form.required("query"), steps: steps, isInstant: false, form, request)
        }
    }

    private func evaluate(
        _ query: String, steps: StepTimes, isInstant: Bool, _ form: PrometheusForm, _ request: APIRequest
    ) async throws -> Response {
        let evaluation = try await readers.perform { [store] in
            let expression = try PromQLParser.parse(query)
            guard isInstant || expression.kind != .range else {
                throw PrometheusError.parameter(
                    "query", "invalid expression type \"range vector\" for range query, must be scalar or instant vector")
            }
            return Guarded(try PromQLEvaluation(expression, steps: steps, tables: store.tables, devicePrefix: request.access.prefix))
        }
        let result = try await prometheusSlices(form, request) { deadline in try evaluation.withLock { try $0.advance(until: deadline) } }
        let pieces = PrometheusPieces(result, steps: steps, isInstant: isInstant)
        return try await readers.response(pieces, contentType: AnswerFormat.json.contentType, for: request)
    }

    /// Calls `work` on the readers' threads until it has a result, the time is over, or nobody waits for it any more.
    func prometheusSlices<Result: Sendable>(
        _ form: PrometheusForm, _ request: APIRequest, _ work: @escaping @Sendable (ContinuousClock.Instant) throws -> Result?
    ) async throws -> Result {
        let limit = min(try form.span("timeout") ?? Self.timeLimit, Self.timeLimit)
        let end = ContinuousClock.now + .microseconds(limit.microseconds)
        if let result = try await readers.perform({ try work(ContinuousClock.now + Self.slice) }) { return result }
        // Nil in a test without a connection.
        let peer = try? await request.channel.pipeline.handler(type: PeerWatch.self).get()
        while ContinuousClock.now < end, peer?.isGone != true {
            if let result = try await readers.goOn({ try work(ContinuousClock.now + Self.slice) }) { return result }
        }
        throw PrometheusError(.timeout, "query timed out after \(limit.text); take less time or fewer series")
    }

    /// Reads the parameters, and gives every error the form that Prometheus' clients know.
    func prometheus(_ request: APIRequest, _ answer: (PrometheusForm) async throws -> Response) async -> Response {
        do {
            var body = ""
            if request.headers[.contentType]?.lowercased().hasPrefix("application/x-www-form-urlencoded") == true {
                body = String(buffer: try await request.collectBody(upTo: min(options.bodyByteLimit, Self.formByteLimit)))
            }
            return try await answer(try PrometheusForm(query: request.query, body: body))
        } catch {
            return prometheusError(error, request).response()
        }
    }

    private func prometheusError(_ error: any Error, _ request: APIRequest) -> PrometheusError {
        switch error {
        case let error as PrometheusError: return error
        case let problem as Problem where problem.status.code == 503: return PrometheusError(.unavailable, problem.detail)
        case let problem as Problem where problem.status.code == 413: return PrometheusError(.tooLarge, problem.detail)
        case let problem as Problem: return PrometheusError(.malformed, problem.detail)
        case let error as StoreError where error.code == .invalid: return PrometheusError(.execution, error.detail)
        case let error as StoreError where Problem.store(error).status.code == 503: return PrometheusError(.unavailable, error.detail)
        default:
            request.logger.error("request failed: \(error)")
            return PrometheusError(.internal, "the server failed to answer; its log says why")
        }
    }
}

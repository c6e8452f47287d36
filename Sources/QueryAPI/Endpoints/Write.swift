import Dialects
import HTTPTypes
import Hummingbird
import Telemetry
import TelemetryStore

/// Readings over HTTP, answered when they are on disk: POST `/api/v1/write`, and InfluxDB's `/write` and `/api/v2/write`.
extension API {
    func write(_ request: APIRequest) async throws -> Response {
        let table = try table(of: request)
        let format = try BodyFormat(contentType: request.headers[.contentType])
        var options = options.lines
        options.timeUnit = format == .lineProtocol ? .nanoseconds : .auto
        if let unit = try precision(of: request) {
            guard format == .lineProtocol || format == .csv else {
                throw Problem.invalid("precision", "precision is for lines and CSV; in JSON the magnitude of a time tells its unit.")
            }
            options.timeUnit = unit
        }
        return try await store(request, format, options, in: table)
    }

    /// What clients of InfluxDB 1 and 2 send. `db` or `bucket` names the table, where there is one of that name.
    func influxWrite(_ request: APIRequest) async throws -> Response {
        let database = try request.parameters.text("db") ?? request.parameters.text("bucket")
        // Version 1.8 knows buckets as `database/retention policy`.
        let name = database.map { String($0.prefix { $0 != "/" }) }
        let table = name.flatMap { store.table(named: $0) } ?? store.tables[0]
        var options = options.lines
        options.timeUnit = try precision(of: request) ?? .nanoseconds
        return try await store(request, .lineProtocol, options, in: table)
    }

    private func store(
        _ request: APIRequest, _ format: BodyFormat, _ options: DialectOptions, in table: Table
    ) async throws -> Response {
        let limit = self.options.bodyByteLimit
        let isPacked = try request.headers.isBodyPacked
        let bytes = try await request.collectBody(upTo: limit)
        let body = WriteBody(bytes: bytes, isPacked: isPacked, format: format, options: options, limit: limit, access: request.access)
        let outcome = try await writers.perform { [store] in try body.commit(to: table, of: store) }
        guard outcome.rejected.isEmpty else {
            requestMetrics.record(rejected: outcome.rejected)
            throw Self.partlyRejected(outcome)
        }
        return Response(status: .noContent)
    }

    private func precision(of request: APIRequest) throws(Problem) -> DialectOptions.TimeUnit? {
        switch try request.parameters.text("precision") {
        case nil, "": return nil
        case "ns", "n": return .nanoseconds
        case "us", "u", "µ", "µs": return .microseconds
        case "ms": return .milliseconds
        case "s": return .seconds
        case "m": return .minutes
        case "h": return .hours
        default: throw .invalid("precision", "precision must be one of ns, us, ms, s, m, h.")
        }
    }

    private static func partlyRejected(_ outcome: WriteOutcome) -> Problem {
        let rejected = outcome.rejectedCount
        if outcome.accepted == 0, rejected == outcome.rejected[.rateLimited] { return .tooFast(outcome) }
        if outcome.accepted == 0, rejected == outcome.rejected[.forbidden] { return .foreignDevices(outcome) }
        let rest = outcome.accepted > 0 ? "; the others are stored" : ""
        let hint = outcome.misfit.map { " " + $0.text } ?? ""
        var problem = Problem(
            .badRequest, "rejected-readings", "Rejected readings",
            "\(rejected) of \(rejected + outcome.accepted) readings were rejected\(rest).\(hint)", param: "body")
        problem.outcome = outcome
        return problem
    }
}

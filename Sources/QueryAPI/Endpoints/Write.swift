import Dialects
import HTTPTypes
import Hummingbird
import Telemetry
import TelemetryStore

/// POST `/api/v1/write`: readings over HTTP, answered when they are on disk.
extension API {
    func write(_ request: APIRequest) async throws -> Response {
        let table = try table(of: request)
        try Self.requireJSON(request.headers)
        let body = try await request.collectBody(upTo: options.bodyByteLimit)
        let outcome = try await writers.perform { [store] in try Self.commit(body, to: table, of: store) }
        guard outcome.badReadings.isEmpty else {
            requestMetrics.record(rejected: outcome.badReadings.map(\.reason))
            throw Self.partlyRejected(outcome)
        }
        return Response(status: .noContent)
    }

    /// Without a type, or with the one that `curl -d` sends unasked, the body is taken as JSON.
    private static func requireJSON(_ headers: HTTPFields) throws(Problem) {
        if let encoding = headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw Problem(
                .unsupportedMediaType, "unsupported-media-type", "Unsupported media type",
                "Content encoding \(encoding) is not supported by this version.", param: "content-encoding")
        }
        let type = headers[.contentType]?.prefix { $0 != ";" && $0 != " " }.lowercased()
        guard let type, !["application/json", "application/x-www-form-urlencoded"].contains(type) else { return }
        throw Problem(
            .unsupportedMediaType, "unsupported-media-type", "Unsupported media type",
            "Bodies of type \(type) are not supported by this version; application/json is.", param: "content-type")
    }

    /// Blocking, until the good readings are on disk.
    private static func commit(_ body: ByteBuffer, to table: Table, of store: TelemetryStore) throws -> WriteOutcome {
        var batch = ReadingBatch()
        var bad: [WriteOutcome.BadReading] = []
        let count = try decode(body, table: table, into: &batch, bad: &bad)
        guard !batch.isEmpty else { return WriteOutcome(accepted: 0, badReadings: bad) }
        let undecoded = Set(bad.map(\.index))
        let indexOfRow = (0..<count).filter { !undecoded.contains($0) }
        store.assignMissingTimes(&batch)
        let receipt = try store.commit(&batch)
        bad += receipt.rejections.map { WriteOutcome.BadReading(index: indexOfRow[$0.row], reason: $0.reason) }
        return WriteOutcome(accepted: receipt.accepted, badReadings: bad.sorted { $0.index < $1.index })
    }

    /// - Returns: number of readings in the body.
    private static func decode(
        _ body: ByteBuffer, table: Table, into batch: inout ReadingBatch, bad: inout [WriteOutcome.BadReading]
    ) throws(Problem) -> Int {
        var decoder = JSONReadingDecoder()
        var found: [WriteOutcome.BadReading] = []
        defer { bad = found }
        do {
            return try body.readableBytesView.withUnsafeBytes { bytes throws(Rejection) in
                try decoder.decodeNative(bytes, table: table.number, into: &batch) { index, rejection in
                    found.append(WriteOutcome.BadReading(index: index, reason: rejection.reason))
                }
            }
        } catch {
            guard error.reason != .payloadTooLong else {
                throw Problem(.contentTooLarge, "too-large", "Body too large", "The body has \(error.detail).")
            }
            throw .invalid("body", "The body is not a reading or a list of readings: \(error.detail).")
        }
    }

    private static func partlyRejected(_ outcome: WriteOutcome) -> Problem {
        let rejected = outcome.badReadings.count
        if outcome.accepted == 0, outcome.badReadings.allSatisfy({ $0.reason == .rateLimited }) { return .tooFast(outcome) }
        var problem = Problem(
            .badRequest, "rejected-readings", "Rejected readings",
            "\(rejected) of \(rejected + outcome.accepted) readings were rejected; the others are stored.", param: "body")
        problem.outcome = outcome
        return problem
    }
}

import Dialects
import HTTPTypes
import Hummingbird
import NIOCore
import Telemetry
import TelemetryStore

/// The body of a write and how it is to be read.
struct WriteBody: Sendable {
    var bytes: ByteBuffer
    var isPacked: Bool
    var format: BodyFormat
    var options: DialectOptions
    /// Bytes, packed or not.
    var limit: Int
    /// Whose devices are taken.
    var access: Access

    /// Stores the good readings. Blocking, until they are on disk.
    func commit(to table: Table, of store: TelemetryStore) throws -> WriteOutcome {
        var batch = ReadingBatch()
        let body = try unpacked()
        var decoded = try decode(body, table: table, into: &batch)
        var outcome = WriteOutcome(decoded)
        let foreign = batch.keepRows { access.allows(device: $0) }
        outcome.add(decoded.removePlaces(ofRows: foreign).map { ($0, .forbidden, .distantPast) }, unit: options.timeUnit)
        guard !batch.isEmpty else { return outcome }
        store.assignMissingTimes(&batch)
        let receipt = try store.commit(&batch)
        outcome.accepted = receipt.accepted
        let refused = receipt.rejections.map { (decoded.places[$0.row], $0.reason, batch.rows[$0.row].time) }
        // In JSON the magnitude of a number tells its unit.
        outcome.add(refused, unit: format == .lineProtocol || format == .csv ? options.timeUnit : .auto)
        return outcome
    }

    private func unpacked() throws(Problem) -> ByteBuffer {
        guard isPacked else { return bytes }
        let result = bytes.readableBytesView.withUnsafeBytes { packed in
            Result { () throws(Gunzip.Failure) in try Gunzip.unpack(packed, limit: limit) }
        }
        do {
            return try result.get()
        } catch .tooLarge {
            throw Problem.bodyTooLarge(limit: limit)
        } catch {
            throw .invalid("body", "The body is not gzip, or not all of it.")
        }
    }

    private func decode(_ body: ByteBuffer, table: Table, into batch: inout ReadingBatch) throws(Problem) -> BodyContents {
        do {
            return try body.readableBytesView.withUnsafeBytes { bytes throws(Rejection) in
                try BodyDecoder.decode(bytes, format: format, options: options, table: table.number, into: &batch)
            }
        } catch {
            guard error.reason != .payloadTooLong else {
                throw Problem(.contentTooLarge, "too-large", "Body too large", "The body has \(error.detail).")
            }
            throw .invalid("body", "The body is not \(format.contents): \(error.detail).")
        }
    }
}

extension BodyFormat {
    /// What `Content-Type` says. Without one, or with the one that `curl -d` sends unasked, it is JSON.
    init(contentType: String?) throws(Problem) {
        let type = contentType?.prefix { $0 != ";" && $0 != " " }.lowercased()
        switch type {
        case nil, "application/json", "application/x-www-form-urlencoded": self = .json
        case "application/x-ndjson", "application/ndjson", "application/jsonl": self = .jsonLines
        case "text/csv": self = .csv
        case "text/plain": self = .lineProtocol
        case .some(let other):
            throw Problem(
                .unsupportedMediaType, "unsupported-media-type", "Unsupported media type",
                "Bodies of type \(other) are not read here; application/json, application/x-ndjson, text/csv and text/plain are.",
                param: "content-type")
        }
    }

    fileprivate var contents: String {
        switch self {
        case .json: "a reading or a list of readings"
        case .jsonLines: "a reading a line"
        case .csv: "CSV"
        case .lineProtocol: "line protocol"
        }
    }
}

extension HTTPFields {
    /// Whether the body is packed with gzip.
    var isBodyPacked: Bool {
        get throws(Problem) {
            switch self[.contentEncoding]?.lowercased() {
            case nil, "", "identity": return false
            case "gzip", "x-gzip": return true
            case .some(let other):
                throw Problem(
                    .unsupportedMediaType, "unsupported-media-type", "Unsupported media type",
                    "Content encoding \(other) is not read here; gzip is.", param: "content-encoding")
            }
        }
    }
}

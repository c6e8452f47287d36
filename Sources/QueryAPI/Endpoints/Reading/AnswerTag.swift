import HTTPTypes
import Hummingbird
import Telemetry
import TelemetryStore

/// The weak validator of an answer that only a commit or an expiry changes: commit sequence, hash of query and TTL, and the time at which
/// the first shown value expires. Without the last one a client would be told that an expired value still holds.
struct AnswerTag {
    private let stem: String

    /// Taken before the values are read, so that the tag is never newer than they are.
    init(store: TelemetryStore, table: Table, query: QueryHash) {
        var query = query
        query.add(String(table.options.ttl.microseconds))
        stem = "W/\"\(store.sequence)-\(String(query.value, radix: 36))-"
    }

    /// - Parameter expiry: nil when nothing is shown that could expire.
    func text(expiry: Timestamp?) -> String { stem + "\((expiry ?? .distantFuture).microseconds)\"" }

    /// - Parameter header: `If-None-Match`, one tag or several.
    /// - Returns: the 304 for a client that holds the answer; nil: it has to be made.
    func notModified(for header: String?, now: Timestamp) -> WholeAnswer? {
        guard let header else { return nil }
        let held = header.split(separator: ",").map { $0.drop { $0 == " " } }.first { tag in
            guard tag.hasPrefix(stem), let expiry = Int64(tag.dropFirst(stem.count).prefix { $0 != "\"" }) else { return false }
            return now.microseconds < expiry
        }
        return held.map {
            WholeAnswer(
                status: .notModified, contentType: nil, headers: [.eTag: String($0), .cacheControl: "no-cache", .vary: "accept-encoding"])
        }
    }
}

import Telemetry

/// The parameters of Prometheus' API: of the query string, and of the form in the body. Those that nobody knows are passed over, as
/// Prometheus does: its clients send some for other servers.
struct PrometheusForm: Sendable {
    /// Seconds since the epoch that can be: sums with a century stay in range.
    private static let secondsLimit = 1e11

    private var values: [String: [String]] = [:]

    init(query: Substring, body: String = "") throws(PrometheusError) {
        for part in [query, body[...]] {
            for pair in part.split(separator: "&") {
                let rawName = pair.prefix { $0 != "=" }
                guard let name = PercentEncoding.decode(rawName, plusIsSpace: true),
                    let value = PercentEncoding.decode(pair.dropFirst(rawName.count + 1), plusIsSpace: true)
                else { throw .parameter(String(rawName), "not percent-encoded UTF-8") }
                values[name, default: []].append(value)
            }
        }
    }

    func list(_ name: String) -> [String] { values[name] ?? [] }

    /// Nil when it is not given, or empty.
    func text(_ name: String) throws(PrometheusError) -> String? {
        guard let texts = values[name] else { return nil }
        guard texts.count == 1 else { throw .parameter(name, "given more than once") }
        return texts[0].isEmpty ? nil : texts[0]
    }

    func required(_ name: String) throws(PrometheusError) -> String {
        guard let text = try text(name) else { throw .parameter(name, "missing") }
        return text
    }

    /// Seconds since the epoch with a fraction, or RFC 3339.
    func time(_ name: String) throws(PrometheusError) -> Timestamp? {
        guard let text = try text(name) else { return nil }
        if let microseconds = Self.microseconds(ofSeconds: text) { return Timestamp(microseconds: microseconds) }
        guard let time = Timestamp(rfc3339: text) else {
            throw .parameter(name, "cannot parse \"\(text)\" to a valid timestamp: seconds since the epoch, or RFC 3339 with a zone")
        }
        return time
    }

    func requiredTime(_ name: String) throws(PrometheusError) -> Timestamp {
        guard let time = try time(name) else { throw .parameter(name, "missing") }
        return time
    }

    /// Seconds, or a duration such as `5m`; above zero.
    func span(_ name: String) throws(PrometheusError) -> TimeSpan? {
        guard let text = try text(name) else { return nil }
        let seconds = Self.microseconds(ofSeconds: text).map { TimeSpan(microseconds: $0) }
        guard let span = seconds ?? PromQLDuration.parse(text), span > .zero, span <= PromQLDuration.limit else {
            throw .parameter(name, "cannot parse \"\(text)\" to a valid duration: seconds above zero, or such as 30s, 5m, 1h30m")
        }
        return span
    }

    /// How many elements an answer has at most; nil: all.
    func limit() throws(PrometheusError) -> Int? {
        guard let text = try text("limit") else { return nil }
        guard let limit = Int(text), limit >= 0 else { throw .parameter("limit", "limit must be a number from 0, which means all") }
        return limit == 0 ? nil : limit
    }

    private static func microseconds(ofSeconds text: String) -> Int64? {
        // `Double(_:)` takes more than numbers of this kind.
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || [0x2B, 0x2D, 0x2E, 0x45, 0x65].contains($0) }),
            let seconds = Double(text), abs(seconds) <= secondsLimit
        else { return nil }
        return Int64((seconds * 1e6).rounded())
    }
}

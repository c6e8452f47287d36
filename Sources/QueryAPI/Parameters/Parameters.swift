import Telemetry

/// The query parameters of one request: known to the route, each given once, decoded when asked for.
struct Parameters: Sendable {
    private var values: [String: Substring] = [:]

    /// - Parameters:
    ///   - query: the raw query string.
    ///   - known: the names that the route takes.
    /// - Throws: a 400 that names a parameter that is unknown, not supported by this version, doubled, or badly encoded.
    init(_ query: Substring, known: [String]) throws(Problem) {
        for pair in query.split(separator: "&") {
            let rawName = pair.prefix { $0 != "=" }
            guard let name = PercentEncoding.decode(rawName, plusIsSpace: true) else {
                throw .invalid(String(rawName), "The name of a parameter is not percent-encoded UTF-8.")
            }
            guard known.contains(name) else { throw Self.unknown(name, known: known) }
            guard values.updateValue(pair.dropFirst(rawName.count + 1), forKey: name) == nil else {
                throw .invalid(name, "\(name) is given more than once.")
            }
            _ = try text(name)
        }
    }

    /// Parameters that later versions of the API give a meaning.
    private static let planned: Set<String> = ["step", "agg", "fill", "align", "max_hz", "where"]

    private static func unknown(_ name: String, known: [String]) -> Problem {
        if planned.contains(name) { return .invalid(name, "\(name) is not supported by this version.") }
        let names = known.isEmpty ? "none" : known.joined(separator: ", ")
        return .invalid(name, "There is no parameter \(name) here. Known: \(names).")
    }

    func text(_ name: String) throws(Problem) -> String? {
        guard let raw = values[name] else { return nil }
        return try Self.decode(raw, of: name)
    }

    /// A list, split at its commas once decoded: most clients encode every comma. A name that holds one needs the POST form.
    func list(_ name: String) throws(Problem) -> [String]? {
        guard let text = try text(name) else { return nil }
        let elements = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard !elements.contains("") else { throw .invalid(name, "\(name) holds an empty name.") }
        return elements
    }

    func integer(_ name: String, in range: ClosedRange<Int>, default fallback: Int) throws(Problem) -> Int {
        guard let text = try text(name) else { return fallback }
        guard let value = Int(text), range.contains(value) else {
            throw .invalid(name, "\(name) must be a number from \(range.lowerBound) to \(range.upperBound).")
        }
        return value
    }

    func choice<Choice: RawRepresentable<String> & CaseIterable>(_ name: String, default fallback: Choice) throws(Problem) -> Choice {
        try choice(name) ?? fallback
    }

    func choice<Choice: RawRepresentable<String> & CaseIterable>(_ name: String) throws(Problem) -> Choice? {
        guard let text = try text(name) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            throw .invalid(name, "\(name) must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return choice
    }

    /// A point in time. A `+` stands for itself (`now+1h`, `+02:00`), or for the blank of an RFC 3339 text.
    func time(_ name: String, now: Timestamp) throws(Problem) -> Timestamp? {
        guard let raw = values[name], let form = try text(name), let literal = PercentEncoding.decode(raw) else { return nil }
        if let time = TimeParameter.parse(literal, now: now) ?? TimeParameter.parse(form, now: now) { return time }
        throw .invalid(
            name,
            "\(name) must be RFC 3339 with a zone, an epoch number (s, ms, us or ns), now, or relative such as -1h or now-7d.")
    }

    /// Adds every parameter that decides which rows come and in which order.
    func add(to hash: inout QueryHash) {
        for (name, value) in values.sorted(by: { $0.key < $1.key }) where !Self.presentation.contains(name) {
            hash.add(name)
            hash.add(PercentEncoding.decode(value, plusIsSpace: true) ?? "")
        }
    }

    /// These may change from page to page; `table` is added under its resolved name.
    private static let presentation: Set<String> = ["limit", "page_token", "format", "shape", "time", "table"]

    private static func decode(_ raw: Substring, of name: String) throws(Problem) -> String {
        guard let text = PercentEncoding.decode(raw, plusIsSpace: true) else {
            throw .invalid(name, "\(name) is not percent-encoded UTF-8.")
        }
        return text
    }
}

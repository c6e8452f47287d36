import Telemetry

/// The parameters of one request, from its query string or its JSON body: known to the route, each given once, read when asked for.
struct Parameters: Sendable {
    private enum Value: Sendable {
        /// Of the query string; a time is read from what was sent, too.
        case text(String, encoded: Substring)
        /// A member of the body.
        case json(JSONValue)
    }

    /// A handful, and searched in less time than a text is hashed.
    private var values: [(name: String, value: Value)] = []

    /// - Parameters:
    ///   - query: the raw query string.
    ///   - known: the names that the route takes.
    /// - Throws: a 400 that names a parameter that is unknown, doubled, or badly encoded.
    init(_ query: Substring, known: [String]) throws(Problem) {
        // Bytes: a sign that combines with the one before it separates nothing less.
        for bytes in query.utf8.split(separator: UInt8(ascii: "&")) {
            let pair = Substring(bytes)
            let rawName = Substring(pair.utf8.prefix { $0 != UInt8(ascii: "=") })
            guard let name = PercentEncoding.decode(rawName, plusIsSpace: true) else {
                throw .invalid(String(rawName), "The name of a parameter is not percent-encoded UTF-8.")
            }
            let encoded = Substring(pair.utf8[rawName.endIndex...].dropFirst())
            guard known.contains(name) else { throw Self.unknown(name, known: known) }
            try add(name, .text(try Self.decode(encoded, of: name), encoded: encoded))
        }
    }

    /// - Parameter members: of a JSON object; one that is null counts as not given.
    init(members: [JSONValue.Member], known: [String]) throws(Problem) {
        for member in members {
            guard known.contains(member.name) else { throw Self.unknown(member.name, known: known) }
            try add(member.name, .json(member.value))
        }
        values.removeAll { if case .json(.null) = $0.value { true } else { false } }
    }

    private static func unknown(_ name: String, known: [String]) -> Problem {
        let names = known.isEmpty ? "none" : known.joined(separator: ", ")
        return .invalid(name, "There is no parameter \(name) here. Known: \(names).")
    }

    private mutating func add(_ name: String, _ value: Value) throws(Problem) {
        guard !isGiven(name) else { throw .invalid(name, "\(name) must be given once.") }
        values.append((name, value))
    }

    private func value(_ name: String) -> Value? { values.first { $0.name == name }?.value }

    func isGiven(_ name: String) -> Bool { values.contains { $0.name == name } }

    /// - Parameter example: what a value looks like.
    func text(_ name: String, like example: String? = nil) throws(Problem) -> String? {
        switch value(name) {
        case nil: return nil
        case .text(let text, _)?: return text
        case .json(.string(let text))?: return text
        case .json?: throw .invalid(name, "\(name) must be a string\(example.map { ", such as \"\($0)\"" } ?? "").")
        }
    }

    /// A list. In a query string it is split at its commas once decoded, as most clients encode every comma: a name that holds one needs a
    /// JSON body.
    func list(_ name: String, like example: [String] = ["a", "b"]) throws(Problem) -> [String]? {
        var elements: [String] = []
        if case .json(let value)? = value(name) {
            let problem = Problem.invalid(name, "\(name) must be a list of strings, such as \(example).")
            guard case .array(let members) = value else { throw problem }
            for member in members {
                guard case .string(let text) = member else { throw problem }
                elements.append(text)
            }
        } else {
            guard let text = try text(name) else { return nil }
            elements = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        guard !elements.contains("") else { throw .invalid(name, "\(name) must be a list without empty names, such as a,b.") }
        return elements
    }

    /// A member of a JSON body as it is.
    func json(_ name: String) -> JSONValue? { if case .json(let value)? = value(name) { value } else { nil } }

    func integer(_ name: String, in range: ClosedRange<Int>, default fallback: Int) throws(Problem) -> Int {
        let text: String
        switch value(name) {
        case nil: return fallback
        case .json(.number(let number))?: text = number
        case .json?: throw Self.notInteger(name, range)
        case .text(let given, _)?: text = given
        }
        guard let value = Int(text), range.contains(value) else { throw Self.notInteger(name, range) }
        return value
    }

    private static func notInteger(_ name: String, _ range: ClosedRange<Int>) -> Problem {
        .invalid(name, "\(name) must be a number from \(range.lowerBound) to \(range.upperBound).")
    }

    /// A decimal number; nil: not given.
    func number(_ name: String, in range: ClosedRange<Double>) throws(Problem) -> Double? {
        guard let text = try text(name) else { return nil }
        // `Double` would also read hexadecimal.
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2E }), let value = Double(text), range.contains(value) else {
            throw .invalid(name, "\(name) must be a number from \(range.lowerBound) to \(range.upperBound), such as 1 or 0.5.")
        }
        return value
    }

    func choice<Choice: RawRepresentable<String> & CaseIterable>(_ name: String, default fallback: Choice) throws(Problem) -> Choice {
        try choice(name) ?? fallback
    }

    func choice<Choice: RawRepresentable<String> & CaseIterable>(_ name: String) throws(Problem) -> Choice? {
        guard let text = try text(name) else { return nil }
        return try Self.choice(text, of: name)
    }

    /// Several choices of a list, each at most once; nil when it is not given.
    func choices<Choice: RawRepresentable<String> & CaseIterable & Hashable>(_ name: String) throws(Problem) -> [Choice]? {
        guard let texts = try list(name, like: Choice.allCases.prefix(2).map(\.rawValue)) else { return nil }
        var choices: [Choice] = []
        for text in texts { choices.append(try Self.choice(text, of: name)) }
        guard Set(choices).count == choices.count else { throw .invalid(name, "\(name) must name each once.") }
        return choices
    }

    private static func choice<Choice: RawRepresentable<String> & CaseIterable>(_ text: String, of name: String) throws(Problem) -> Choice {
        guard let choice = Choice(rawValue: text) else {
            throw .invalid(name, "\(name) must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return choice
    }

    /// A length of time above zero.
    func span(_ name: String) throws(Problem) -> TimeSpan? {
        guard let text = try text(name, like: "5m") else { return nil }
        guard let span = TimeSpan(text: text), span > .zero else {
            throw .invalid(name, "\(name) must be a length of time above zero, such as 30s, 5m, 1h, 1d or 1h30m.")
        }
        return span
    }

    /// A point in time. A `+` of a query string stands for itself (`now+1h`, `+02:00`), or for the blank of an RFC 3339 text.
    func time(_ name: String, now: Timestamp) throws(Problem) -> Timestamp? {
        var forms: [String] = []
        switch value(name) {
        case nil: return nil
        case .text(let text, let encoded)?: forms = [PercentEncoding.decode(encoded) ?? "", text]
        case .json(.number(let text))?, .json(.string(let text))?: forms = [text]
        case .json?: break
        }
        for form in forms {
            if let time = TimeParameter.parse(form, now: now) { return time }
        }
        throw .invalid(
            name,
            "\(name) must be RFC 3339 with a zone, an epoch number (s, ms, us or ns), now, or relative such as -1h or now-7d.")
    }

    /// Adds every parameter that decides which rows come and in which order.
    func add(to hash: inout QueryHash) {
        for (name, value) in values.sorted(by: { $0.name < $1.name }) where !Self.presentation.contains(name) {
            hash.add(name)
            switch value {
            case .text(let text, _): hash.add(text)
            case .json(let value): hash.add(value)
            }
        }
    }

    /// These may change from page to page; `table` is added under its resolved name.
    private static let presentation: Set<String> = ["limit", "page_token", "format", "shape", "time", "table"]

    private static func decode(_ raw: Substring, of name: String) throws(Problem) -> String {
        guard let text = PercentEncoding.decode(raw, plusIsSpace: true) else {
            throw .invalid(name, "\(name) must be percent-encoded UTF-8, with a % itself as %25.")
        }
        return text
    }
}

extension QueryHash {
    fileprivate mutating func add(_ value: JSONValue) {
        switch value {
        case .null: add("null")
        case .boolean(let flag): add(flag ? "true" : "false")
        case .number(let text): add(text)
        case .string(let text):
            add("\"")
            add(text)
        case .array(let elements):
            add("[\(elements.count)")
            for element in elements { add(element) }
        case .object(let members):
            add("{\(members.count)")
            for member in members {
                add(member.name)
                add(member.value)
            }
        }
    }
}

import Telemetry

/// The tokens of a file, and the file's text, whose comments an edit keeps.
package struct TokenList: Sendable, Equatable {
    private enum Line: Sendable, Equatable {
        case token(Token)
        /// A comment or a blank line.
        case other(String)
    }

    /// Tokens of one file: all are compared with what a request shows.
    private static let limit = 1_000

    private var lines: [Line] = []

    package init() {}

    /// What is wrong with a file, and in which line, counted from 1.
    package struct Malformed: Error, Sendable {
        package let line: Int
        package let reason: String
    }

    package init(_ text: String) throws(Malformed) {
        var names: Set<String> = []
        // By scalars: "\r\n" is one character, which no newline splits.
        for (index, line) in text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let content = Substring(line).drop { Token.isBlank($0) }
            guard !content.isEmpty, !content.hasPrefix("#") else {
                lines.append(.other(String(line)))
                continue
            }
            do throws(Token.Malformed) {
                let token = try Token(line: String(content))
                guard names.insert(token.name).inserted else {
                    throw Token.Malformed(reason: "the name \(token.name) is taken by an earlier line")
                }
                lines.append(.token(token))
            } catch {
                throw Malformed(line: index + 1, reason: error.reason)
            }
            guard names.count <= Self.limit else { throw Malformed(line: index + 1, reason: "more than \(Self.limit) tokens") }
        }
        if lines.last == .other("") { lines.removeLast() }
    }

    package var text: String {
        lines.map { line in
            switch line {
            case .token(let token): token.line + "\n"
            case .other(let text): text + "\n"
            }
        }.joined()
    }

    package var tokens: [Token] {
        lines.compactMap { if case .token(let token) = $0 { token } else { nil } }
    }

    /// - Throws: what keeps the token out, as a sentence.
    package mutating func add(_ token: Token) throws(Token.Malformed) {
        if let mistake = token.mistake { throw Token.Malformed(reason: mistake) }
        let names = tokens.map(\.name)
        guard !names.contains(token.name) else { throw Token.Malformed(reason: "there is a token \(token.name) already") }
        guard names.count < Self.limit else { throw Token.Malformed(reason: "a file holds at most \(Self.limit) tokens") }
        if lines.isEmpty { lines.append(.other("# Tokens of gaugehouse, hashed: gaugehouse token --help. SIGHUP takes changes over.")) }
        lines.append(.token(token))
    }

    /// - Returns: false when there is no token of that name.
    package mutating func remove(named name: String) -> Bool {
        let count = lines.count
        lines.removeAll { if case .token(let token) = $0 { token.name == name } else { false } }
        return lines.count < count
    }
}

/// Finds the line of every key of a TOML text that is known to be well-formed.
///
/// The TOML library gives lines only for what it cannot parse; a person who wrote `ttl = 30` needs the line as well. Paths are
/// written with dots, elements of lists by number: `store.path`, `table.0.ttl`, `delivery.1.s3.endpoint`. Keys inside inline
/// tables are found at the line of their table.
struct TOMLLineIndex {
    private var lines: [String: Int] = [:]
    private var section: [String] = []
    private var listCounts: [String: Int] = [:]
    private var scanner = ValueScanner()
    /// The first line that opens a table without a name, which the TOML library ends the process for instead of refusing it.
    private(set) var namelessHeader: Int?

    init(_ text: String) {
        let rows = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in rows.enumerated() { read(line, number: index + 1) }
    }

    /// The line of `path`, or of the innermost table around it; 0 when nothing of it is in the text.
    func line(of path: String) -> Int {
        var path = path[...]
        while true {
            if let line = lines[String(path)] { return line }
            guard let dot = path.lastIndex(of: ".") else { return 0 }
            path = path[..<dot]
        }
    }

    private mutating func read(_ line: Substring, number: Int) {
        guard !scanner.isOpen else { return scanner.scan(line) }
        let line = line.drop { $0 == " " || $0 == "\t" }
        if line.hasPrefix("["), !Self.hasName(line), namelessHeader == nil { namelessHeader = number }
        if line.hasPrefix("[[") {
            openSection(keyPath(line.dropFirst(2), end: "]").names, isList: true, number: number)
        } else if line.hasPrefix("[") {
            openSection(keyPath(line.dropFirst(), end: "]").names, isList: false, number: number)
        } else if !line.isEmpty, !line.hasPrefix("#") {
            let (names, rest) = keyPath(line, end: "=")
            for count in 1...max(1, names.count) {
                note(section + names.prefix(count), number: number)
            }
            scanner.scan(rest)
        }
    }

    /// Whether a header goes on as one may: with a name, bare or in quotes. An empty one is for the library to refuse.
    private static func hasName(_ header: Substring) -> Bool {
        let name = header.dropFirst(header.hasPrefix("[[") ? 2 : 1).drop { $0 == " " || $0 == "\t" }
        guard let first = name.utf8.first else { return false }
        switch first {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "]"):
            return true
        default: return false
        }
    }

    private mutating func openSection(_ names: [String], isList: Bool, number: Int) {
        section = []
        for (index, name) in names.enumerated() {
            section.append(name)
            let path = section.joined(separator: ".")
            note(section, number: number)
            if isList, index == names.count - 1 {
                listCounts[path, default: 0] += 1
            }
            if let count = listCounts[path] { section.append(String(count - 1)) }
        }
        note(section, number: number)
    }

    /// The first mention counts.
    private mutating func note(_ names: some Sequence<String>, number: Int) {
        let path = names.joined(separator: ".")
        if lines[path] == nil { lines[path] = number }
    }

    /// Splits `a."b.c".d` up to `end`; returns the names and what follows.
    private func keyPath(_ text: Substring, end: Character) -> (names: [String], rest: Substring) {
        var names = [""]
        var quote: Character?
        var rest = text
        while let character = rest.popFirst() {
            if let open = quote {
                if character == open { quote = nil } else { names[names.count - 1].append(character) }
            } else if character == "\"" || character == "'" {
                quote = character
            } else if character == end {
                break
            } else if character == "." {
                names.append("")
            } else if character != " ", character != "\t" {
                names[names.count - 1].append(character)
            }
        }
        return (names, rest)
    }
}

/// Follows a value over its lines: strings in three quotes and open brackets hide what looks like keys.
private struct ValueScanner {
    private var depth = 0
    private var longQuote: String?

    var isOpen: Bool { depth > 0 || longQuote != nil }

    mutating func scan(_ line: Substring) {
        var rest = line
        while !rest.isEmpty {
            if let quote = longQuote {
                skip(&rest, to: quote)
            } else if rest.hasPrefix("\"\"\"") || rest.hasPrefix("'''") {
                longQuote = String(rest.prefix(3))
                rest = rest.dropFirst(3)
            } else {
                let character = rest.removeFirst()
                switch character {
                case "#": return
                case "\"", "'": skipString(&rest, quote: character)
                case "[", "{": depth += 1
                case "]", "}": depth -= 1
                default: break
                }
            }
        }
    }

    private mutating func skip(_ rest: inout Substring, to quote: String) {
        if rest.hasPrefix(quote) {
            rest = rest.dropFirst(3)
            longQuote = nil
        } else if rest.removeFirst() == "\\", quote == "\"\"\"" {
            rest = rest.dropFirst()
        }
    }

    private func skipString(_ rest: inout Substring, quote: Character) {
        while let character = rest.popFirst(), character != quote {
            if character == "\\", quote == "\"" { rest = rest.dropFirst() }
        }
    }
}

/// `--scenario` files: `name = value` lines with the names of the flags, `#` comments, empty lines.
enum Scenario {
    /// Flags that take no value.
    private static let switches: Set<String> = ["reconnect", "poisson", "json"]

    /// Puts a scenario's options in front of the command line's own, so that these win.
    /// - Throws: `.file` when the file cannot be read, `.usage` with file and line for what is no option.
    static func expand(_ arguments: [String]) throws(LoadError) -> [String] {
        var path: String?
        for (index, argument) in arguments.enumerated() {
            if argument == "--scenario", index + 1 < arguments.count { path = arguments[index + 1] }
            if argument.hasPrefix("--scenario=") { path = String(argument.dropFirst("--scenario=".count)) }
        }
        guard let path else { return arguments }
        let given = Set(arguments.filter { $0.hasPrefix("--") }.map { String($0.dropFirst(2).prefix { $0 != "=" }) })
        return try parse(try Files.read(path), name: path, except: given) + arguments
    }

    /// - Parameter except: names that the command line gives itself.
    static func parse(_ bytes: [UInt8], name file: String, except: Set<String> = []) throws(LoadError) -> [String] {
        var arguments: [String] = []
        var seen: Set<String> = []
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let content = trimmed(line.prefix { $0 != "#" })
            if content.isEmpty { continue }
            func failure(_ reason: String) -> LoadError { LoadError(.usage, "\(file):\(index + 1): \(reason)") }
            guard let equals = content.firstIndex(of: "=") else { throw failure("not a 'name = value' line: \(content)") }
            let name = trimmed(content[..<equals])
            let value = trimmed(content[content.index(after: equals)...])
            guard names.contains(name) else { throw failure("no option --\(name); see --help") }
            guard !value.isEmpty else { throw failure("\(name) has no value") }
            guard seen.insert(name).inserted else { throw failure("\(name) stands here twice") }
            if except.contains(name) { continue }
            if switches.contains(name) {
                guard value == "true" || value == "false" else { throw failure("\(name) is true or false") }
                if value == "true" { arguments.append("--\(name)") }
            } else {
                arguments.append("--\(name)=\(value)")
            }
        }
        return arguments
    }

    /// Every long flag but those about scenarios and earlier runs. A test holds it to `--help`.
    static let names: Set<String> = [
        "host", "port", "user", "password", "password-file", "qos", "window", "keep-alive", "reconnect", "reconnect-storm", "drain",
        "target", "url", "batch", "write-format", "database", "devices", "connections", "threads", "prefix", "seed", "rate",
        "reading-rate", "rate-to", "poisson", "burst", "duration", "count", "ramp-up", "ramp-down", "tick", "dialect", "template", "topic",
        "readings-per-message", "payload-size", "late-fraction", "late-by", "duplicate-fraction", "bad-fraction", "ledger", "verify",
        "verify-patience", "probe", "probe-rate", "probe-poll", "table", "token-file", "json", "json-file", "html",
    ]

    private static func trimmed(_ text: some StringProtocol) -> String {
        var text = text.drop { $0 == " " || $0 == "\t" || $0 == "\r" }[...]
        while let last = text.last, last == " " || last == "\t" || last == "\r" { text = text.dropLast() }
        return String(text)
    }
}

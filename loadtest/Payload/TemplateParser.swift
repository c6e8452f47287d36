/// Reads `--template` files: bytes with `{{placeholders}}`.
struct TemplateParser {
    /// What is wrong, with line and column.
    struct Failure: Error, Equatable, CustomStringConvertible {
        var line: Int
        var column: Int
        var reason: String

        var description: String { "\(line):\(column): \(reason)" }
    }

    /// Decimal places and magnitude (in the last place's units) up to which a walk's arithmetic cannot overflow.
    private static let maximumDigits = 9
    private static let maximumMagnitude: Int64 = 1_000_000_000_000
    static let maximumByteCount = 1 << 20

    private let text: [UInt8]
    private var parts: [PayloadTemplate.Part] = []
    private var choices: [Range<Int>] = []

    static func parse(_ bytes: [UInt8]) throws(Failure) -> PayloadTemplate {
        var text = bytes
        // Editors end files with a newline that nobody means to send.
        if text.last == UInt8(ascii: "\n") { text.removeLast() }
        var parser = TemplateParser(text: text)
        return try parser.parse()
    }

    private init(text: [UInt8]) { self.text = text }

    private mutating func parse() throws(Failure) -> PayloadTemplate {
        guard !text.isEmpty else { throw failure(0, "the template is empty") }
        guard text.count <= Self.maximumByteCount else { throw failure(0, "the template is longer than \(Self.maximumByteCount) bytes") }
        var position = 0
        while position < text.count {
            let open = Self.find("{{", in: text, from: position)
            if let open {
                if open > position { parts.append(.literal(position..<open)) }
                guard let close = Self.find("}}", in: text, from: open + 2) else { throw failure(open, "{{ without }}") }
                parts.append(try placeholder(open + 2..<close))
                position = close + 2
            } else {
                parts.append(.literal(position..<text.count))
                position = text.count
            }
        }
        return PayloadTemplate(text: text, parts: parts, choices: choices)
    }

    private mutating func placeholder(_ range: Range<Int>) throws(Failure) -> PayloadTemplate.Part {
        let word = String(decoding: text[range], as: UTF8.self)
        if let form = PayloadTemplate.TimeForm(rawValue: word) { return .time(form) }
        let arguments = word.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        switch (arguments[0], arguments.count) {
        case ("device", 1): return .device
        case ("seq", 1): return .sequence
        case ("walk", 4):
            let (numbers, digits) = try numbers(arguments.dropFirst(), at: range.lowerBound)
            guard numbers[0] <= numbers[1], numbers[2] > 0 else {
                throw failure(range.lowerBound, "walk:min:max:step needs min <= max and a step above 0")
            }
            return .walk(min: numbers[0], max: numbers[1], step: numbers[2], digits: digits)
        case ("random", 3):
            let (numbers, digits) = try numbers(arguments.dropFirst(), at: range.lowerBound)
            guard numbers[0] <= numbers[1] else { throw failure(range.lowerBound, "random:min:max needs min <= max") }
            return .random(min: numbers[0], max: numbers[1], digits: digits)
        case ("walk", _): throw failure(range.lowerBound, "walk needs three numbers: {{walk:min:max:step}}")
        case ("random", _): throw failure(range.lowerBound, "random needs two numbers: {{random:min:max}}")
        default:
            guard word.hasPrefix("choice:") else {
                let known = "device, seq, ts_s, ts_ms, ts_us, ts_ns, ts_iso, walk:min:max:step, random:min:max, choice:a|b"
                throw failure(range.lowerBound, "no placeholder {{\(word)}}; there are \(known)")
            }
            return choice(range.lowerBound + "choice:".utf8.count..<range.upperBound)
        }
    }

    private mutating func choice(_ range: Range<Int>) -> PayloadTemplate.Part {
        let first = choices.count
        var start = range.lowerBound
        for position in range where text[position] == UInt8(ascii: "|") {
            choices.append(start..<position)
            start = position + 1
        }
        choices.append(start..<range.upperBound)
        return .choice(first..<choices.count)
    }

    /// Numbers in units of the last decimal place that any of them has.
    private func numbers(_ texts: ArraySlice<String>, at position: Int) throws(Failure) -> (units: [Int64], digits: Int) {
        let digits = texts.map { $0.split(separator: ".", maxSplits: 1).dropFirst().first?.utf8.count ?? 0 }.max() ?? 0
        var units: [Int64] = []
        for text in texts {
            guard let unit = Self.units(text, digits: digits) else {
                throw failure(position, "\(text) is no plain decimal number in range")
            }
            units.append(unit)
        }
        return (units, digits)
    }

    private static func units(_ text: String, digits: Int) -> Int64? {
        let isNegative = text.hasPrefix("-")
        let pieces = text.dropFirst(isNegative ? 1 : 0).split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard digits <= maximumDigits, let whole = pieces.first, !whole.isEmpty else { return nil }
        let fraction = pieces.count == 2 ? String(pieces[1]) : ""
        guard pieces.count == 1 || !fraction.isEmpty else { return nil }
        let all = whole + fraction + String(repeating: "0", count: digits - fraction.utf8.count)
        guard all.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let value = Int64(all),
            value <= maximumMagnitude
        else { return nil }
        return isNegative ? -value : value
    }

    private static func find(_ mark: StaticString, in text: [UInt8], from start: Int) -> Int? {
        let first = mark.utf8Start[0]
        var position = start
        while position + 1 < text.count {
            if text[position] == first, text[position + 1] == first { return position }
            position += 1
        }
        return nil
    }

    private func failure(_ position: Int, _ reason: String) -> Failure {
        let before = text[..<position]
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let column = position - (before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0) + 1
        return Failure(line: line, column: column, reason: reason)
    }
}

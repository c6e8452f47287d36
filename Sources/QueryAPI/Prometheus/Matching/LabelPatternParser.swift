/// Reads the text of a `LabelPattern`.
struct LabelPatternParser {
    /// Groups in groups.
    private static let depthLimit = 30
    /// Of `{n,m}`, as in RE2.
    private static let countLimit = 1_000
    private static let escapes: [Unicode.Scalar: Unicode.Scalar] = [
        "n": "\n", "r": "\r", "t": "\t", "f": "\u{C}", "v": "\u{B}", "a": "\u{7}",
    ]

    private let scalars: [Unicode.Scalar]
    private var index = 0
    private var depth = 0

    static func parse(_ text: String) throws(LabelPattern.Malformed) -> LabelPatternNode {
        var parser = LabelPatternParser(scalars: Array(text.unicodeScalars))
        let node = try parser.choice()
        guard parser.current == nil else { throw Self.malformed("an unopened )") }
        return node
    }

    private init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

    private var current: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard current == scalar else { return false }
        index += 1
        return true
    }

    private static func malformed(_ message: String) -> LabelPattern.Malformed { LabelPattern.Malformed(message: message) }

    private mutating func choice() throws(LabelPattern.Malformed) -> LabelPatternNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { throw Self.malformed("groups more than \(Self.depthLimit) deep") }
        var parts = [try sequence()]
        while take("|") { parts.append(try sequence()) }
        return parts.count == 1 ? parts[0] : .choice(parts)
    }

    private mutating func sequence() throws(LabelPattern.Malformed) -> LabelPatternNode {
        var parts: [LabelPatternNode] = []
        while let scalar = current, scalar != "|", scalar != ")" {
            let part = try repeated(try atom())
            // The parts of a group without repetition belong to the sequence around it.
            if case .sequence(let inner) = part { parts += inner } else { parts.append(part) }
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func repeated(_ part: LabelPatternNode) throws(LabelPattern.Malformed) -> LabelPatternNode {
        let counts: (least: Int, most: Int?)
        if take("*") {
            counts = (0, nil)
        } else if take("+") {
            counts = (1, nil)
        } else if take("?") {
            counts = (0, 1)
        } else if let braces = try braces() {
            counts = braces
        } else {
            return part
        }
        // Whether it takes much or little makes no difference to whether the whole matches.
        _ = take("?")
        if let next = current, ["*", "+", "?"].contains(next) { throw Self.malformed("a repetition of a repetition") }
        return .repeated(part, counts.least, counts.most)
    }

    /// `{n}`, `{n,}`, `{n,m}`; nil for a brace that is one itself.
    private mutating func braces() throws(LabelPattern.Malformed) -> (least: Int, most: Int?)? {
        guard current == "{" else { return nil }
        let start = index
        index += 1
        var texts = [""]
        while let scalar = current, scalar != "}" {
            guard scalar == "," && texts.count == 1 || ("0"..."9").contains(scalar) else { break }
            if scalar == "," { texts.append("") } else { texts[texts.count - 1].unicodeScalars.append(scalar) }
            index += 1
        }
        guard !texts[0].isEmpty, take("}") else {
            index = start
            return nil
        }
        let least = Int(texts[0]) ?? .max
        let most = texts.count == 1 ? least : texts[1].isEmpty ? nil : Int(texts[1]) ?? .max
        guard least <= Self.countLimit, most ?? 0 <= Self.countLimit, most ?? least >= least else {
            throw Self.malformed("{n,m} counts to \(Self.countLimit), and n is not above m,")
        }
        return (least, most)
    }

    private mutating func atom() throws(LabelPattern.Malformed) -> LabelPatternNode {
        guard let scalar = current else { throw Self.malformed("a pattern that ends too early") }
        if scalar == "{", try braces() != nil { throw Self.malformed("a repetition of nothing") }
        index += 1
        switch scalar {
        case ".": return .set(.any)
        case "^": return .start
        case "$": return .end
        case "(": return try group()
        case "[": return .set(try scalarSet())
        case "\\": return try escape()
        case "*", "+", "?": throw Self.malformed("a repetition of nothing")
        default: return .scalar(scalar)
        }
    }

    private mutating func group() throws(LabelPattern.Malformed) -> LabelPatternNode {
        if take("?"), !take(":") { throw Self.malformed("(?: is the only (? that is known; flags and names are not supported") }
        let inner = try choice()
        guard take(")") else { throw Self.malformed("a group without )") }
        return inner
    }

    private mutating func escape() throws(LabelPattern.Malformed) -> LabelPatternNode {
        guard let scalar = current else { throw Self.malformed("a \\ at the end") }
        index += 1
        if let set = ScalarSet(named: scalar) { return .set(set) }
        return .scalar(try Self.escaped(scalar))
    }

    private static func escaped(_ scalar: Unicode.Scalar) throws(LabelPattern.Malformed) -> Unicode.Scalar {
        if let plain = escapes[scalar] { return plain }
        guard scalar.isASCII, !scalar.properties.isAlphabetic, !("0"..."9").contains(scalar) else {
            throw malformed("\\\(scalar) is not supported")
        }
        return scalar
    }

    /// Behind the `[`.
    private mutating func scalarSet() throws(LabelPattern.Malformed) -> ScalarSet {
        var set = ScalarSet()
        let isNegated = take("^")
        var isFirst = true
        while true {
            guard let scalar = current else { throw Self.malformed("a [ without ]") }
            index += 1
            if scalar == "]", !isFirst { break }
            isFirst = false
            if scalar == "[", current == ":" { throw Self.malformed("[:classes:] are not supported") }
            if scalar == "\\", let named = current.flatMap({ ScalarSet(named: $0) }) {
                index += 1
                set.add(named)
                continue
            }
            let low = try bound(scalar)
            set.ranges.append(low...(try upperBound(of: low)))
        }
        set.isNegated = isNegated
        return set
    }

    /// What a range ends with; the scalar itself where there is none.
    private mutating func upperBound(of low: Unicode.Scalar) throws(LabelPattern.Malformed) -> Unicode.Scalar {
        guard current == "-", index + 1 < scalars.count, scalars[index + 1] != "]" else { return low }
        let high = scalars[index + 1]
        index += 2
        let end = try bound(high)
        guard low <= end else { throw Self.malformed("a range [b-a] that goes down") }
        return end
    }

    private mutating func bound(_ scalar: Unicode.Scalar) throws(LabelPattern.Malformed) -> Unicode.Scalar {
        guard scalar == "\\" else { return scalar }
        guard let next = current else { throw Self.malformed("a \\ at the end") }
        index += 1
        return try Self.escaped(next)
    }
}

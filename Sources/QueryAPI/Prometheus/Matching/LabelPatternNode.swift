/// A part of a pattern.
indirect enum LabelPatternNode {
    case scalar(Unicode.Scalar)
    case set(ScalarSet)
    case sequence([LabelPatternNode])
    /// At least one.
    case choice([LabelPatternNode])
    /// At least, and at most so often; nil: any number.
    case repeated(LabelPatternNode, Int, Int?)
    case start
    case end

    /// The only texts it matches: alternatives of plain text, as dashboards write them.
    var literals: [String]? {
        if case .choice(let parts) = self {
            let texts = parts.compactMap(\.literal)
            return texts.count == parts.count ? texts : nil
        }
        return literal.map { [$0] }
    }

    private var literal: String? {
        switch self {
        case .scalar(let scalar): return String(scalar)
        case .sequence(let parts):
            var text = String.UnicodeScalarView()
            for part in parts {
                guard case .scalar(let scalar) = part else { return nil }
                text.append(scalar)
            }
            return String(text)
        case .set, .choice, .repeated, .start, .end: return nil
        }
    }

    /// What all that it matches begins with.
    var prefix: String {
        switch self {
        case .scalar(let scalar): return String(scalar)
        case .sequence(let parts):
            var text = String.UnicodeScalarView()
            for part in parts {
                guard case .scalar(let scalar) = part else { break }
                text.append(scalar)
            }
            return String(text)
        case .set, .choice, .repeated, .start, .end: return ""
        }
    }
}

/// Some scalars, or all but some.
struct ScalarSet: Sendable {
    var ranges: [ClosedRange<Unicode.Scalar>] = []
    var isNegated = false

    func contains(_ scalar: Unicode.Scalar) -> Bool { ranges.contains { $0.contains(scalar) } != isNegated }

    static let any = ScalarSet(ranges: [], isNegated: true)

    /// `\d`, `\w`, `\s` and their negations, of ASCII as in RE2.
    init?(named name: Unicode.Scalar) {
        switch name {
        case "d", "D": ranges = ["0"..."9"]
        case "w", "W": ranges = ["0"..."9", "A"..."Z", "a"..."z", "_"..."_"]
        case "s", "S": ranges = ["\t"..."\n", "\u{C}"..."\r", " "..." "]
        default: return nil
        }
        isNegated = name.properties.isUppercase
    }

    init(ranges: [ClosedRange<Unicode.Scalar>] = [], isNegated: Bool = false) {
        self.ranges = ranges
        self.isNegated = isNegated
    }

    /// With the scalars of another one, too.
    mutating func add(_ other: ScalarSet) {
        guard other.isNegated else { return ranges += other.ranges }
        // The gaps between the ranges, which ascend.
        var low = UInt32(0)
        for range in other.ranges {
            append(low, range.lowerBound.value)
            low = range.upperBound.value + 1
        }
        append(low, 0x110000)
    }

    /// `low..<high`; none of the bounds in use lies among the surrogates.
    private mutating func append(_ low: UInt32, _ high: UInt32) {
        guard low < high, let first = Unicode.Scalar(low), let last = Unicode.Scalar(high - 1) else { return }
        ranges.append(first...last)
    }
}

import Telemetry

/// A word of a query.
enum PromQLToken: Hashable {
    enum Symbol: String, CaseIterable {
        // Longer ones first: they are tried in this order.
        case matches = "=~"
        case matchesNot = "!~"
        case isEqual = "=="
        case isNotEqual = "!="
        case isLessOrEqual = "<="
        case isGreaterOrEqual = ">="
        case equals = "="
        case isLess = "<"
        case isGreater = ">"
        case leftParenthesis = "("
        case rightParenthesis = ")"
        case leftBrace = "{"
        case rightBrace = "}"
        case leftBracket = "["
        case rightBracket = "]"
        case comma = ","
        case plus = "+"
        case minus = "-"
        case times = "*"
        case divided = "/"
        case remainder = "%"
        case power = "^"
        case at = "@"
    }

    case number(Double)
    case duration(TimeSpan)
    /// A name or a keyword.
    case identifier(String)
    case string(String)
    case symbol(Symbol)
    case end

    /// As messages show it.
    var text: String {
        switch self {
        case .number(let value): "number \(value)"
        case .duration(let span): "duration \(span.text)"
        case .identifier(let name): "\"\(name)\""
        case .string: "a string"
        case .symbol(let symbol): "\"\(symbol.rawValue)\""
        case .end: "the end"
        }
    }
}

/// A token and where it begins, in bytes of the query.
struct PromQLPlacedToken: Equatable {
    let token: PromQLToken
    let offset: Int
}

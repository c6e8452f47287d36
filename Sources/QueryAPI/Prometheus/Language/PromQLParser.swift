import Telemetry

/// Reads a query of the subset: scalars, selectors, `…_over_time`, `rate`, `increase`, `avg|min|max|sum|count by (…)`, and arithmetic with
/// at least one scalar.
///
/// Source: https://prometheus.io/docs/prometheus/latest/querying/{basics,operators,functions}/
struct PromQLParser {
    /// Bytes of a query: selectors with a thousand device ids.
    static let byteLimit = 64 << 10
    /// Expressions inside expressions; each is a few frames of the stack.
    private static let depthLimit = 50
    /// Parts of an expression; they nest when evaluated.
    private static let partLimit = 250
    private static let aggregations = Fold.allCases.filter { $0 != .last }

    private let bytes: [UInt8]
    private let tokens: [PromQLPlacedToken]
    private var index = 0
    private var depth = 0
    private var partCount = 0

    /// Matchers of all selectors together: each may be a pattern of a hundred kilobytes.
    static let matcherLimit = 32
    private var matcherCount = 0

    /// - Throws: `.malformed` for what is no PromQL, `.unsupported` for what is none of the subset, both with line and column.
    static func parse(_ query: String) throws(PrometheusError) -> PromQLExpression {
        var parser = try PromQLParser(query)
        let expression = try parser.expression(above: 0)
        try parser.expectEnd()
        return expression
    }

    /// A selector alone, as `match[]` takes it.
    static func parseSelector(_ text: String) throws(PrometheusError) -> SeriesSelector {
        var parser = try PromQLParser(text)
        guard case .selector(let selector) = try parser.expression(above: 0) else {
            throw parser.failure(at: 0, "match[] takes a selector, such as temp{device=\"a\"}")
        }
        try parser.expectEnd()
        return selector
    }

    private init(_ query: String) throws(PrometheusError) {
        guard query.utf8.count <= Self.byteLimit else {
            throw .parameter("query", "a query has at most \(Self.byteLimit) bytes")
        }
        bytes = Array(query.utf8)
        tokens = try PromQLLexer.tokens(of: query)
    }

    // MARK: - Tokens

    private var current: PromQLToken { tokens[index].token }

    /// The end is never passed.
    private mutating func advance() { index = min(index + 1, tokens.count - 1) }

    private mutating func take(_ symbol: PromQLToken.Symbol) -> Bool {
        guard current == .symbol(symbol) else { return false }
        advance()
        return true
    }

    private mutating func expect(_ symbol: PromQLToken.Symbol, _ place: String) throws(PrometheusError) {
        guard take(symbol) else { throw failure("\(current.text) where \"\(symbol.rawValue)\" is expected \(place)") }
    }

    private func failure(_ message: String) -> PrometheusError { failure(at: tokens[index].offset, message) }

    private func failure(at offset: Int, _ message: String) -> PrometheusError { PromQLLexer.error(in: bytes, at: offset, message) }

    /// - Parameter what: as a sentence's subject.
    private func unsupported(at offset: Int? = nil, _ what: String) -> PrometheusError {
        PromQLLexer.error(
            .unsupported, in: bytes, at: offset ?? tokens[index].offset,
            "\(what) not supported; supported are selectors, \(PromQLExpression.RangeFunction.names.joined(separator: ", ")) of a range, "
                + "\(Self.aggregations.map(\.rawValue).joined(separator: ", ")) with by or without, "
                + "and arithmetic with a number on at least one side")
    }

    private func expectEnd() throws(PrometheusError) {
        guard current != .end else { return }
        if case .identifier(let name) = current, ["offset", "bool", "and", "or", "unless", "atan2"].contains(name.lowercased()) {
            throw unsupported("\(name) is")
        }
        switch current {
        case .symbol(.isEqual), .symbol(.isNotEqual), .symbol(.isLess), .symbol(.isLessOrEqual), .symbol(.isGreater),
            .symbol(.isGreaterOrEqual):
            throw unsupported("comparisons are")
        case .symbol(.at): throw unsupported("@ is")
        case .symbol(.leftBracket): throw unsupported("subqueries are")
        default: throw failure("unexpected \(current.text)")
        }
    }

    // MARK: - Expressions

    /// Operators that bind tighter than `precedence`, and what they join.
    private mutating func expression(above precedence: Int) throws(PrometheusError) -> PromQLExpression {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { throw failure("nested more than \(Self.depthLimit) deep") }
        var left = try operand()
        while case .symbol(let symbol) = current, let op = PromQLExpression.Arithmetic(rawValue: symbol.rawValue),
            op.precedence > precedence
        {
            let offset = tokens[index].offset
            advance()
            if case .identifier(let name) = current, ["on", "ignoring", "bool"].contains(name.lowercased()) {
                throw unsupported("\(name) is")
            }
            // Powers join from the right.
            let right = try expression(above: op == .power ? op.precedence - 1 : op.precedence)
            guard left.kind != .range, right.kind != .range else { throw failure(at: offset, "arithmetic with a range") }
            guard left.kind == .scalar || right.kind == .scalar else { throw unsupported(at: offset, "arithmetic between series is") }
            left = try part(.arithmetic(op, left, right))
        }
        return left
    }

    private mutating func part(_ expression: PromQLExpression) throws(PrometheusError) -> PromQLExpression {
        partCount += 1
        guard partCount <= Self.partLimit else { throw failure("a query has at most \(Self.partLimit) parts") }
        return expression
    }

    private mutating func operand() throws(PrometheusError) -> PromQLExpression {
        let offset = tokens[index].offset
        switch current {
        case .number(let value):
            advance()
            return try part(.number(value))
        case .symbol(.plus), .symbol(.minus):
            let isNegative = current == .symbol(.minus)
            advance()
            // A power binds tighter than a sign.
            let operand = try expression(above: PromQLExpression.Arithmetic.multiply.precedence)
            guard operand.kind != .range else { throw failure(at: offset, "a sign before a range") }
            return isNegative ? try part(.negate(operand)) : operand
        case .symbol(.leftParenthesis):
            advance()
            let inner = try expression(above: 0)
            guard current == .symbol(.rightParenthesis) else {
                try expectEnd()
                throw failure("\")\" is missing")
            }
            advance()
            return inner
        case .symbol(.leftBrace): return try selector(name: nil)
        case .identifier(let name):
            advance()
            return try named(name, at: offset)
        case .string: throw unsupported("a string as an answer is")
        case .duration(let span): throw failure("\(span.text) stands where a number or a selector is expected")
        default: throw failure("unexpected \(current.text)")
        }
    }

    /// A number, a function, an aggregation or a metric, by what follows.
    private mutating func named(_ name: String, at offset: Int) throws(PrometheusError) -> PromQLExpression {
        let hasGrouping = if case .identifier(let next) = current { ["by", "without"].contains(next.lowercased()) } else { false }
        if current == .symbol(.leftParenthesis) || hasGrouping {
            if let fold = Self.aggregations.first(where: { $0.rawValue == name.lowercased() }) { return try aggregation(fold) }
            guard let function = PromQLExpression.RangeFunction(name: name) else {
                throw unsupported(at: offset, "\(name) is")
            }
            return try call(function)
        }
        if current != .symbol(.leftBrace), ["inf", "nan"].contains(name.lowercased()) {
            return try part(.number(name.lowercased() == "inf" ? .infinity : .nan))
        }
        return try selector(name: name)
    }

    private mutating func call(_ function: PromQLExpression.RangeFunction) throws(PrometheusError) -> PromQLExpression {
        try expect(.leftParenthesis, "behind a function")
        let offset = tokens[index].offset
        guard case .range(let selector, let length) = try expression(above: 0) else {
            throw failure(at: offset, "the function needs a range, such as temp[5m]")
        }
        try expect(.rightParenthesis, "at the end of a function")
        return try part(.call(function, selector, length))
    }

    private mutating func aggregation(_ fold: Fold) throws(PrometheusError) -> PromQLExpression {
        var grouping = try self.grouping()
        try expect(.leftParenthesis, "behind an aggregation")
        let offset = tokens[index].offset
        let operand = try expression(above: 0)
        guard operand.kind == .vector else { throw failure(at: offset, "\(fold.rawValue) needs series, such as temp{device=\"a\"}") }
        try expect(.rightParenthesis, "at the end of an aggregation")
        if grouping == nil { grouping = try self.grouping() }
        return try part(.aggregate(fold, grouping ?? .by([]), operand))
    }

    /// `by (a, b)` or `without (a)`; nil without either.
    private mutating func grouping() throws(PrometheusError) -> PromQLExpression.Grouping? {
        guard case .identifier(let word) = current, ["by", "without"].contains(word.lowercased()) else { return nil }
        advance()
        try expect(.leftParenthesis, "behind \(word)")
        var labels: [String] = []
        while current != .symbol(.rightParenthesis) {
            guard case .identifier(let label) = current else { throw failure("\(current.text) where a label is expected") }
            labels.append(label)
            advance()
            guard take(.comma) else { break }
        }
        try expect(.rightParenthesis, "at the end of the labels")
        return word.lowercased() == "by" ? .by(labels) : .without(labels)
    }

    // MARK: - Selectors

    private mutating func selector(name: String?) throws(PrometheusError) -> PromQLExpression {
        let offset = tokens[index].offset
        var matchers: [LabelMatcher] = []
        if let name { matchers.append(try matcher(LabelMatcher.metricName, .equal, name, at: offset)) }
        if take(.leftBrace) {
            while current != .symbol(.rightBrace) {
                matcherCount += 1
                guard matcherCount <= Self.matcherLimit else {
                    throw .parameter("query", "a query has at most \(Self.matcherLimit) matchers")
                }
                matchers.append(try nextMatcher())
                guard take(.comma) else { break }
            }
            try expect(.rightBrace, "at the end of a selector")
        }
        var takesAll = true
        for matcher in matchers where try !matcher.takesEmpty() { takesAll = false }
        guard !takesAll else {
            throw failure(at: offset, "a selector needs a matcher that does not match the empty text")
        }
        let selector = try part(.selector(SeriesSelector(matchers: matchers)))
        if case .identifier(let word) = current, word.lowercased() == "offset" { throw unsupported("offset is") }
        guard current == .symbol(.leftBracket) else { return selector }
        return try range(SeriesSelector(matchers: matchers))
    }

    private mutating func range(_ selector: SeriesSelector) throws(PrometheusError) -> PromQLExpression {
        advance()
        guard case .duration(let length) = current else { throw failure("a range needs a duration, such as [5m]") }
        advance()
        // A colon begins names, too.
        if case .identifier(let rest) = current, rest.hasPrefix(":") { throw unsupported("subqueries are") }
        try expect(.rightBracket, "behind the duration")
        return try part(.range(selector, length))
    }

    /// `device="a"`, or a metric's name in quotes.
    private mutating func nextMatcher() throws(PrometheusError) -> LabelMatcher {
        let offset = tokens[index].offset
        let label: String
        switch current {
        case .identifier(let name): label = name
        case .string(let name):
            label = name
            if [.symbol(.comma), .symbol(.rightBrace)].contains(tokens[index + 1].token) {
                advance()
                return try matcher(LabelMatcher.metricName, .equal, name, at: offset)
            }
        default: throw failure("\(current.text) where a label is expected")
        }
        advance()
        let comparisons: [PromQLToken: LabelMatcher.Comparison] = [
            .symbol(.equals): .equal, .symbol(.isNotEqual): .notEqual, .symbol(.matches): .matches, .symbol(.matchesNot): .matchesNot,
        ]
        guard let comparison = comparisons[current] else { throw failure("\(current.text) where =, !=, =~ or !~ is expected") }
        advance()
        guard case .string(let value) = current else { throw failure("\(current.text) where a quoted text is expected") }
        let place = tokens[index].offset
        advance()
        return try matcher(label, comparison, value, at: place)
    }

    private func matcher(
        _ label: String, _ comparison: LabelMatcher.Comparison, _ value: String, at offset: Int
    ) throws(PrometheusError) -> LabelMatcher {
        do throws(LabelPattern.Malformed) {
            return try LabelMatcher(label, comparison, value)
        } catch {
            throw failure(at: offset, "\(error.message) in the pattern")
        }
    }
}

/// One condition on a label of a series: `device=~"line1/.*"`.
struct LabelMatcher: Sendable {
    enum Comparison: Sendable { case equal, notEqual, matches, matchesNot }

    static let metricName = "__name__"

    let label: String
    let comparison: Comparison
    let value: String
    /// Of `=~` and `!~`.
    private let pattern: LabelPattern?

    /// - Throws: for a pattern that cannot be read.
    init(_ label: String, _ comparison: Comparison, _ value: String) throws(LabelPattern.Malformed) {
        self.label = label
        self.comparison = comparison
        self.value = value
        pattern = comparison == .matches || comparison == .matchesNot ? try LabelPattern(value) : nil
    }

    private var isNegative: Bool { comparison == .notEqual || comparison == .matchesNot }

    /// - Parameter values: what the series may be known by; one of them is enough.
    func holds(_ values: [String], _ budget: inout PromQLBudget) throws(PrometheusError) -> Bool {
        for value in values where try isMet(by: value, &budget) { return !isNegative }
        return isNegative
    }

    private func isMet(by text: String, _ budget: inout PromQLBudget) throws(PrometheusError) -> Bool {
        guard let pattern else { return text == value }
        return try pattern.matches(text, &budget)
    }

    func takesEmpty() throws(PrometheusError) -> Bool {
        var budget = PromQLBudget()
        return try holds([""], &budget)
    }

    /// The only texts that fulfil it; nil when there may be others.
    var literals: [String]? {
        switch comparison {
        case .equal: [value]
        case .matches: pattern?.literals
        case .notEqual, .matchesNot: nil
        }
    }

    /// What every text that fulfils it begins with.
    var prefix: String {
        switch comparison {
        case .equal: value
        case .matches: pattern?.prefix ?? ""
        case .notEqual, .matchesNot: ""
        }
    }
}

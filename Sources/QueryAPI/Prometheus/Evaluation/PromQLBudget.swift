/// How much one query may cost. Spending more than there is ends the query with an error that says what was too much.
struct PromQLBudget: Sendable {
    /// Series that a query reads: every device of a big fleet, several fields of a smaller one.
    static let seriesLimit = 50_000
    /// Values of an answer, and of an aggregation's groups: some tens of megabytes.
    static let valueLimit = 1_000_000
    /// Rows read one by one, for rates, booleans and raw ranges.
    static let rowLimit = 5_000_000
    /// Steps of patterns over names: a fraction of a second.
    private static let patternStepLimit = 50_000_000

    private let seriesLimit: Int
    private var patternSteps = 0
    private var series = 0
    private var values = 0
    private var rows = 0

    init(seriesLimit: Int = seriesLimit) { self.seriesLimit = seriesLimit }

    mutating func spend(patternSteps count: Int) throws(PrometheusError) {
        try Self.add(count, to: &patternSteps, limit: Self.patternStepLimit, "patterns take too long; write simpler ones")
    }

    mutating func spend(series count: Int) throws(PrometheusError) {
        try Self.add(count, to: &series, limit: seriesLimit, "more than \(seriesLimit) series; select fewer")
    }

    mutating func spend(values count: Int) throws(PrometheusError) {
        try Self.add(
            count, to: &values, limit: Self.valueLimit, "more than \(Self.valueLimit) values; take a longer step, less time or fewer series"
        )
    }

    mutating func spend(rows count: Int) throws(PrometheusError) {
        try Self.add(count, to: &rows, limit: Self.rowLimit, "more than \(Self.rowLimit) rows to read; take less time or fewer series")
    }

    private static func add(_ count: Int, to sum: inout Int, limit: Int, _ message: String) throws(PrometheusError) {
        // Neither is ever near the end of `Int`.
        sum += count
        guard sum <= limit else { throw PrometheusError(.execution, "query processing would take too much: \(message)") }
    }
}

import Telemetry
import TelemetryStore

/// Reads the values of one series at all steps. Blocking.
struct SeriesReader: Sendable {
    /// How long a sample stands for the time behind it.
    static let lookback = TimeSpan.minutes(5)
    let steps: StepTimes
    let function: PromQLExpression.RangeFunction
    let length: TimeSpan
    private let plan: WindowPlan

    /// - Parameter length: of the windows; of a plain selector the lookback.
    init(_ function: PromQLExpression.RangeFunction, length: TimeSpan, steps: StepTimes) {
        self.function = function
        self.length = length
        self.steps = steps
        plan = WindowPlan(steps, length: length)
    }

    /// Whether the newest sample is so old that no window has one.
    func isOver(_ series: StoredSeries) -> Bool { series.newest.time <= steps.start - length }

    /// Whether the values come of the samples themselves.
    func needsSamples(of series: StoredSeries) -> Bool {
        switch function {
        case .overTime(let fold): fold != .last && series.isBoolean
        case .rate, .increase: true
        }
    }

    /// A value for each step, nil where there is none; nil when there is none at all.
    ///
    /// - Parameter samples: of all windows, where they are needed.
    func values(of series: StoredSeries, _ samples: [Sample]) throws -> [Double?]? {
        switch function {
        case .overTime(.last) where series.newest.time <= steps.start: newest(of: series)
        case .overTime(let fold) where needsSamples(of: series): foldedSamples(samples, fold)
        case .overTime(let fold): try aggregates(of: series, fold)
        case .rate: CounterRate(samples).rates(steps, length: length, perSecond: true)
        case .increase: CounterRate(samples).rates(steps, length: length, perSecond: false)
        }
    }

    /// The newest sample is older than all steps: nothing has to be read.
    private func newest(of series: StoredSeries) -> [Double?] {
        (0..<steps.count).map { series.newest.time > steps[$0] - length ? series.newest.value : nil }
    }

    // MARK: - From aggregates

    private func aggregates(of series: StoredSeries, _ fold: Fold) throws -> [Double?]? {
        var values: [Double?] = []
        values.reserveCapacity(steps.count)
        for run in plan.runs {
            guard let parts = try parts(of: series, run, fold) else { return nil }
            var sliding = SlidingFold(parts)
            for window in run.windows { values.append(sliding(window)(fold)) }
        }
        return values
    }

    /// What each piece of a run comes to. Nil: the device is gone.
    private func parts(of series: StoredSeries, _ run: WindowPlan.Run, _ fold: Fold) throws -> [Partial]? {
        let functions = Self.functions(for: fold)
        guard let start = run.edges.first, let end = run.edges.last else { return [] }
        var query = AggregateQuery(device: series.device, start: start, end: end, step: length)
        query.edges = run.edges
        query.fields = [series.field]
        query.functions = functions
        guard let page = try series.table.aggregate(query) else { return nil }
        func number(_ row: Int, _ function: AggregateQuery.Function) -> Double? {
            functions.firstIndex(of: function).flatMap { page.cells[row * functions.count + $0].sample }
        }
        return page.times.indices.map { row in
            // A count counts text, too; then the other function has no value.
            let values = functions.map { number(row, $0) }
            guard !values.contains(nil) else { return Partial() }
            return Partial(
                count: number(row, .count) ?? 1, sum: number(row, .sum) ?? .nan, least: number(row, .min) ?? .nan,
                greatest: number(row, .max) ?? .nan, last: number(row, .last) ?? .nan)
        }
    }

    private static func functions(for fold: Fold) -> [AggregateQuery.Function] {
        switch fold {
        case .avg, .sum, .count: [.sum, .count]
        case .min: [.min]
        case .max: [.max]
        case .last: [.last]
        }
    }

    // MARK: - From samples

    /// All samples from the first window to the last, to be read page by page.
    func reading(of series: StoredSeries) -> SampleReading {
        var query = RangeQuery(
            device: series.device, start: steps.start - length + TimeSpan(microseconds: 1), end: steps.last + TimeSpan(microseconds: 1))
        query.fields = [series.field]
        return SampleReading(of: series, query)
    }

    private func foldedSamples(_ samples: [Sample], _ fold: Fold) -> [Double?] {
        var sliding = SlidingFold(samples.map { Partial($0.value) })
        return samples.windows(steps, length: length).map { sliding($0)(fold) }
    }
}

import Telemetry
import TelemetryStore

/// Reads the values of one series at all steps. Blocking.
struct SeriesReader: Sendable {
    /// How long a sample stands for the time behind it.
    static let lookback = TimeSpan.minutes(5)
    private static let pageLength = 10_000

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

    /// A value for each step, nil where there is none; nil when there is none at all.
    func values(of series: StoredSeries, _ budget: inout PromQLBudget) throws -> [Double?]? {
        guard series.newest.time > steps.start - length else { return nil }
        switch function {
        case .overTime(.last) where series.newest.time <= steps.start: return newest(of: series)
        case .overTime(let fold) where fold == .last || !series.isBoolean: return try aggregates(of: series, fold)
        case .overTime(let fold): return foldedSamples(try samples(of: series, &budget), fold)
        case .rate: return try CounterRate(samples(of: series, &budget)).rates(steps, length: length, perSecond: true)
        case .increase: return try CounterRate(samples(of: series, &budget)).rates(steps, length: length, perSecond: false)
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

    /// All samples from the first window to the last, oldest first.
    func samples(of series: StoredSeries, _ budget: inout PromQLBudget) throws -> [Sample] {
        var query = RangeQuery(
            device: series.device, start: steps.start - length + TimeSpan(microseconds: 1), end: steps.last + TimeSpan(microseconds: 1))
        query.fields = [series.field]
        query.order = .ascending
        query.limit = Self.pageLength
        var samples: [Sample] = []
        repeat {
            guard let page = try series.table.range(query) else { break }
            try budget.spend(rows: page.times.count)
            for (time, cell) in zip(page.times, page.cells) { cell.sample.map { samples.append(Sample(time: time, value: $0)) } }
            query.after = page.nextAfter
        } while query.after != nil
        return samples
    }

    private func foldedSamples(_ samples: [Sample], _ fold: Fold) -> [Double?] {
        var sliding = SlidingFold(samples.map { Partial($0.value) })
        return samples.windows(steps, length: length).map { sliding($0)(fold) }
    }
}

struct Sample: Equatable, Sendable {
    let time: Timestamp
    let value: Double
}

extension [Sample] {
    /// Of each step: the samples of its window, `(time - length, time]`.
    func windows(_ steps: StepTimes, length: TimeSpan) -> [Range<Int>] {
        var (low, high) = (0, 0)
        return (0..<steps.count).map { step in
            let time = steps[step]
            while low < count, self[low].time <= time - length { low += 1 }
            high = Swift.max(low, high)
            while high < count, self[high].time <= time { high += 1 }
            return low..<high
        }
    }
}

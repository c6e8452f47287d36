import Telemetry
import TelemetryStore

/// Reads the series of one selector, one after the other, and folds them into groups when an aggregation stands right above it.
struct SeriesLoad: Sendable {
    private var cursor: SeriesCursor
    private let reader: SeriesReader
    private let keepsName: Bool
    private let isRaw: Bool
    /// Of the device that is being read.
    private var waiting: ArraySlice<StoredSeries> = []
    /// Of the series that is being read, where its samples are needed.
    private var reading: SampleReading?
    private var groups: SeriesGroups?
    private var single: [PromQLResult.Series] = []
    private(set) var rawSeries: [(labels: SeriesLabels, samples: [Sample])] = []

    static func isLoad(_ expression: PromQLExpression) -> Bool {
        switch expression {
        case .selector, .call, .range, .aggregate(_, _, .selector), .aggregate(_, _, .call): true
        case .number, .aggregate, .negate, .arithmetic: false
        }
    }

    /// Nil for an expression that is not read from the store.
    init?(
        _ expression: PromQLExpression, steps: StepTimes, tables: [Table], devicePrefix: String, _ budget: inout PromQLBudget
    ) throws(PrometheusError) {
        guard Self.isLoad(expression) else { return nil }
        var leaf = expression
        if case .aggregate(let fold, let grouping, let operand) = expression {
            groups = SeriesGroups(fold, grouping, stepCount: steps.count)
            leaf = operand
        }
        let selector: SeriesSelector
        switch leaf {
        case .selector(let wanted):
            selector = wanted
            reader = SeriesReader(.overTime(.last), length: SeriesReader.lookback, steps: steps)
        case .range(let wanted, let length):
            selector = wanted
            reader = SeriesReader(.overTime(.last), length: length, steps: steps)
        case .call(let function, let wanted, let length):
            selector = wanted
            reader = SeriesReader(function, length: length, steps: steps)
        case .number, .aggregate, .negate, .arithmetic: return nil
        }
        keepsName = reader.function.keepsName
        isRaw = if case .range = leaf { true } else { false }
        cursor = try SeriesCursor(selector, tables: tables, devicePrefix: devicePrefix, &budget)
    }

    /// Reads on: a series, a page of one, or looks for the next. Blocking.
    ///
    /// - Returns: false: nothing was left.
    mutating func next(_ budget: inout PromQLBudget) throws -> Bool {
        if reading != nil {
            guard try reading?.next(&budget) == false, let whole = reading.take() else { return true }
            try add(whole.series, whole.samples, &budget)
            return true
        }
        guard let series = waiting.popFirst() else {
            guard let device = try cursor.next(&budget) else { return false }
            waiting = device[...]
            return true
        }
        guard !reader.isOver(series) else { return true }
        if isRaw || reader.needsSamples(of: series) {
            reading = reader.reading(of: series)
        } else {
            try add(series, [], &budget)
        }
        return true
    }

    private mutating func add(_ series: StoredSeries, _ samples: [Sample], _ budget: inout PromQLBudget) throws {
        let labels = keepsName ? series.labels : series.labels.withoutName
        if isRaw {
            try budget.spend(values: samples.count)
            if !samples.isEmpty { rawSeries.append((labels, samples)) }
        } else if let values = try reader.values(of: series, samples), values.contains(where: { $0 != nil }) {
            guard groups == nil else {
                try groups?.add(labels, values, &budget)
                return
            }
            try budget.spend(values: values.count)
            single.append(PromQLResult.Series(labels: labels, values: values))
        }
    }

    var series: [PromQLResult.Series] { groups?.series ?? single }
}

/// Series folded into groups, step by step.
struct SeriesGroups: Sendable {
    private let fold: Fold
    private let grouping: PromQLExpression.Grouping
    private let stepCount: Int
    private var groups: [SeriesLabels: [Partial]] = [:]

    init(_ fold: Fold, _ grouping: PromQLExpression.Grouping, stepCount: Int) {
        self.fold = fold
        self.grouping = grouping
        self.stepCount = stepCount
    }

    mutating func add(_ labels: SeriesLabels, _ values: [Double?], _ budget: inout PromQLBudget) throws(PrometheusError) {
        let key = labels.grouped(grouping)
        if groups[key] == nil { try budget.spend(values: stepCount) }
        groups[key, default: Array(repeating: Partial(), count: stepCount)].add(values)
    }

    var series: [PromQLResult.Series] {
        groups.map { labels, partials in PromQLResult.Series(labels: labels, values: partials.map { $0(fold) }) }
    }
}

extension [Partial] {
    /// Step by step, in place.
    fileprivate mutating func add(_ values: [Double?]) {
        for (step, value) in values.enumerated() { if let value { self[step].add(Partial(value)) } }
    }
}

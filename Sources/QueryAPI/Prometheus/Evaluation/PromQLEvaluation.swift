import Telemetry
import TelemetryStore

/// Evaluates a query, some milliseconds at a time, so that a big one does not keep the store's threads from others.
///
/// What is read from the store comes first, one series after the other: an aggregation right above a selector folds each series as it
/// comes, and holds its groups only. Then the rest is computed from that.
struct PromQLEvaluation: Sendable {
    private let expression: PromQLExpression
    private let steps: StepTimes
    private var loads: [SeriesLoad] = []
    /// The first one that is not done.
    private var loadIndex = 0
    private var budget = PromQLBudget()

    /// - Parameter devicePrefix: of all devices that may be seen.
    init(
        _ expression: PromQLExpression, steps: StepTimes, tables: [Table], devicePrefix: String
    ) throws(PrometheusError) {
        self.expression = expression
        self.steps = steps
        try collectLoads(expression, tables: tables, devicePrefix: devicePrefix)
    }

    /// In the order in which `evaluate` asks for them.
    private mutating func collectLoads(
        _ expression: PromQLExpression, tables: [Table], devicePrefix: String
    ) throws(PrometheusError) {
        if let load = try SeriesLoad(expression, steps: steps, tables: tables, devicePrefix: devicePrefix, &budget) {
            loads.append(load)
            return
        }
        switch expression {
        case .aggregate(_, _, let operand), .negate(let operand):
            try collectLoads(operand, tables: tables, devicePrefix: devicePrefix)
        case .arithmetic(_, let left, let right):
            try collectLoads(left, tables: tables, devicePrefix: devicePrefix)
            try collectLoads(right, tables: tables, devicePrefix: devicePrefix)
        case .number, .selector, .range, .call: break
        }
    }

    /// Reads on until `deadline`, or a little longer. Blocking.
    ///
    /// - Returns: the result, once there is one.
    /// - Throws: `PrometheusError`, and `StoreError` of the store.
    mutating func advance(until deadline: ContinuousClock.Instant) throws -> PromQLResult? {
        while loadIndex < loads.count {
            repeat {
                guard ContinuousClock.now < deadline else { return nil }
            } while try loads[loadIndex].next(&budget)
            loadIndex += 1
        }
        if case .range = expression { return .samples(loads[0].rawSeries) }
        var results = loads.map(\.series)[...]
        loads = []
        switch try evaluate(expression, &results) {
        case .scalar(let value): return .scalar(value)
        case .vector(let series): return .vector(series.sorted { $0.labels < $1.labels })
        }
    }

    // MARK: - Computing

    private enum Value {
        case scalar(Double)
        case vector([PromQLResult.Series])
    }

    /// - Parameter loaded: what was read, the next first.
    private func evaluate(
        _ expression: PromQLExpression, _ loaded: inout ArraySlice<[PromQLResult.Series]>
    ) throws(PrometheusError) -> Value {
        if SeriesLoad.isLoad(expression) { return .vector(try Self.distinct(loaded.popFirst() ?? [])) }
        switch expression {
        case .number(let value): return .scalar(value)
        case .negate(let operand):
            return try Self.map(try evaluate(operand, &loaded)) { -$0 }
        case .aggregate(let fold, let grouping, let operand):
            guard case .vector(let series) = try evaluate(operand, &loaded) else { return .vector([]) }
            var groups = SeriesGroups(fold, grouping, stepCount: steps.count)
            var budget = budget
            for one in series { try groups.add(one.labels, one.values, &budget) }
            return .vector(groups.series)
        case .arithmetic(let op, let left, let right):
            let (left, right) = (try evaluate(left, &loaded), try evaluate(right, &loaded))
            switch (left, right) {
            case (.scalar(let a), .scalar(let b)): return .scalar(op(a, b))
            case (.scalar(let a), .vector): return try Self.map(right) { op(a, $0) }
            case (.vector, .scalar(let b)): return try Self.map(left) { op($0, b) }
            // The parser lets none through.
            case (.vector, .vector): throw PrometheusError(.unsupported, "arithmetic between series is not supported")
            }
        case .selector, .call, .range: return .vector([])
        }
    }

    /// What is computed of a metric is no longer that metric: it has no name.
    private static func map(_ value: Value, _ transform: (Double) -> Double) throws(PrometheusError) -> Value {
        switch value {
        case .scalar(let number): return .scalar(transform(number))
        case .vector(let series):
            return .vector(
                try distinct(
                    series.map { PromQLResult.Series(labels: $0.labels.withoutName, values: $0.values.map { $0.map(transform) }) }))
        }
    }

    private static func distinct(_ series: [PromQLResult.Series]) throws(PrometheusError) -> [PromQLResult.Series] {
        guard Set(series.map(\.labels)).count == series.count else {
            throw PrometheusError(
                .execution, "vector cannot contain metrics with the same labelset; select one metric by its name, or aggregate")
        }
        return series
    }
}

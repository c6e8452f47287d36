import Telemetry

@testable import TelemetryStore

/// What an aggregate should answer, worked out value by value.
struct ModelAggregate {
    /// The values of one field in one window, oldest first.
    struct Bin {
        var values: [FieldValue] = []

        var integers: [Int64] { values.compactMap { if case .integer(let value) = $0 { value } else { nil } } }
        var doubles: [Double] { values.compactMap { if case .double(let value) = $0 { value } else { nil } } }
        var numbers: [Double] { values.compactMap(\.number) }
        /// How far a sum may be off: rounding depends on the order in which parts are added.
        var tolerance: Double { numbers.reduce(0) { $0 + $1.magnitude } * 1e-9 }
        var isInteger: Bool { integers.count == numbers.count }
    }

    /// Start of each window, µs.
    private(set) var starts: [Int64] = []
    /// By field as asked, then by window.
    private(set) var bins: [[Bin]] = []

    init(_ model: Model, _ query: AggregateQuery, fields: [String], expiry: Int64) {
        let (step, origin) = (query.step.microseconds, query.origin.microseconds)
        var start = origin + (query.start.microseconds - origin) / step * step
        if start > query.start.microseconds { start -= step }
        while start < query.end.microseconds {
            starts.append(start)
            start += step
        }
        bins = fields.map { field in
            starts.map { start in
                let range = max(start, query.start.microseconds)..<min(start + step, query.end.microseconds)
                let rows = model.rows(query.device, expiry: expiry, in: range)
                return Bin(values: rows.compactMap { $0.fields[field]?.first?.value })
            }
        }
        guard query.fill == .none else { return }
        // A window of which every cell would be absent, or a count of nothing, is left out.
        let functions = query.functions
        let shown = starts.indices.filter { window in
            bins.contains { bins in !bins[window].values.isEmpty && functions.contains { bins[window].isFilled($0) } }
        }
        starts = shown.map { starts[$0] }
        bins = bins.map { bins in shown.map { bins[$0] } }
    }
}

extension FieldValue {
    var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }
}

extension Life {
    func randomAggregate(_ device: String, _ random: inout SeededGenerator) -> AggregateQuery {
        let step = TimeSpan(microseconds: random.pick([500_000, 1_000_000, 7_000_000, 60_000_000, 3_600_000_000]))
        let count = Int64.random(in: 1...40, using: &random)
        let end = clock.now() + TimeSpan(microseconds: Int64.random(in: -3_000_000...3_000_000, using: &random))
        var query = AggregateQuery(device: device, start: end - TimeSpan(microseconds: step.microseconds * count), end: end, step: step)
        query.origin = Timestamp(microseconds: random.pick([0, 0, 1, -250_000, 1_764_000_000_000_000]))
        query.fields = random.pick([nil, nil, ["count"], ["temperature", "status", "count"], ["a", "nothing", "a"]])
        query.functions = AggregateQuery.Function.allCases.filter { _ in random.chance(1, in: 2) }
        if query.functions.isEmpty { query.functions = AggregateQuery.Function.allCases }
        query.fill = random.pick(AggregateQuery.Fill.allCases)
        return query
    }

    func checkAggregate(_ query: AggregateQuery) throws {
        guard let page = try table.aggregate(query) else { throw Disagreement("\(query): unknown device") }
        let expiry = (clock.now() - options.table.ttl).microseconds
        let names = query.fields ?? table.device(query.device)!.fields.map(\.name)
        let expected = ModelAggregate(model, query, fields: names, expiry: expiry)
        let columns = names.flatMap { name in query.functions.map { (name, $0) } }
        try agree(page.columns.map(\.field) == columns.map(\.0), "\(query): columns \(page.columns)")
        try agree(page.columns.map(\.function) == columns.map(\.1), "\(query): columns \(page.columns)")
        try agree(
            page.times.map(\.microseconds) == expected.starts,
            "\(query): windows \(page.times.map(\.microseconds)), expected \(expected.starts)")
        for (field, bins) in expected.bins.enumerated() {
            for (index, function) in query.functions.enumerated() {
                let column = field * query.functions.count + index
                let values = page.times.indices.map { page.cells[$0 * columns.count + column].value(in: page.bytes) }
                do {
                    try check(values, bins, function, query.fill)
                } catch {
                    throw Disagreement("\(query): \(function) of \(names[field]): \(error)")
                }
            }
        }
    }

    private func check(
        _ values: [FieldValue?], _ bins: [ModelAggregate.Bin], _ function: AggregateQuery.Function, _ fill: AggregateQuery.Fill
    ) throws {
        for (window, bin) in bins.enumerated() where bin.isFilled(function) {
            let isRight = values[window].map { bin.admits($0, function) } ?? false
            try agree(isRight, "window \(window) is \(values[window]?.brief ?? "absent") for \(bin.values.map(\.brief))")
        }
        // The empty ones follow from their neighbours, which are right.
        let known = bins.indices.filter { bins[$0].isFilled(function) }
        for window in bins.indices where !bins[window].isFilled(function) {
            let (before, after) = (known.last { $0 < window }, known.first { $0 > window })
            var expected: FieldValue?
            switch fill {
            case .none, .null: break
            case .previous: expected = before.flatMap { values[$0] }
            case .linear:
                guard let before, let after, let low = values[before]?.number, let high = values[after]?.number else { break }
                expected = .double(low + (high - low) * Double(window - before) / Double(after - before))
            }
            let isRight = values[window].map { $0.isNear(expected) } ?? (expected == nil)
            try agree(isRight, "empty window \(window) is \(values[window]?.brief ?? "absent"), expected \(expected?.brief ?? "absent")")
        }
    }
}

extension ModelAggregate.Bin {
    func isFilled(_ function: AggregateQuery.Function) -> Bool {
        switch function {
        case .count: true
        case .first, .last: !values.isEmpty
        case .avg, .min, .max, .sum: !numbers.isEmpty
        }
    }

    /// - Precondition: the bin is filled.
    func admits(_ value: FieldValue, _ function: AggregateQuery.Function) -> Bool {
        switch function {
        case .count: return value == .integer(Int64(values.count))
        case .first: return value.isSame(as: values.first)
        case .last: return value.isSame(as: values.last)
        case .min: return value.isSame(as: extreme(integers.min(), doubles.min(), isLess: true)) || isZero(value, among: doubles.min())
        case .max: return value.isSame(as: extreme(integers.max(), doubles.max(), isLess: false)) || isZero(value, among: doubles.max())
        case .avg:
            guard case .double(let average) = value else { return false }
            if isInteger { return average == Double(integerSum) / Double(numbers.count) }
            return isClose(average, numbers.reduce(0, +) / Double(numbers.count))
        case .sum:
            if isInteger { return value == Int64(exactly: integerSum).map { .integer($0) } ?? .double(Double(integerSum)) }
            guard case .double(let sum) = value else { return false }
            return isClose(sum, numbers.reduce(0, +))
        }
    }

    private var integerSum: Int128 { integers.reduce(0) { $0 + Int128($1) } }

    /// The integer unless the double lies beyond it.
    private func extreme(_ integer: Int64?, _ double: Double?, isLess: Bool) -> FieldValue {
        guard let integer else { return .double(double!) }
        guard let double else { return .integer(integer) }
        // A number lies below a whole one if its floor does.
        let whole = Int128(max(-0x1p64, min(0x1p64, double.rounded(isLess ? .down : .up))))
        return (isLess ? whole < integer : whole > integer) ? .double(double) : .integer(integer)
    }

    /// Of 0 and -0 either is the least.
    private func isZero(_ value: FieldValue, among extreme: Double?) -> Bool {
        if case .double(0) = value { extreme == 0 } else { false }
    }

    private func isClose(_ a: Double, _ b: Double) -> Bool {
        !tolerance.isFinite || numbers.reduce(0, { $0 + $1.magnitude }).isInfinite || (a - b).magnitude <= tolerance + 1e-300 || a == b
    }
}

extension FieldValue {
    /// Equal, or as numbers but for rounding.
    fileprivate func isNear(_ other: FieldValue?) -> Bool {
        if isSame(as: other) { return true }
        guard let a = number, let b = other?.number else { return false }
        return !a.isFinite || !b.isFinite || (a - b).magnitude <= max(a.magnitude, b.magnitude) * 1e-6 + 1e-300
    }
}

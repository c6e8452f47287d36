import Foundation
import HTTPTypes
import Telemetry
import TelemetryStore

/// What `step`, `agg`, `fill` and `align` ask for.
struct Aggregation: Sendable {
    let step: TimeSpan
    let functions: [AggregateQuery.Function]
    let fill: AggregateQuery.Fill
    /// Windows are days of this zone; nil: equally long ones from the epoch on.
    let zone: (name: String, rules: TimeZone)?

    private static let companions = ["agg", "fill", "align"]

    /// Nil without `step`.
    init?(_ parameters: Parameters) throws(Problem) {
        guard let step = try parameters.span("step") else {
            for name in Self.companions where parameters.isGiven(name) {
                throw .invalid(name, "\(name) is for aggregates: it needs step, such as step=1m.")
            }
            return nil
        }
        for name in ["versions"] where parameters.isGiven(name) {
            throw .invalid(name, "\(name) and step exclude each other: aggregates are of newest values.")
        }
        self.step = step
        functions = try parameters.choices("agg") ?? [.avg]
        guard !functions.isEmpty else { throw .invalid("agg", "agg must name a function, such as avg.") }
        fill = try parameters.choice("fill", default: .null)
        zone = try Self.zone(parameters, step: step)
    }

    private static func zone(_ parameters: Parameters, step: TimeSpan) throws(Problem) -> (name: String, rules: TimeZone)? {
        guard let name = try parameters.text("align") else { return nil }
        guard let zone = TimeZone.named(name) else {
            throw .invalid("align", "align must be a time zone by its name in the tz database, such as Europe/Berlin or UTC.")
        }
        guard step.microseconds % TimeSpan.days(1).microseconds == 0 else {
            throw .invalid("align", "align is for windows of whole days: with it step must be such as 1d, 7d or 1w.")
        }
        return (name, zone)
    }

    /// `temp_avg`: the column of a function of a field.
    static func columnName(_ field: String, _ function: AggregateQuery.Function) -> String { "\(field)_\(function.rawValue)" }

    /// True when only numbers can have a value.
    var isOfNumbersOnly: Bool { functions.allSatisfy { [.avg, .min, .max, .sum].contains($0) } }

    /// Of windows of equal length, clamped.
    func windowCount(from start: Timestamp, to end: Timestamp) -> Int {
        guard start < end else { return 0 }
        return StepFit(start: start.microseconds, last: end.microseconds - 1, limit: 1).windowCount(step.microseconds)
    }

    /// The store's question.
    ///
    /// - Parameter fieldCount: columns of the answer before they are multiplied with the functions.
    /// - Throws: 422 for more windows than an answer has.
    func query(device: String, start: Timestamp, end: Timestamp, fieldCount: Int) throws(Problem) -> AggregateQuery {
        var query = AggregateQuery(device: device, start: start, end: end, step: step)
        query.functions = functions
        query.fill = fill
        guard start < end else { return query }
        let columnCount = max(1, fieldCount * functions.count)
        let limit = min(AggregateQuery.windowLimit, max(1, AggregateQuery.cellLimit / columnCount))
        guard let zone else {
            let fit = StepFit(start: start.microseconds, last: end.microseconds - 1, limit: limit)
            guard fit.fits(step.microseconds) else { throw tooMany(fit.windowCount(step.microseconds), limit, smallest: fit.smallestSpan) }
            return query
        }
        let days = try ZoneDays(zone.rules, start: start, end: end)
        let stepDays = step.microseconds / TimeSpan.days(1).microseconds
        let fit = StepFit(start: days.first, last: days.last, limit: limit, origin: ZoneDays.origin)
        guard fit.fits(stepDays) else {
            throw tooMany(fit.windowCount(stepDays), limit, smallest: fit.smallest(unit: 1) * TimeSpan.days(1).microseconds)
        }
        query.edges = days.edges(every: stepDays)
        return query
    }

    private func tooMany(_ count: Int, _ limit: Int, smallest: Int64) -> Problem {
        let smallest = TimeSpan(microseconds: smallest).text
        return Problem(
            .unprocessableContent, "too-many-windows", "Too many windows",
            "step=\(step.text) makes \(count) windows of this range, and an answer has at most \(limit); "
                + "the smallest step that fits is \(smallest).", param: "step")
    }
}

/// How many windows a range has, and which step makes few enough. In any unit; windows begin at multiples of the step behind an origin.
struct StepFit {
    private let start: Int128
    private let last: Int128
    private let limit: Int128
    private let origin: (_ step: Int128) -> Int128

    /// - Parameters:
    ///   - last: closed end, not before `start`.
    ///   - limit: at least 1.
    init(start: Int64, last: Int64, limit: Int, origin: @escaping (_ step: Int128) -> Int128 = { _ in 0 }) {
        self.origin = origin
        self.start = Int128(start)
        self.last = Int128(last)
        self.limit = Int128(limit)
    }

    func windowCount(_ step: Int64) -> Int { Int(clamping: count(Int128(step))) }

    func fits(_ step: Int64) -> Bool { count(Int128(step)) <= limit }

    private func count(_ step: Int128) -> Int128 {
        let origin = origin(step)
        return (last - origin).floorDivided(by: step) - (start - origin).floorDivided(by: step) + 1
    }

    /// In µs: whole seconds, or milliseconds below, or microseconds.
    var smallestSpan: Int64 {
        let least = (last - start) / limit
        return smallest(unit: least >= 1_000_000 ? 1_000_000 : least >= 1_000 ? 1_000 : 1)
    }

    /// The smallest multiple of `unit` that fits.
    func smallest(unit: Int128) -> Int64 {
        let length = last - start + 1
        var factor = max(1, length / limit / unit)
        // Windows that begin before the range may make one more of them: from here on every step fits, so the search ends soon.
        let certain = length / max(1, limit - 1) / unit + 1
        var tries = 0
        while factor < certain, count(factor * unit) > limit, tries < 100_000 { (factor, tries) = (factor + 1, tries + 1) }
        return Int64(clamping: (count(factor * unit) <= limit ? factor : certain) * unit)
    }
}

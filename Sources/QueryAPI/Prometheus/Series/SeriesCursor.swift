import Telemetry
import TelemetryStore

/// The series that a selector takes, one device after the other: tables in their order, devices by id, fields by name.
struct SeriesCursor: Sendable {
    /// Devices that are looked up at once.
    private static let sliceLength = 256
    /// The store goes through the fields asked for with each value.
    private static let askedFieldLimit = 16

    private struct Source: Sendable {
        let table: Table
        let names: MetricNames
        /// Those that the matchers of the metric's name take; nil: all.
        var fields: Set<String>?
        var devices: Devices
    }

    private enum Devices: Sendable {
        case list(ArraySlice<String>)
        case walk(prefix: String, after: String?)
    }

    private let deviceMatchers: [LabelMatcher]
    private var sources: [Source] = []
    private var waiting: ArraySlice<String> = []

    /// - Parameter devicePrefix: of all devices that may be seen.
    init(
        _ selector: SeriesSelector, tables: [Table], devicePrefix: String, _ budget: inout PromQLBudget
    ) throws(PrometheusError) {
        let matchers = Dictionary(grouping: selector.matchers) { $0.label }
        deviceMatchers = matchers["device"] ?? []
        // Labels that no series has are empty ones.
        for matcher in selector.matchers where !SeriesLabels.names.contains(matcher.label) {
            guard try matcher.holds([""], &budget) else { return }
        }
        let devices = Self.devices(deviceMatchers, within: devicePrefix)
        for table in tables {
            guard try Self.fulfils(matchers["table"] ?? [], [table.name], &budget) else { continue }
            let all = table.fieldNames
            let names = MetricNames(fields: all)
            var source = Source(table: table, names: names, fields: nil, devices: devices)
            if let matchers = matchers[LabelMatcher.metricName] {
                var fields: Set<String> = []
                for field in all where try Self.fulfils(matchers, [names[field], field], &budget) { fields.insert(field) }
                guard !fields.isEmpty else { continue }
                source.fields = fields
            }
            sources.append(source)
        }
    }

    private static func fulfils(
        _ matchers: [LabelMatcher], _ values: [String], _ budget: inout PromQLBudget
    ) throws(PrometheusError) -> Bool {
        for matcher in matchers where try !matcher.holds(values, &budget) { return false }
        return true
    }

    /// Those that are worth a look: all matchers are asked of each all the same.
    private static func devices(_ matchers: [LabelMatcher], within prefix: String) -> Devices {
        if let literals = matchers.lazy.compactMap(\.literals).min(by: { $0.count < $1.count }) {
            return .list(Set(literals).filter { $0.utf8.starts(with: prefix.utf8) }.sorted()[...])
        }
        let longest = matchers.map(\.prefix).max { $0.utf8.count < $1.utf8.count } ?? ""
        guard longest.utf8.starts(with: prefix.utf8) else { return .walk(prefix: prefix, after: nil) }
        return .walk(prefix: longest, after: nil)
    }

    /// The series of the next devices; nil when no device is left. Blocking, for a fraction of a millisecond.
    mutating func next(_ budget: inout PromQLBudget) throws(PrometheusError) -> [StoredSeries]? {
        while let source = sources.first {
            if waiting.isEmpty { waiting = nextDevices() }
            guard let device = waiting.popFirst() else {
                sources.removeFirst()
                continue
            }
            guard try Self.fulfils(deviceMatchers, [device], &budget) else {
                // A pattern that takes few devices of a big fleet must come back to its caller, too.
                if waiting.isEmpty { return [] }
                continue
            }
            let series = Self.series(of: device, source)
            try budget.spend(series: series.count)
            return series
        }
        return nil
    }

    private mutating func nextDevices() -> ArraySlice<String> {
        switch sources[0].devices {
        case .list(let list):
            sources[0].devices = .list([])
            return list
        case .walk(let prefix, let after):
            let devices = sources[0].table.devices(prefix: prefix, state: nil, after: after, limit: Self.sliceLength).map(\.id)
            sources[0].devices = .walk(prefix: prefix, after: devices.last ?? after)
            return devices[...]
        }
    }

    private static func series(of device: String, _ source: Source) -> [StoredSeries] {
        let asked = source.fields.flatMap { $0.count <= askedFieldLimit ? Array($0) : nil }
        guard let latest = source.table.latest(device: device, fields: asked) else { return [] }
        return latest.entries.compactMap { entry in
            guard source.fields?.contains(entry.field) ?? true, let value = entry.cell.sample else { return nil }
            let labels = SeriesLabels(name: source.names[entry.field], device: device, table: source.table.name)
            return StoredSeries(
                table: source.table, device: device, field: entry.field, labels: labels, isBoolean: entry.cell.type == .boolean,
                newest: (entry.time, value))
        }
    }
}

import HTTPTypes
import Hummingbird
import Telemetry
import TelemetryStore

/// What there is to query: `/prom/api/v1/{labels,label/{name}/values,series,metadata,status/buildinfo}`.
extension API {
    func prometheusLabels(_ request: APIRequest) async throws -> Response {
        await prometheus(request) { form throws in
            try await answer(form, request, { $0.names }) { $0.string($1) }
        }
    }

    func prometheusLabelValues(_ request: APIRequest) async throws -> Response {
        await prometheus(request) { form throws in
            let label = request.captures[0]
            return try await answer(form, request, { labels in labels[label].map { [$0] } ?? [] }) { $0.string($1) }
        }
    }

    func prometheusSeries(_ request: APIRequest) async throws -> Response {
        await prometheus(request) { form throws in
            guard !form.list("match[]").isEmpty else {
                throw PrometheusError.parameter("match[]", "no match[] parameter provided")
            }
            return try await answer(form, request, { [$0] }) { $0.labels($1) }
        }
    }

    /// Fields have no units and no descriptions; what they were called is told where the metric is called otherwise.
    func prometheusMetadata(_ request: APIRequest) async throws -> Response {
        await prometheus(request) { form throws in
            let metric = try form.text("metric")
            let limit = try form.limit() ?? .max
            let tables = try await readers.perform { [store] in store.tables.map(\.fieldNames) }
            var fields: [String: Set<String>] = [:]
            for names in tables {
                let metrics = MetricNames(fields: names)
                for name in names where metric == nil || metric == metrics[name] { fields[metrics[name], default: []].insert(name) }
            }
            return prometheusData { json in
                json.object { json in
                    for (name, names) in fields.sorted(by: { $0.key < $1.key }).prefix(limit) {
                        json.key(name)
                        json.array { json in names.sorted().forEach { json.metadata(ofField: $0, metric: name) } }
                    }
                }
            }
        }
    }

    /// The version tells clients which parameters are known: those of Prometheus 2.42.
    func prometheusBuildInformation(_ request: APIRequest) async throws -> Response {
        prometheusData { json in
            json.object { json in json.member("version", "2.42.0-gaugehouse-\(options.version)") }
        }
    }

    /// - Parameter part: what of a series is listed.
    private func answer<Element: Comparable & Hashable & Sendable>(
        _ form: PrometheusForm, _ request: APIRequest, _ part: @escaping @Sendable (SeriesLabels) -> [Element],
        _ write: (inout JSONWriter, Element) -> Void
    ) async throws -> Response {
        let limit = try form.limit() ?? .max
        let guarded = try await readers.perform { [store] in
            Guarded(try SeriesListing(form, tables: store.tables, devicePrefix: request.access.prefix, part))
        }
        let elements = try await prometheusSlices(form, request) { deadline in try guarded.withLock { try $0.advance(until: deadline) } }
        let warnings = elements.count > limit ? ["results truncated due to limit"] : []
        return prometheusData(warnings: warnings) { json in
            json.array { json in elements.prefix(limit).forEach { write(&json, $0) } }
        }
    }

    private func prometheusData(warnings: [String] = [], _ data: (inout JSONWriter) -> Void) -> Response {
        json { json in
            json.member("status", "success")
            json.key("data")
            data(&json)
            guard !warnings.isEmpty else { return }
            json.key("warnings")
            json.array { json in warnings.forEach { json.string($0) } }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func metadata(ofField field: String, metric: String) {
        object { json in
            json.member("type", "unknown")
            json.member("help", field == metric ? "" : "Field \(field)")
            json.member("unit", "")
        }
    }
}

extension SeriesLabels {
    /// Of the labels that are there.
    fileprivate var names: [String] { Self.names.filter { self[$0] != nil } }

    fileprivate subscript(label: String) -> String? {
        switch label {
        case LabelMatcher.metricName: name
        case "device": device
        case "table": table
        default: nil
        }
    }
}

/// `match[]` of one request: each selector has patterns and names of its own in memory.
private let selectorLimit = 16

/// Something of each series that fulfils one of the selectors, each once.
private struct SeriesListing<Element: Comparable & Hashable & Sendable>: Sendable {
    private var cursors: [SeriesCursor] = []
    private var budget = PromQLBudget(seriesLimit: .max)
    private var elements: Set<Element> = []
    private let start: Timestamp
    private let part: @Sendable (SeriesLabels) -> [Element]

    /// Series whose newest sample is older than `start` are left out; `end` is not asked, as that would take a look at the data.
    init(
        _ form: PrometheusForm, tables: [Table], devicePrefix: String, _ part: @escaping @Sendable (SeriesLabels) -> [Element]
    ) throws(PrometheusError) {
        self.part = part
        start = try form.time("start") ?? .distantPast
        _ = try form.time("end")
        var selectors: [SeriesSelector] = []
        let texts = form.list("match[]")
        guard texts.count <= selectorLimit else { throw .parameter("match[]", "match[] may be given at most \(selectorLimit) times") }
        for text in texts { selectors.append(try PromQLParser.parseSelector(text)) }
        if selectors.isEmpty { selectors = [SeriesSelector(matchers: [])] }
        for selector in selectors {
            cursors.append(try SeriesCursor(selector, tables: tables, devicePrefix: devicePrefix, &budget))
        }
    }

    mutating func advance(until deadline: ContinuousClock.Instant) throws(PrometheusError) -> [Element]? {
        while !cursors.isEmpty {
            guard ContinuousClock.now < deadline else { return nil }
            guard let device = try cursors[0].next(&budget) else {
                cursors.removeFirst()
                continue
            }
            for series in device where series.newest.time >= start {
                for element in part(series.labels) where elements.insert(element).inserted { try budget.spend(values: 1) }
            }
        }
        return elements.sorted()
    }
}

import Hummingbird
import NIOCore
import Telemetry
import TelemetryStore

/// The routes and what they share. Handlers live in extensions, one file a family.
struct API: Sendable {
    let options: QueryOptions
    let store: TelemetryStore
    let sources: QuerySources
    let clock: any WallClock
    let readers: BlockingPool
    let writers: BlockingPool
    /// For whoever creates, deletes, pauses, resumes or restarts a delivery.
    let deliveryChanges: BlockingPool
    let sampler: RateSampler
    let liveClients: LiveClients
    let requestMetrics = RequestMetrics()
    let connections: ConnectionRegister
    let bodies: BodyBudget
    let gatekeeper: Gatekeeper

    /// A change may wait for seconds, for a task to end what it writes.
    private static let changeThreadCount = 2
    private static let changeQueueLimit = 32

    init(options: QueryOptions, store: TelemetryStore, sources: QuerySources, clock: any WallClock) {
        self.options = options
        self.store = store
        self.sources = sources
        self.clock = clock
        connections = ConnectionRegister(limit: options.connectionLimit + options.liveClientLimit)
        bodies = BodyBudget(limit: options.bodyBudget)
        gatekeeper = Gatekeeper(security: options.security, clock: clock)
        readers = BlockingPool(threadCount: options.readThreadCount, queueLimit: options.queueLimit)
        writers = BlockingPool(threadCount: options.writeThreadCount, queueLimit: options.queueLimit)
        deliveryChanges = BlockingPool(threadCount: Self.changeThreadCount, queueLimit: min(Self.changeQueueLimit, options.queueLimit))
        liveClients = LiveClients(limit: options.liveClientLimit) { store.liveEnd }
        sampler = RateSampler {
            RateSampler.Counts(messages: sources.ingest()?.messages ?? 0, readings: store.statistics.readings)
        }
    }

    var routes: [Route] {
        let page = ["limit", "page_token"]
        return [
            Route(.get, "/ping", needs: .open, taking: ["wait_for_leader", "verbose"], ping),
            Route(.get, "/-/healthy", needs: .open, healthy),
            Route(.get, "/-/ready", needs: .open, ready),
            Route(.get, "/metrics", needs: .readAll, metrics),
            Route(.get, "/openapi.yaml", needs: .open, openAPI),
            Route(.get, "/api/v1/tables", needs: .read, taking: ["time"], tables),
            Route(.get, "/api/v1/devices", needs: .read, taking: ["table", "prefix", "state", "sort", "time"] + page, devices),
            Route(.get, "/api/v1/devices/{id}", needs: .read, taking: ["table", "time"], device),
            Route(
                .get, "/api/v1/devices/{id}/latest", needs: .read, taking: ["table", "fields", "time"], promptly: latestOfDevice,
                { try latestOfDevice($0).response }),
            Route(
                .get, "/api/v1/devices/{id}/range", needs: .read,
                taking: [
                    "table", "start", "end", "fields", "order", "step", "agg", "fill", "align", "versions", "format", "shape", "time",
                ] + page, promptly: rangeInMemory, range),
            Route(.get, "/api/v1/latest", needs: .read, taking: ["table", "devices", "prefix", "fields", "time"] + page, latest),
            Route(.post, "/api/v1/latest", needs: .read, taking: ["table", "fields", "time"] + page, latestOfList),
            Route(.post, "/api/v1/query", needs: .read, query),
            Route(.get, "/api/v1/live", needs: .read, taking: ["table", "devices", "prefix", "fields", "max_hz", "time"], live),
            Route(.get, "/api/v1/partitions", needs: .readAll, taking: ["table", "state", "time"], partitions),
            Route(.get, "/api/v1/stats", needs: .readAll, statistics),
            Route(.get, "/api/v1/config", needs: .admin, configuration),
            Route(.post, "/api/v1/write", needs: .write, taking: ["table", "precision"], write),
            Route(
                .post, "/write", needs: .write, taking: ["db", "rp", "precision", "consistency", "u", "p"], errors: .influx, influxWrite),
            Route(.post, "/api/v2/write", needs: .write, taking: ["bucket", "org", "orgID", "precision"], errors: .influx, influxWrite),
            Route(.get, "/api/v1/dead-letters", needs: .readAll, taking: ["reason", "limit", "time"], deadLetters),
        ] + deliveryRoutes + prometheusRoutes + Self.dashboardRoutes
    }

    func limit(of request: APIRequest) throws(Problem) -> Int {
        try request.parameters.integer("limit", in: 1...RowLayout.pageLimit, default: 1_000)
    }

    func timeFormat(of request: APIRequest) throws(Problem) -> TimeFormat {
        try request.parameters.choice("time", default: .milliseconds)
    }

    /// The table that `table` names, or the default one.
    func table(of request: APIRequest) throws(Problem) -> Table { try table(of: request.parameters) }

    func table(of parameters: Parameters) throws(Problem) -> Table {
        guard let name = try parameters.text("table") else { return store.tables[0] }
        guard let table = store.table(named: name) else {
            throw .notFound("There is no table \(name); /api/v1/tables lists them.", param: "table")
        }
        return table
    }

    /// The wanted fields in their order; nil: all.
    func fields(of parameters: Parameters, in table: Table) throws(Problem) -> [String]? {
        guard let fields = try parameters.list("fields") else { return nil }
        guard fields.count <= Limits.fieldsPerReading else {
            throw .invalid("fields", "fields may name at most \(Limits.fieldsPerReading) fields.")
        }
        guard Set(fields).count == fields.count else { throw .invalid("fields", "fields must name each field once.") }
        if let unknown = fields.first(where: { !table.hasField($0) }) {
            throw .invalid("fields", "Table \(table.name) has no field \(unknown); fields must be names that /api/v1/tables lists.")
        }
        return fields
    }

    /// Where the page starts; nil without a token.
    func cursor(of parameters: Parameters, query: QueryHash) throws(Problem) -> PageToken.Cursor? {
        guard let text = try parameters.text("page_token") else { return nil }
        guard let cursor = PageToken.decode(text, query: query) else { throw Self.foreignToken }
        return cursor
    }

    static let foreignToken = Problem.invalid("page_token", "page_token must be the next_page_token of an answer to the same query.")

    /// The device in the path. One outside the token's prefix is as unknown as one that does not exist.
    func device(of request: APIRequest, in table: Table) throws(Problem) -> String {
        let id = request.captures[0]
        guard request.access.allows(device: id) else { throw Self.unknownDevice(id, in: table) }
        return id
    }

    static func unknownDevice(_ id: String, in table: Table) -> Problem {
        .notFound("Table \(table.name) has no device \(id); /api/v1/devices lists them.", param: "id")
    }

    /// Bytes of a body that are parsed where it came in: less than a millisecond.
    private static let inlineBodyByteCount = 64 << 10

    /// Parses a body: a long one on a reader thread, so that no connection of its event loop waits for it.
    func parsing<Value: Sendable>(_ body: ByteBuffer, _ parse: @escaping @Sendable (ByteBuffer) throws -> Value) async throws -> Value {
        guard body.readableBytes > Self.inlineBodyByteCount else { return try parse(body) }
        return try await readers.perform { try parse(body) }
    }

    /// A small answer, made in one go.
    func json(headers: HTTPFields = [:], _ body: (inout JSONWriter) throws -> Void) rethrows -> Response {
        try wholeJSON(headers: headers, body).response
    }

    func wholeJSON(headers: HTTPFields = [:], _ body: (inout JSONWriter) throws -> Void) rethrows -> WholeAnswer {
        var json = JSONWriter()
        try json.object(body)
        json.endLine()
        return WholeAnswer(contentType: AnswerFormat.json.contentType, headers: headers, bytes: json.bytes)
    }
}

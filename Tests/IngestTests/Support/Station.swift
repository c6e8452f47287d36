import Ingest
import Logging
import Synchronization
import Telemetry
import TelemetryStore

/// A store in a directory of its own and the ingest in front of it, as the gateway wires them.
final class Station {
    let directory: TemporaryDirectory
    let store: TelemetryStore
    let log = CollectedLog()
    private(set) var ingest: MQTTIngest?
    var options = MQTTOptions()
    var subscription = SubscriptionOptions(filter: "devices/+/telemetry", topic: "devices/{device}/telemetry", table: "telemetry")
    /// Further subscriptions at the same broker, and further brokers.
    var furtherSubscriptions: [SubscriptionOptions] = []
    var furtherBrokers: [MQTTBroker] = []
    var awaitMemory: (@Sendable () throws(StoreError) -> Void)?
    var brokers: [MQTTBroker] { [MQTTBroker(options: options, subscriptions: [subscription] + furtherSubscriptions)] + furtherBrokers }

    init(port: Int, limits: TableLimits = TableLimits()) throws {
        directory = try TemporaryDirectory()
        var table = TableOptions(name: "telemetry")
        table.limits = limits
        store = try TelemetryStore.open(
            options: StoreOptions(path: directory.file("store")), tables: [table, TableOptions(name: "weather")])
        options.port = port
    }

    deinit {
        ingest?.stop()
        try? store.close()
    }

    /// - Parameter commit: stands before the store's commit of readings, to fail, to wait, or to die behind it.
    func start(
        onFatal: @escaping @Sendable (StoreError) -> Void = { _ in },
        commit: (@Sendable (inout ReadingBatch, [CommitNote]) throws(StoreError) -> CommitReceipt)? = nil,
        before: (MQTTIngest) throws -> Void = { _ in }
    ) throws {
        var path = CommitPath(store)
        if let awaitMemory { path.awaitMemory = awaitMemory }
        let commitToStore = path.commit
        if let commit {
            path.commit = { (batch, notes) throws(StoreError) in
                try batch.isEmpty ? commitToStore(&batch, notes) : commit(&batch, notes)
            }
        }
        let logger = Logger(label: "test") { [log] _ in log }
        let ingest = try MQTTIngest(
            brokers: brokers, path: path, deadLetters: DeadLetterFile(path: directory.file("dead-letters")), logger: logger,
            onFatal: onFatal)
        self.ingest = ingest
        try before(ingest)
        ingest.start()
    }

    /// Takes what was changed over while running.
    func reload() throws { try ingest?.reload(brokers) }

    func stop() {
        ingest?.stop()
        ingest = nil
    }

    var statistics: IngestStatistics { ingest?.statistics ?? .init() }
    var rowCount: Int { store.tables[0].summary().rowCount }

    func isConnected() async -> Bool { await eventually { statistics.isConnected } }
}

/// Keeps what is logged.
final class CollectedLog: LogHandler, Sendable {
    private let state = Mutex<(lines: [String], metadata: Logger.Metadata)>(([], [:]))

    var lines: [String] { state.withLock { $0.lines } }

    func log(event: LogEvent) { state.withLock { $0.lines.append("\(event.level): \(event.message)") } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { state.withLock { $0.metadata[key] } }
        set { state.withLock { $0.metadata[key] = newValue } }
    }

    var metadata: Logger.Metadata {
        get { state.withLock { $0.metadata } }
        set { state.withLock { $0.metadata = newValue } }
    }

    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
}

/// The clock's time in epoch milliseconds, so that readings lie inside the table's window.
func nowMilliseconds() -> Int { Int(SystemClock().now().microseconds / 1_000) }

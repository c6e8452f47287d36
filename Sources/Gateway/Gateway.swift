import Delivery
import Ingest
import Logging
import QueryAPI
import ServiceLifecycle
import Telemetry
import TelemetryStore
import UnixSignals

/// The whole appliance: opens the store, starts every part around it, stops them in order.
///
/// MQTT stops first, so that nothing comes in that would not be acked; the store last, when nobody writes any more.
package struct Gateway: Sendable {
    private let configuration: GatewayConfiguration
    private let clock: any WallClock
    private let notify: NotifySocket
    private let logger: Logger
    private let loadAgain: ReloadService.Load?

    /// A part that does not stop by then is left behind; the unit's TimeoutStopSec is a little more.
    private static let stopLimit = Duration.seconds(50)

    /// - Parameter loadAgain: reads the configuration again when SIGHUP asks for it; nil: SIGHUP is not listened to.
    package init(
        configuration: GatewayConfiguration, clock: any WallClock = SystemClock(), notify: NotifySocket = NotifySocket(environment: [:]),
        logger: Logger, loadAgain: (@Sendable () throws(ConfigurationError) -> GatewayConfiguration)? = nil
    ) {
        self.loadAgain = loadAgain
        self.configuration = configuration
        self.clock = clock
        self.notify = notify
        self.logger = logger
    }

    /// Runs until a signal or the task's cancellation asks it to stop.
    ///
    /// - Parameter onListening: called once with the HTTP port, when requests are answered.
    /// - Throws: `GatewayError`: why it did not start, or did not stay.
    package func run(
        signals: [UnixSignal] = [.sigterm, .sigint], onListening: @escaping @Sendable (_ port: Int) -> Void = { _ in }
    ) async throws {
        StartReport(configuration: configuration, openFileLimit: OpenFiles.raiseLimit()).log(to: logger)
        let setup = try DeliverySetup(configuration, logger: logger)
        let store = try await openStore(setup.tables(of: configuration))
        let services: [any Service]
        do {
            services = try parts(of: store, setup, onListening: onListening)
        } catch {
            try await onThread(named: "store-close") { try store.close() }
            throw error
        }
        var group = ServiceGroupConfiguration(
            services: services.map { .init(service: $0, failureTerminationBehavior: .gracefullyShutdownGroup) },
            gracefulShutdownSignals: signals, logger: quietLogger)
        group.maximumGracefulShutdownDuration = Self.stopLimit
        do {
            try await ServiceGroup(configuration: group).run()
        } catch let error as GatewayError {
            throw error
        } catch is CancellationError {
            // Whoever runs the gateway ended it so.
        } catch {
            throw GatewayError("the gateway stopped: \(error)", .software)
        }
        logger.notice("stopped")
    }

    private func openStore(_ tables: [TableOptions]) async throws -> TelemetryStore {
        var options = configuration.store
        options.earliestClock = Version.released
        let start = ContinuousClock.now
        let store = try await onThread(named: "store-open") { [options, clock, tables] in
            do throws(StoreError) {
                return try TelemetryStore.open(options: options, tables: tables, clock: clock)
            } catch {
                throw GatewayError("cannot open the store \(options.path)", error)
            }
        }
        let milliseconds = Int((ContinuousClock.now - start) / .milliseconds(1))
        logger.info("store \(options.path) is open at sequence \(store.sequence), in \(milliseconds) ms")
        return store
    }

    /// In the order of starting; they stop in the reverse order.
    private func parts(
        of store: TelemetryStore, _ setup: DeliverySetup, onListening: @escaping @Sendable (Int) -> Void
    ) throws -> [any Service] {
        let ingest = try makeIngest(store)
        let deliveries = Deliveries(
            store: store, definitions: setup.definitions, misfits: setup.misfits, documents: setup.documents, clock: clock, logger: logger)
        let maintenance = MaintenanceService(store: store, ingest: ingest, notify: notify, logger: logger)
        let health = Health(store: store, maintenance: maintenance, ingest: ingest)
        let security = ServerSecurity(
            tokens: configuration.http.tokens, tls: configuration.http.tls, audit: AuditLog(logger: logger, clock: clock))
        let reload = ReloadService(
            configuration: configuration, loadAgain: loadAgain, store: store, ingest: ingest, security: security, notify: notify,
            logger: logger)
        let ingestService = ingest.map(IngestService.init)
        let server = HTTPService(
            address: configuration.http, security: security, store: store,
            sources: QuerySources(
                health: health, ingest: ingest, deliveries: deliveries, documents: DeliveryDocument(configuration), reload: reload,
                deadLetterPath: configuration.deadLetters.path),
            clock: clock, logger: logger
        ) { [notify] port in
            ingestService?.start()
            notify.ready()
            onListening(port)
        }
        var services: [any Service] = [StoreService(store: store), maintenance]
        services.append(DeliveryService(deliveries: deliveries))
        services.append(reload)
        services.append(server)
        if let ingestService { services.append(ingestService) }
        return services
    }

    private func makeIngest(_ store: TelemetryStore) throws -> MQTTIngest? {
        // Without a broker there may be one after a reload.
        if configuration.brokers.isEmpty, loadAgain == nil { return nil }
        let letters = configuration.deadLetters
        do {
            return try MQTTIngest(
                brokers: configuration.brokers(commitInterval: configuration.store.commitInterval), store: store, clock: clock,
                deadLetters: DeadLetterFile(
                    path: letters.path, byteLimit: letters.maxByteCount, fileLimit: letters.fileCount, clock: clock),
                logger: logger,
                onFatal: { [logger] in logger.critical("the store has failed, nothing is acked any more: \($0.detail)") })
        } catch {
            throw GatewayError("[[mqtt.subscription]] \(error.filter): \(error.description)", .configuration)
        }
    }

    /// The service group tells of every step of its own; only what goes wrong is news.
    private var quietLogger: Logger {
        var logger = logger
        logger.logLevel = max(logger.logLevel, .error)
        return logger
    }
}

import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
import Telemetry
import TelemetryStore

/// The HTTP API as a service: listens when run, finishes the requests in hand when asked to stop.
package struct QueryServer: Service {
    /// As the header `Server` has it.
    static let name = "gaugehouse"

    private let options: QueryOptions
    private let api: API
    private let onListening: @Sendable (_ port: Int) -> Void
    private let logger: Logger

    /// - Parameters:
    ///   - clock: what `now` means in time parameters; the store's own clock.
    ///   - onListening: called once, with the bound port, when connections are accepted.
    package init(
        options: QueryOptions, store: TelemetryStore, sources: QuerySources, clock: any WallClock = SystemClock(), logger: Logger,
        onListening: @escaping @Sendable (_ port: Int) -> Void = { _ in }
    ) {
        self.options = options
        self.logger = logger
        self.onListening = onListening
        api = API(options: options, store: store, sources: sources, clock: clock)
    }

    /// Every route with what it asks of whoever comes.
    package var admissions: [(route: String, path: String, admission: Admission)] {
        api.routes.map { ("\($0.method.rawValue) \($0.pattern)", $0.pattern, $0.admission) }
    }

    /// - Throws: `IOError` when the address cannot be bound.
    package func run() async throws { try await application().run() }

    /// The server, its threads and its sampler. Made once; tests run it in place of `run`.
    package func application() -> Application<QueryResponder> {
        let onListening = onListening
        let (channel, security) = (channelConfiguration, options.security)
        let responder = QueryResponder(
            table: RouteTable(routes: api.routes), gatekeeper: api.gatekeeper,
            crossOrigin: CrossOrigin(origins: Set(options.corsOrigins), isLoopback: options.isLoopback),
            metrics: api.requestMetrics, requestIDs: RequestIDs(), bodies: api.bodies, packers: api.readers, logger: logger)
        var application = Application(
            responder: responder,
            server: HTTPServerBuilder { respond in
                LoopChannel(
                    base: GuardedChannel(
                        http: HTTP1Channel(responder: respond, configuration: channel), security: security, responder: responder))
            },
            configuration: ApplicationConfiguration(
                address: .hostname(options.host, port: options.port), serverName: Self.name),
            services: [api.readers, api.writers, api.deliveryChanges, api.sampler, api.liveClients],
            onServerRunning: { channel in onListening(channel.localAddress?.port ?? 0) },
            logger: logger)
        application.beforeServerStarts { [api] in
            api.readers.start()
            api.writers.start()
            api.deliveryChanges.start()
        }
        return application
    }

    private var channelConfiguration: HTTP1Channel.Configuration {
        let limits = RequestGuard.Limits(
            interval: TimeAmount(options.progressDuration), byteCount: options.progressByteCount,
            linger: TimeAmount(options.lingerDuration))
        let byteLimit = QueryOptions.headerByteLimit
        return HTTP1Channel.Configuration(
            additionalChannelHandlers: [
                PeerWatch(), ContinueHandler(bodyByteLimit: options.bodyByteLimit),
                RequestGuard(limits: limits, register: api.connections),
            ],
            idleTimeout: TimeAmount(options.idleDuration),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: byteLimit, maxHeaderListSize: byteLimit, maxHeaderFieldCount: QueryOptions.headerCountLimit))
    }
}

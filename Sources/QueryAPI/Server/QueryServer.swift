import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
import Telemetry
import TelemetryStore

/// The HTTP API as a service: listens when run, finishes the requests in hand when asked to stop.
package struct QueryServer: Service {
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

    /// - Throws: `IOError` when the address cannot be bound.
    package func run() async throws { try await application().run() }

    /// The server, its threads and its sampler. Made once; tests run it in place of `run`.
    package func application() -> Application<QueryResponder> {
        let onListening = onListening
        let channel = HTTP1Channel.Configuration(
            additionalChannelHandlers: [PeerWatch(), ContinueHandler(bodyByteLimit: options.bodyByteLimit)],
            idleTimeout: .seconds(Int64(options.idleSeconds)),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: options.headerByteLimit, maxHeaderListSize: options.headerByteLimit, maxHeaderFieldCount: 100))
        var application = Application(
            responder: QueryResponder(
                table: RouteTable(routes: api.routes), metrics: api.requestMetrics, requestIDs: RequestIDs(), packers: api.readers),
            server: HTTPServerBuilder { responder in
                LoopChannel(base: HTTP1Channel(responder: responder, configuration: channel))
            },
            configuration: ApplicationConfiguration(
                address: .hostname(options.host, port: options.port), serverName: "gaugehouse",
                availableConnectionsDelegate: .maximum(options.connectionLimit + options.liveClientLimit, logger: logger)),
            services: [api.readers, api.writers, api.sampler, api.liveClients],
            onServerRunning: { channel in onListening(channel.localAddress?.port ?? 0) },
            logger: logger)
        application.beforeServerStarts { [api] in
            api.readers.start()
            api.writers.start()
        }
        return application
    }
}

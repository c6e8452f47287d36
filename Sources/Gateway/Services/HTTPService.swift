import Foundation
import Logging
import NIOCore
import QueryAPI
import ServiceLifecycle
import Synchronization
import Telemetry
import TelemetryStore

/// The HTTP server, with an error that names the address when it cannot listen there.
struct HTTPService: Service {
    let address: HTTPConfiguration
    let server: QueryServer

    init(
        address: HTTPConfiguration, security: ServerSecurity, store: TelemetryStore, sources: QuerySources, clock: any WallClock,
        logger: Logger,
        onListening: @escaping @Sendable (Int) -> Void
    ) {
        self.address = address
        var options = QueryOptions()
        (options.host, options.port) = (address.host, address.port)
        options.lines = address.lines
        (options.security, options.corsOrigins) = (security, address.corsOrigins)
        options.connectionLimit = address.connectionLimit
        options.liveClientLimit = address.liveClients
        options.version = Version.number
        options.dataPath = store.options.path
        // That it listens is said below, with the address as a person would write it.
        var serverLogger = logger
        serverLogger.logLevel = max(logger.logLevel, .notice)
        server = QueryServer(options: options, store: store, sources: sources, clock: clock, logger: serverLogger) { port in
            logger.notice("listening at \(address.tls == nil ? "http" : "https")://\(address.host):\(port)")
            onListening(port)
        }
    }

    func run() async throws {
        do {
            try await server.run()
        } catch let error as IOError {
            throw GatewayError("cannot listen at \(address.host):\(address.port): \(reason(error))", .unavailable)
        }
    }

    private func reason(_ error: IOError) -> String {
        switch error.errnoCode {
        case EADDRINUSE: "the port is in use by another process; stop that, or set http.listen"
        case EACCES: "ports below 1024 need a privilege; set http.listen"
        case EADDRNOTAVAIL: "this machine has no such address; set http.listen"
        default: SystemError.text(error.errnoCode)
        }
    }
}

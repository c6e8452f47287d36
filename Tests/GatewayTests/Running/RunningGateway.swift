import Foundation
import Gateway
import Logging
import ServiceLifecycle
import Synchronization
import Telemetry
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A gateway in this process, in a directory of its own, for one test.
struct RunningGateway: Sendable {
    let port: Int

    struct Answer {
        let status: Int
        let body: String
    }

    func get(_ path: String) async throws -> Answer { try await send(path, nil) }
    func post(_ path: String, _ json: String) async throws -> Answer { try await send(path, json) }

    private func send(_ path: String, _ json: String?) async throws -> Answer {
        var request = URLRequest(url: try #require(URL(string: "http://127.0.0.1:\(port)\(path)")))
        if let json {
            request.httpMethod = "POST"
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
            request.httpBody = Data(json.utf8)
        }
        let (data, response) = try await URLSession.shared.data(for: request)
        return Answer(status: (response as? HTTPURLResponse)?.statusCode ?? 0, body: String(decoding: data, as: UTF8.self))
    }

    /// Starts a gateway below `directory`, runs `body` beside it, and stops it gracefully.
    ///
    /// - Throws: what the gateway throws, else what `body` throws.
    static func run(
        in directory: TemporaryDirectory, toml: String = "", flags: [String] = [], clock: any WallClock = SystemClock(),
        _ body: @escaping @Sendable (RunningGateway) async throws -> Void
    ) async throws {
        let defaults = ["store.path=\(directory.path)/store", "dead_letters.path=\(directory.path)/dead", "http.listen=127.0.0.1:0"]
        let configuration = try GatewayConfiguration.parse(toml, file: "test", flags: defaults + flags)
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        let gateway = Gateway(configuration: configuration, clock: clock, logger: logger)
        let service = Running(gateway: gateway) { continuation.yield($0) }
        let group = ServiceGroup(
            configuration: .init(services: [.init(service: service, successTerminationBehavior: .ignore)], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { continuation.finish() }
                try await group.run()
            }
            var port: Int?
            for await found in ports {
                port = found
                break
            }
            var failure: (any Error)?
            if let port {
                do { try await body(RunningGateway(port: port)) } catch { failure = error }
                await group.triggerGracefulShutdown()
            }
            try await tasks.waitForAll()
            if let failure { throw failure }
        }
    }

    private struct Running: Service {
        let gateway: Gateway
        let onListening: @Sendable (Int) -> Void
        func run() async throws { try await gateway.run(signals: [], onListening: onListening) }
    }
}

/// Removed with everything in it when the last reference goes.
final class TemporaryDirectory: Sendable {
    let path = FileManager.default.temporaryDirectory.appending(path: "gateway-\(UUID().uuidString)").path

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

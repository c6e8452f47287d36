import ArgumentParser
import Foundation
import Gateway
import Logging

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the gateway until it is told to stop.",
        discussion: "SIGTERM or SIGINT: commit and ack what is in hand, finish, exit 0. SIGHUP: read the configuration again.")

    @OptionGroup var flags: ConfigurationFlags

    func run() async throws {
        // A peer that closes is an error of the write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        try await reporting {
            let configuration = try flags.load()
            let environment = ProcessInfo.processInfo.environment
            let handler = ConsoleLogHandler(level: Logger.Level(rawValue: configuration.logLevel) ?? .info, environment: environment)
            let gateway = Gateway(
                configuration: configuration, notify: NotifySocket(environment: environment),
                logger: Logger(label: "gaugehouse") { _ in handler }
            ) { [flags] () throws(ConfigurationError) in try flags.load() }
            try await gateway.run()
        }
    }
}

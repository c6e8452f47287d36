import ArgumentParser
import Foundation
import Gateway

/// Where the configuration comes from, for the verbs that need it.
struct ConfigurationFlags: ParsableArguments {
    @Option(name: .customLong("config"), help: "Configuration file.")
    var file = "/etc/gaugehouse/gaugehouse.toml"

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Overrides an option; may be repeated.", valueName: "section.key=value"))
    var overrides: [String] = []

    func load() throws(ConfigurationError) -> GatewayConfiguration {
        try GatewayConfiguration.load(file: file, environment: ProcessInfo.processInfo.environment, flags: overrides)
    }
}

/// Runs a verb, and turns what can go wrong into lines on standard error and an exit code.
func reporting(_ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let error as ConfigurationError {
        fail(error.description, .configuration)
    } catch let error as GatewayError {
        fail("gaugehouse: \(error.description)", error.exitCode)
    }
}

func fail(_ message: String, _ code: SystemExitCode) -> Never {
    FileHandle.standardError.write(Data("\(message)\n".utf8))
    exit(code.rawValue)
}

/// Tells something beside the answer, on standard error.
func note(_ text: String) { FileHandle.standardError.write(Data("gaugehouse: \(text)\n".utf8)) }

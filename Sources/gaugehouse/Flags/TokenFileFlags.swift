import ArgumentParser
import Foundation
import Gateway
import QueryAPI

/// Which file of tokens a verb works on.
struct TokenFileFlags: ParsableArguments {
    @Option(name: .customLong("file"), help: "File of tokens; http.token_file of the configuration when absent.")
    var path: String?

    @OptionGroup var configuration: ConfigurationFlags

    func file() throws -> TokenFile {
        if let path { return TokenFile(path: path) }
        let configured = try GatewayConfiguration.tokenFile(
            file: configuration.file, environment: ProcessInfo.processInfo.environment, flags: configuration.overrides)
        guard let configured else {
            throw GatewayError("no file of tokens: set http.token_file in \(configuration.file), or give --file", .configuration)
        }
        return TokenFile(path: configured)
    }

    /// Runs `body`, and turns what it throws into an error with an exit code.
    static func reporting<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as TokenFile.Failure {
            throw GatewayError(error.description, error.exitCode)
        } catch let error as Token.Malformed {
            throw GatewayError(error.reason, .usage)
        }
    }

    /// What a change needs to take effect; on standard error, so that it does not mix with a token.
    static func remark(_ text: String) {
        FileHandle.standardError.write(Data("\(text)\nA running gateway takes it over on SIGHUP: systemctl reload gaugehouse\n".utf8))
    }
}

extension Access.Scope: ExpressibleByArgument {}

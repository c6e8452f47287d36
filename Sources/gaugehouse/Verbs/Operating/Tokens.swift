import ArgumentParser
import Foundation
import Gateway
import QueryAPI
import Telemetry

struct Tokens: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Make, show and revoke the tokens that let clients in over HTTP.",
        subcommands: [Create.self, List.self, Revoke.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show the tokens: what each may, not what it is, which nobody knows.")

        @OptionGroup var flags: TokenFileFlags

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            try await reporting {
                let tokens = try TokenFileFlags.reporting { try flags.file().read().tokens }
                try writeOutput(json ? JSONValue.array(tokens.map(Self.value)).json : table(tokens))
            }
        }

        private func table(_ tokens: [Token]) -> String {
            let now = SystemClock().now()
            let rows = tokens.map { token in
                [
                    token.name, token.scopeText, token.devicePrefix.isEmpty ? "all devices" : token.devicePrefix, token.created.rfc3339,
                    token.expires.map { $0.rfc3339 + (token.isExpired(at: now) ? " (expired)" : "") } ?? "never",
                ]
            }
            return TextTable(columns: ["NAME", "SCOPES", "DEVICE PREFIX", "CREATED", "EXPIRES"], rows: rows).text
        }

        private static func value(_ token: Token) -> JSONValue {
            .object([
                "name": .string(token.name), "scopes": .array(token.scopeText.split(separator: ",").map { .string(String($0)) }),
                "device_prefix": .string(token.devicePrefix), "created": .string(token.created.rfc3339),
                "expires": token.expires.map { .string($0.rfc3339) } ?? .null,
            ])
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a token out of the file (exit code 66: there is none of that name).")

        @Argument(help: "Its name.")
        var name: String

        @OptionGroup var flags: TokenFileFlags

        func run() async throws {
            try await reporting {
                try TokenFileFlags.reporting {
                    try flags.file().edit { list in
                        guard list.remove(named: name) else { throw GatewayError("there is no token \(name)", .noInput) }
                    }
                }
                TokenFileFlags.remark("Token \(name) is revoked.")
            }
        }
    }
}

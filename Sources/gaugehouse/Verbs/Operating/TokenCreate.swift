import ArgumentParser
import Gateway
import QueryAPI
import Telemetry

extension Tokens {
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a token and print it, once: only its hash is kept.",
            discussion: """
                The file is made when it is not there. Clients send the token as `Authorization: Bearer TOKEN`; those of InfluxDB as they \
                send their own.
                """)

        @Option(help: "What it is called in lists and logs: 1 to 64 of [A-Za-z0-9._-].")
        var name: String

        @Option(help: "read, write or admin, which is everything; may be repeated.")
        var scope: [Access.Scope]

        @Option(help: "Only for devices whose ids begin so.")
        var devicePrefix = ""

        @Option(help: "When it ends: a span from now like 90d, or a time like 2027-01-31T00:00:00Z; never when absent.")
        var expires: String?

        @OptionGroup var flags: TokenFileFlags

        func run() async throws {
            try await reporting {
                let secret = TokenSecret.random()
                let token = try makeToken(secret.digest)
                try TokenFileFlags.reporting { try flags.file().edit { try $0.add(token) } }
                try writeOutput(secret.text)
                TokenFileFlags.remark("That is the token \(name); it is not shown again.")
            }
        }

        private func makeToken(_ digest: TokenDigest) throws -> Token {
            let now = SystemClock().now()
            // Whole seconds are enough for a date.
            let created = Timestamp(microseconds: now.microseconds / 1_000_000 * 1_000_000)
            var token = Token(name: name, digest: digest, scopes: Set(scope), devicePrefix: devicePrefix, created: created)
            guard let expires else { return token }
            token.expires = TimeSpan(text: expires).map { created + $0 } ?? Timestamp(rfc3339: expires)
            guard let end = token.expires, end > now else {
                throw GatewayError("--expires \(expires) is neither a span like 90d nor a time to come like 2027-01-31T00:00:00Z", .usage)
            }
            return token
        }
    }
}

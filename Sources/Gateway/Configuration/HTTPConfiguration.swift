import Dialects
import QueryAPI

/// Where the API listens, whom it lets in, and how it reads lines and CSV.
package struct HTTPConfiguration: Sendable {
    package var host: String
    /// 0: any free one.
    package var port: Int
    package var lines = DialectOptions(format: .lineProtocol)
    /// Clients of the live tail at once.
    package var liveClients: Int

    /// Nil: there is none, and nobody is asked for a token.
    package var tokenFile: String?
    /// What stood in it.
    package var tokens: [Token]?
    /// Nil: plain HTTP.
    package var tls: TLSIdentity?
    package var tlsKeyFile: String?
    /// Let in without a token from beyond loopback.
    package var allowsAnonymous: Bool
    package var corsOrigins: [String]
    package var connectionLimit: Int

    package var isLoopback: Bool { ListenAddress.isLoopback(host) }

    /// - Parameter files: what stood in the files that the section names.
    init(_ values: SectionValues, files: HTTPFiles) {
        guard let address = ListenAddress(values.text("listen")) else { preconditionFailure("listen was checked") }
        guard let tags = DialectOptions.TagPolicy(rawValue: values.text("tags")),
            let measurement = DialectOptions.MeasurementPolicy(rawValue: values.text("measurement"))
        else { preconditionFailure("tags and measurement were checked") }
        (tokenFile, tokens) = (values.given("token_file"), files.tokens)
        (tls, tlsKeyFile) = (files.tls, values.given("tls_key_file"))
        (allowsAnonymous, corsOrigins) = (values.boolean("allow_anonymous"), values.list("cors_origins"))
        connectionLimit = values.count("max_connections")
        (host, port) = (address.host, address.port)
        liveClients = values.count("live_clients")
        (lines.deviceTag, lines.tags, lines.measurement) = (values.text("device_tag"), tags, measurement)
    }
}

/// What stood in the files that `[http]` names.
struct HTTPFiles {
    var tokens: [Token]?
    var tls: TLSIdentity?
}

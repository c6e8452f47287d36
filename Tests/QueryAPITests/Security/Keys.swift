import HTTPTypes
import QueryAPI
import Telemetry

/// Tokens for tests, one of each kind.
struct Keys: Sendable {
    private static let created = Timestamp(microseconds: 1_700_000_000_000_000)

    static let reader = TokenSecret.random()
    static let writer = TokenSecret.random()
    static let admin = TokenSecret.random()
    /// Reads and writes devices of line 1.
    static let line1 = TokenSecret.random()
    static let expired = TokenSecret.random()

    static let tokens = [
        Token(name: "reader", digest: reader.digest, scopes: [.read], created: created),
        Token(name: "writer", digest: writer.digest, scopes: [.write], created: created),
        Token(name: "admin", digest: admin.digest, scopes: [.admin], created: created),
        Token(name: "line1", digest: line1.digest, scopes: [.read, .write], devicePrefix: "line1/", created: created),
        Token(name: "expired", digest: expired.digest, scopes: [.admin], created: created, expires: TestBed.now),
    ]

    static func bearer(_ secret: TokenSecret, _ others: HTTPFields = [:]) -> HTTPFields {
        var headers = others
        headers[.authorization] = "Bearer \(secret.text)"
        return headers
    }
}

extension QueryOptions {
    mutating func askForTokens(audit: AuditLog = AuditLog(logger: nil)) { security = ServerSecurity(tokens: Keys.tokens, audit: audit) }
}

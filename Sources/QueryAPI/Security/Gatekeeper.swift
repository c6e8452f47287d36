import HTTPTypes
import Telemetry

/// Decides at the door of every route who comes in, and with which access.
struct Gatekeeper: Sendable {
    let security: ServerSecurity
    let clock: any WallClock

    /// Nobody is asked for a token.
    var isOpen: Bool { security.tokens == nil }

    /// - Parameter secret: what the request shows; asked for only where something is needed.
    /// - Throws: 401 when a token is missing or none of ours, 403 when it is not for this.
    func admit(_ admission: Admission, secret: () -> String?) throws(Problem) -> Access {
        guard let tokens = security.tokens else { return .unrestricted }
        // What needs no token knows no one: a probe with a stale token is still answered.
        guard let scope = admission.scope else { return Access(scopes: []) }
        guard let secret = secret() else { throw .unauthorized("This needs a token: send Authorization: Bearer TOKEN.") }
        guard let token = Self.match(secret, among: tokens) else {
            throw .unauthorized(
                TokenSecret.isWellFormed(secret)
                    ? "The token is not, or no longer, in force."
                    : "The token is not whole: it is cut off, mistyped, or of something else.",
                error: "invalid_token")
        }
        guard !token.isExpired(at: clock.now()) else { throw .unauthorized("The token has expired.", error: "invalid_token") }
        let access = token.access
        guard access.has(scope) else { throw .outOfScope(scope, access) }
        guard admission != .readAll || access.prefix.isEmpty else {
            throw .forbidden("This is about all devices; token \(token.name) is for those whose ids begin with \(access.prefix).")
        }
        return access
    }

    /// Whether whoever came in with this access still would: for answers that go on and on.
    func stillHolds(_ access: Access) -> Bool {
        guard let tokens = security.tokens else { return true }
        guard let token = access.token else { return false }
        return tokens.contains(token) && !token.isExpired(at: clock.now())
    }

    /// Compares with every token, so that the time tells nothing.
    private static func match(_ secret: String, among tokens: [Token]) -> Token? {
        let digest = TokenDigest(of: secret)
        var match: Token?
        for token in tokens where token.digest == digest { match = token }
        return match
    }
}

extension Problem {
    /// 401. Source: RFC 6750 §3.
    static func unauthorized(_ detail: String, error: String? = nil) -> Problem {
        var problem = Problem(.unauthorized, "unauthorized", "Not authorized", detail, param: "authorization")
        problem.headers[.wwwAuthenticate] = "Bearer realm=\"gaugehouse\"" + (error.map { ", error=\"\($0)\"" } ?? "")
        return problem
    }

    static func forbidden(_ detail: String) -> Problem { Problem(.forbidden, "forbidden", "Forbidden", detail) }

    fileprivate static func outOfScope(_ scope: Access.Scope, _ access: Access) -> Problem {
        let has = Access.Scope.allCases.filter(access.scopes.contains).map(\.rawValue).joined(separator: ", ")
        var problem = forbidden("This needs the scope \(scope.rawValue); token \(access.token?.name ?? "") has \(has).")
        problem.headers[.wwwAuthenticate] =
            "Bearer realm=\"gaugehouse\", error=\"insufficient_scope\", scope=\"\(scope.rawValue)\""
        return problem
    }
}

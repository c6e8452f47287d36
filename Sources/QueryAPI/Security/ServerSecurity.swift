import Logging
import NIOSSL
import Synchronization

/// What a reload may change of a server's security, shared between the server and whoever reloads. Any thread.
package final class ServerSecurity: Sendable {
    private struct State {
        var tokens: [Token]?
        var tls: TLSIdentity?
    }

    private let state: Mutex<State>
    package let audit: AuditLog

    /// - Parameters:
    ///   - tokens: nil: nobody is asked for one; empty: nobody is let in.
    ///   - tls: nil: plain HTTP.
    package init(tokens: [Token]? = nil, tls: TLSIdentity? = nil, audit: AuditLog = AuditLog(logger: nil)) {
        state = Mutex(State(tokens: tokens, tls: tls))
        self.audit = audit
    }

    /// From the next request on.
    package func replace(tokens: [Token]?) { state.withLock { $0.tokens = tokens } }

    /// From the next connection on; those that are open go on as they are.
    package func replace(tls: TLSIdentity?) { state.withLock { $0.tls = tls } }

    package var tokens: [Token]? { state.withLock { $0.tokens } }
    package var tls: TLSIdentity? { state.withLock { $0.tls } }
}

import HummingbirdCore
import Logging
import NIOCore
import NIOSSL

/// A connection as this server sets it up: TLS with the certificate of the moment, if there is one, then HTTP/1.1 and its guards.
///
/// Hummingbird's own TLS channel keeps the context that it was made with; this one asks for each connection.
struct GuardedChannel: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    let http: HTTP1Channel
    let security: ServerSecurity
    /// What it can answer at once does not come to `http`.
    let responder: QueryResponder

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            guard let identity = security.tls else { return }
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: identity.context))
        }.flatMap {
            http.setup(channel: channel, logger: logger)
        }.flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let counter = try pipeline.handler(type: HTTPConnectionStateHandler.self)
            try pipeline.addHandler(PromptHandler(responder: responder), position: .after(counter))
            return value
        }
    }

    func handle(value: Value, logger: Logger) async { await http.handle(value: value, logger: logger) }
}

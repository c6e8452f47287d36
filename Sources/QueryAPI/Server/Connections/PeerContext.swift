import Hummingbird
import NIOCore
import Synchronization

/// What a request comes with besides itself: the connection.
package struct PeerContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    let channel: any Channel

    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }

    /// `192.0.2.7`, `local` where there is no address.
    var peerText: String { channel.remoteAddress?.ipAddress ?? "local" }
}

/// Tells whether a client will say no more: mostly it has gone away, and nothing need be looked for on its behalf.
///
/// Only writing tells a client that is gone from one that has merely closed its half of the connection, so an answer that has bytes to send
/// goes on until one of them is refused.
final class PeerWatch: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = Any

    private let isClosed = Atomic(false)

    var isGone: Bool { isClosed.load(ordering: .relaxed) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { isClosed.store(true, ordering: .relaxed) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        isClosed.store(true, ordering: .relaxed)
        context.fireChannelInactive()
    }
}

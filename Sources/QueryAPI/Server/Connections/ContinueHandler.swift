import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Answers `Expect: 100-continue` (RFC 9110 §10.1.1), which Hummingbird leaves unanswered: curl waits a second before it sends a body
/// of more than a megabyte.
final class ContinueHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let bodyByteLimit: Int
    private var requestsInHand = 0

    /// - Parameter bodyByteLimit: a body declared longer is not asked for; its request is about to be refused.
    init(bodyByteLimit: Int) { self.bodyByteLimit = bodyByteLimit }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head(let head) = unwrapInboundIn(data) {
            // Not into the midst of another answer, when requests are pipelined.
            if requestsInHand == 0, wantsBody(head.headerFields) {
                context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
            }
            requestsInHand += 1
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { requestsInHand -= 1 }
        context.write(data, promise: promise)
    }

    private func wantsBody(_ headers: HTTPFields) -> Bool {
        headers[.expect]?.lowercased() == "100-continue" && headers[.contentLength].flatMap { Int($0) } ?? 0 <= bodyByteLimit
    }
}

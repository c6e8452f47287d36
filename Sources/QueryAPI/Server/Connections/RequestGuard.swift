import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Keeps a connection from being held by a client that does not get on, and answers what is no HTTP.
///
/// Hummingbird closes a connection on which no whole head comes within the idle timeout, however its bytes trickle; what it lets pass is
/// here: a body that trickles, an answer that is not read, or byte by byte, a body that goes on after its answer.
final class RequestGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    struct Limits: Sendable {
        /// How often progress is looked at.
        var interval: TimeAmount
        /// A body must bring so many bytes in each interval, and of an answer that waits the client must take so many.
        var byteCount: Int
        /// How long a client that has its answer, and is still sending, is listened to: closed at once, it would not see the answer.
        var linger: TimeAmount
    }

    private let limits: Limits
    private let register: ConnectionRegister
    private var entry: ConnectionRegister.Entry?

    /// Requests whose head came and whose answer is not whole.
    private var requestsInHand = 0
    /// The last request's end has not come.
    private var isReadingBody = false
    /// In the interval that runs.
    private var bodyByteCount = 0
    /// The body began in the interval that runs: not yet judged.
    private var isFreshBody = false
    /// How far the client had got when it was last looked, while something waits for it; nil: nothing did.
    private var reached: AnswerProgress?
    private var isWatching = false
    /// What came is no HTTP; nothing that comes after it is looked at.
    private var failure: HTTPParserError?

    /// Another connection took its place; what still comes is not carried out.
    private var isSentAway = false

    init(limits: Limits, register: ConnectionRegister) {
        self.limits = limits
        self.register = register
    }

    // MARK: Coming and going

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { open(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        open(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let entry { register.remove(entry) }
        entry = nil
        context.fireChannelInactive()
    }

    private func open(_ context: ChannelHandlerContext) {
        guard entry == nil else { return }
        entry = register.admit(context.channel)
        if entry == nil { context.close(promise: nil) }
    }

    // MARK: Requests and answers

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard failure == nil, !isSentAway else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            guard entry?.beginRequest() ?? true else {
                isSentAway = true
                return
            }
            requestsInHand += 1
            (isReadingBody, isFreshBody) = (true, true)
            let hasBody = head.headerFields[.contentLength] ?? "0" != "0" || head.headerFields[.transferEncoding] != nil
            if hasBody { watch(context) }
        case .body(let bytes):
            bodyByteCount += bytes.readableBytes
        case .end:
            isReadingBody = false
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .end = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
        requestsInHand -= 1
        if requestsInHand == 0 { entry?.endRequest() }
        context.write(data, promise: promise)
        guard requestsInHand == 0 else { return }
        if failure != nil, isReadingBody {
            // It was told by whoever waited for the body.
            finish(context)
        } else if let failure {
            answer(failure, context)
        } else if isReadingBody {
            linger(context)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        reached = nil
        if !context.channel.isWritable { watch(context) }
        context.fireChannelWritabilityChanged()
    }

    // MARK: Progress

    private func watch(_ context: ChannelHandlerContext) {
        guard !isWatching else { return }
        isWatching = true
        bodyByteCount = 0
        context.eventLoop.assumeIsolated().scheduleTask(in: limits.interval) { self.look(context) }
    }

    private func look(_ context: ChannelHandlerContext) {
        AnswerProgress.measure(context.channel).assumeIsolated().whenSuccess { self.judge(context, $0) }
    }

    private func judge(_ context: ChannelHandlerContext, _ progress: AnswerProgress) {
        isWatching = false
        guard context.channel.isActive else { return }
        // Of several requests the last one's body may be held up by this side.
        let isBodyStuck = isReadingBody && !isFreshBody && requestsInHand == 1 && bodyByteCount < limits.byteCount
        isFreshBody = false
        let before = reached
        reached = context.channel.isWritable ? nil : progress
        let isAnswerStuck = reached != nil && before.map { !progress.isBeyond($0, by: limits.byteCount) } ?? false
        guard !isBodyStuck, !isAnswerStuck else { return context.close(promise: nil) }
        if isReadingBody || !context.channel.isWritable { watch(context) }
    }

    private func linger(_ context: ChannelHandlerContext) {
        context.eventLoop.assumeIsolated().scheduleTask(in: limits.linger) {
            if self.isReadingBody, self.requestsInHand == 0 { context.close(promise: nil) }
        }
    }

    // MARK: What is no HTTP

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard failure == nil else { return }
        // Of TLS, or of the socket: there is nobody to answer.
        guard let error = error as? HTTPParserError else { return context.close(promise: nil) }
        failure = error
        if requestsInHand == 0 {
            answer(error, context)
        } else if isReadingBody {
            // Who waits for the body is to know; its answer is the last one.
            context.fireErrorCaught(error)
        }
    }

    private func answer(_ error: HTTPParserError, _ context: ChannelHandlerContext) {
        let problem = Problem.malformed(error)
        let body = ByteBuffer(bytes: problem.json(requestID: nil))
        var headers = problem.headers
        headers[.contentType] = Problem.contentType
        headers[.contentLength] = String(body.readableBytes)
        headers[.connection] = "close"
        SecurityHeaders.add(to: &headers)
        context.write(wrapOutboundOut(.head(HTTPResponse(status: problem.status, headerFields: headers))), promise: nil)
        context.write(wrapOutboundOut(.body(body)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        finish(context)
    }

    /// Says that nothing follows, and closes when the client has had time to read it.
    private func finish(_ context: ChannelHandlerContext) {
        context.flush()
        context.close(mode: .output, promise: nil)
        context.eventLoop.assumeIsolated().scheduleTask(in: limits.linger) { context.close(promise: nil) }
    }
}

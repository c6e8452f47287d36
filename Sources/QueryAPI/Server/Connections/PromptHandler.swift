import Glibc
import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Answers what is in memory on the connection's own event loop, before the request becomes a task, which costs more than such an answer.
///
/// Everything else passes, and so does what comes behind it on the connection until it is answered: answers keep the order of their
/// requests. Stands between Hummingbird's handlers, which count requests and idle time, and its tasks.
final class PromptHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let responder: QueryResponder
    /// The head of a request that may be answered here, until its end has come.
    private var held: HTTPRequest?
    /// Requests passed on whose answer is not whole.
    private var passedCount = 0
    /// The last request was passed on to be the connection's last.
    private var isLast = false
    private var needsFlush = false
    private var date = DateText()

    init(responder: QueryResponder) { self.responder = responder }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        switch part {
        case .head(let head) where passedCount == 0 && !isLast && context.channel.isWritable && mayBePrompt(head):
            held = head
        case .head:
            passedCount += 1
            context.fireChannelRead(data)
        case .body:
            pass(context)
            context.fireChannelRead(data)
        case .end:
            if let head = held, let answer = responder.promptAnswer(to: head, on: context.channel) {
                held = nil
                send(answer, context)
            } else {
                pass(context)
                context.fireChannelRead(data)
            }
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if needsFlush { context.flush() }
        needsFlush = false
        context.fireChannelReadComplete()
    }

    /// A client that says no more is hung up on by the tasks when none of its requests was theirs: not before it has its answers.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event as? ChannelEvent == .inputClosed else { return context.fireUserInboundEventTriggered(event) }
        if needsFlush { context.flush() }
        needsFlush = false
        endInput(context)
    }

    private func endInput(_ context: ChannelHandlerContext) {
        guard passedCount == 0, context.channel.isActive, context.channel.unsentByteCount > 0 else {
            return context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        }
        context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(20)) { self.endInput(context) }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { passedCount -= 1 }
        context.write(data, promise: promise)
    }

    private func pass(_ context: ChannelHandlerContext) {
        guard let head = held.take() else { return }
        passedCount += 1
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    /// A plain question: no body, nothing asked of the connection.
    private func mayBePrompt(_ head: HTTPRequest) -> Bool {
        guard head.method == .get else { return false }
        for field in head.headerFields {
            switch field.name {
            case .contentLength, .transferEncoding, .expect, .upgrade: return false
            case .connection where field.value.lowercased() != "keep-alive":
                isLast = true
                return false
            default: continue
            }
        }
        return true
    }

    private func send(_ answer: WholeAnswer, _ context: ChannelHandlerContext) {
        var headers = answer.headers
        if answer.status != .notModified {
            headers.append(HTTPField(name: .contentLength, value: String(answer.body.readableBytes)))
        }
        headers.append(HTTPField(name: .date, value: date.now()))
        headers.append(HTTPField(name: .server, value: QueryServer.name))
        context.write(wrapOutboundOut(.head(HTTPResponse(status: answer.status, headerFields: headers))), promise: nil)
        if answer.body.readableBytes > 0 { context.write(wrapOutboundOut(.body(answer.body)), promise: nil) }
        context.write(wrapOutboundOut(.end(nil)), promise: nil)
        needsFlush = true
    }
}

/// The time as headers have it (RFC 9110 §5.6.7), made once a second.
private struct DateText {
    private var second = time_t.min
    private var text = ""

    mutating func now() -> String {
        var now = time(nil)
        guard now != second else { return text }
        second = now
        var parts = tm()
        gmtime_r(&now, &parts)
        let (day, month) = (Self.days[Int(parts.tm_wday)], Self.months[Int(parts.tm_mon)])
        text =
            "\(day), \(Self.padded(parts.tm_mday)) \(month) \(parts.tm_year + 1900) "
            + "\(Self.padded(parts.tm_hour)):\(Self.padded(parts.tm_min)):\(Self.padded(parts.tm_sec)) GMT"
        return text
    }

    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    private static func padded(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

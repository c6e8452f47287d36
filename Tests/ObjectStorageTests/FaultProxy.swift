import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A proxy in front of a real server that does to single requests what networks and servers do at their worst.
final class FaultProxy: Sendable {
    struct Request: Sendable {
        var method: String
        var uri: String
        var headers: HTTPHeaders

        var isPart: Bool { method == "PUT" && uri.contains("partNumber=") }
        var isCompletion: Bool { method == "POST" && uri.contains("uploadId=") }
        /// Of an object, whole.
        var isPut: Bool { method == "PUT" && !isPart }
    }

    struct Answer: Sendable {
        var status: Int
        var headers: HTTPHeaders = [:]
        var body = ""

        static func error(_ status: Int, _ code: String, _ message: String = "injected") -> Answer {
            Answer(status: status, body: "<Error><Code>\(code)</Code><Message>\(message)</Message></Error>")
        }
    }

    enum Action: Sendable {
        case forward
        /// The connection is closed once so many bytes of the body have come. The server sees nothing.
        case cut(afterByteCount: Int)
        /// The server sees nothing.
        case answer(Answer)
        /// The server never hears of it, and nothing ever comes back.
        case silence
        /// The server does what it is told; its answer is lost, and in its place comes another, or the connection closes, or nothing.
        case forwardAndAnswer(Answer)
        case forwardAndCut
        case forwardAndSilence
        /// The server answers; so many bytes of the body come.
        case forwardAndShorten(byteCount: Int)
    }

    typealias Rule = @Sendable (Request) -> Action

    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let client: HTTPClient
    private let channel: any Channel
    private let log: Log
    /// `http://127.0.0.1:port`
    let endpoint: String

    /// - Parameter rule: what happens to a request; called on an event loop.
    init(to endpoint: String, rule: @escaping Rule) throws {
        let client = HTTPClient(eventLoopGroupProvider: .shared(group))
        let log = Log()
        self.client = client
        self.log = log
        channel = try ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: false)
                    try channel.pipeline.syncOperations.addHandler(
                        FaultHandler(client, endpoint) { request in
                            log.add(request)
                            return rule(request)
                        })
                }
            }
            .bind(host: "127.0.0.1", port: 0).wait()
        self.endpoint = "http://127.0.0.1:\(channel.localAddress?.port ?? 0)"
    }

    /// The requests so far.
    var requests: [Request] { log.requests }

    /// Call before the last reference goes.
    func stop() throws {
        try channel.close().wait()
        try client.syncShutdown()
        try group.syncShutdownGracefully()
    }

    private final class Log: Sendable {
        private let seen = Mutex<[Request]>([])
        var requests: [Request] { seen.withLock { $0 } }
        func add(_ request: Request) { seen.withLock { $0.append(request) } }
    }
}

/// One connection to the proxy.
private final class FaultHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let client: HTTPClient
    private let upstream: String
    private let rule: FaultProxy.Rule
    private var head: HTTPRequestHead?
    private var action = FaultProxy.Action.forward
    private var body = ByteBuffer()

    init(_ client: HTTPClient, _ upstream: String, rule: @escaping FaultProxy.Rule) {
        self.client = client
        self.upstream = upstream
        self.rule = rule
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = ByteBuffer()
            action = rule(FaultProxy.Request(method: head.method.rawValue, uri: head.uri, headers: head.headers))
        case .body(var part):
            body.writeBuffer(&part)
            if case .cut(let limit) = action, body.readableBytes >= limit { context.close(promise: nil) }
        case .end:
            guard let head else { return }
            finish(head, context.channel)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func finish(_ head: HTTPRequestHead, _ channel: any Channel) {
        switch action {
        case .forward: forward(head) { Self.write($0, to: channel) }
        case .cut: channel.close(promise: nil)
        case .answer(let answer): Self.write(answer, to: channel)
        case .silence: break
        case .forwardAndAnswer(let answer): forward(head) { _ in Self.write(answer, to: channel) }
        case .forwardAndCut: forward(head) { _ in channel.close(promise: nil) }
        case .forwardAndSilence: forward(head) { _ in }
        case .forwardAndShorten(let count):
            forward(head) { answer in
                var short = answer
                short.body = answer.body?.getSlice(at: answer.body?.readerIndex ?? 0, length: count)
                short.headers.replaceOrAdd(name: "content-length", value: "\(count)")
                Self.write(short, to: channel)
            }
        }
    }

    /// The answer of the server is a 502 when there is none.
    private func forward(_ head: HTTPRequestHead, then: @escaping @Sendable (HTTPClient.Response) -> Void) {
        var headers = head.headers
        for name in ["connection", "content-length", "transfer-encoding"] { headers.remove(name: name) }
        do {
            let request = try HTTPClient.Request(
                url: upstream + head.uri, method: head.method, headers: headers, body: body.readableBytes > 0 ? .byteBuffer(body) : nil)
            client.execute(request: request, deadline: .now() + .seconds(30)).whenComplete { result in
                then((try? result.get()) ?? Self.badGateway)
            }
        } catch {
            then(Self.badGateway)
        }
    }

    private static var badGateway: HTTPClient.Response {
        HTTPClient.Response(host: "", status: .badGateway, version: .http1_1, headers: [:], body: nil)
    }

    private static func write(_ answer: FaultProxy.Answer, to channel: any Channel) {
        write(
            HTTPClient.Response(
                host: "", status: HTTPResponseStatus(statusCode: answer.status), version: .http1_1, headers: answer.headers,
                body: ByteBuffer(string: answer.body)), to: channel)
    }

    private static func write(_ answer: HTTPClient.Response, to channel: any Channel) {
        var headers = answer.headers
        headers.remove(name: "transfer-encoding")
        if !headers.contains(name: "content-length") { headers.add(name: "content-length", value: "\(answer.body?.readableBytes ?? 0)") }
        channel.write(HTTPServerResponsePart.head(.init(version: .http1_1, status: answer.status, headers: headers)), promise: nil)
        if let body = answer.body { channel.write(HTTPServerResponsePart.body(.byteBuffer(body)), promise: nil) }
        channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
    }
}

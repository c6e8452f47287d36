import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// What a server answered.
struct HTTPAnswer: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var body: ByteBuffer

    /// The first header of this name.
    func header(_ name: String) -> String? { headers.first(name: name) }

    var bytes: [UInt8] { Array(body.readableBytesView) }

    /// nil if the body is not a small XML document.
    var document: XMLElement? { try? XMLElement.parse(bytes) }
}

/// Sends requests over pooled connections and waits for their answers, on the caller's thread.
///
/// All destinations share one transport with one event loop: it copies bytes, signing and hashing happen on the callers' threads. It
/// shuts down when the last destination is gone.
///
/// No call is without an end: establishing a connection, silence of the server, a server that takes no bytes, and the request as a whole
/// are all limited.
final class HTTPTransport: Sendable {
    private struct Living { weak var transport: HTTPTransport? }

    private static let living = Mutex(Living())
    private static let connectTimeout = TimeAmount.seconds(10)
    /// Also the time a server may need for the completion of a large upload before it sends its first byte.
    private static let silenceTimeout = TimeAmount.seconds(60)
    /// Servers close idle connections after some time; a request that meets the closing costs a retry.
    private static let idleConnectionTimeout = TimeAmount.seconds(15)

    private let group: MultiThreadedEventLoopGroup
    private let client: HTTPClient

    /// The one that lives, or a new one.
    static func shared() -> HTTPTransport {
        living.withLock { living in
            if let transport = living.transport { return transport }
            let transport = HTTPTransport()
            living.transport = transport
            return transport
        }
    }

    /// - Parameter addresses: of hosts that DNS does not know, by their names.
    init(addresses: [String: String] = [:]) {
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: Self.connectTimeout, read: Self.silenceTimeout, write: Self.silenceTimeout))
        configuration.connectionPool.idleTimeout = Self.idleConnectionTimeout
        // Retries have a budget of their own, above this.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.httpVersion = .http1Only
        configuration.dnsOverride = addresses
        client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
    }

    /// Nothing is waited for: whoever lets go of the last destination may be on any thread.
    deinit {
        let group = group
        client.shutdown { _ in group.shutdownGracefully { _ in } }
    }

    /// - Parameter answerByteLimit: a longer body is an error.
    /// - Throws: what NIO and AsyncHTTPClient throw when no whole answer came in time.
    func send(
        _ method: String, _ url: String, _ headers: HTTPHeaders, body: ByteBuffer?, answerByteLimit: Int, timeout: TimeAmount
    ) throws -> HTTPAnswer {
        let request = try HTTPClient.Request(
            url: url, method: HTTPMethod(rawValue: method), headers: headers, body: body.map { .byteBuffer($0) })
        let answer = try client.execute(
            request: request, delegate: ResponseAccumulator(request: request, maxBodySize: answerByteLimit), deadline: .now() + timeout
        ).wait()
        return HTTPAnswer(status: Int(answer.status.code), headers: answer.headers, body: answer.body ?? ByteBuffer())
    }
}

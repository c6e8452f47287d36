import HummingbirdTesting
import NIOCore
import NIOPosix
import Testing

/// A connection that says what a test likes, byte by byte, and hears what comes back.
struct RawSocket {
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    /// All that came so far.
    private(set) var heard = ""

    static func run<Value>(_ bed: TestBed, _ body: (inout RawSocket) async throws -> Value) async throws -> Value {
        let port = try #require(bed.client.port)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel) }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var socket = RawSocket(inbound: inbound.makeAsyncIterator(), outbound: outbound)
            return try await body(&socket)
        }
    }

    func send(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }

    /// Sends a byte at a time.
    ///
    /// - Returns: how many went out before the other side closed.
    func trickle(_ text: String, pause: Duration) async throws -> Int {
        for (index, byte) in text.utf8.enumerated() {
            do { try await outbound.write(ByteBuffer(bytes: [byte])) } catch { return index }
            try await Task.sleep(for: pause)
        }
        return text.utf8.count
    }

    /// Waits until `end` was heard; false when the other side closed before.
    mutating func hear(_ end: String) async throws -> Bool {
        while !heard.contains(end) {
            guard let bytes = try await inbound.next() else { return false }
            heard += String(buffer: bytes)
        }
        return true
    }

    /// All that comes until the other side closes.
    mutating func hearToEnd() async -> String {
        do {
            while let bytes = try await inbound.next() { heard += String(buffer: bytes) }
        } catch {
            // Reset: it is closed all the same.
        }
        return heard
    }

    /// Status codes of all answers heard, in their order.
    var statuses: [Int] { heard.matches(of: #/HTTP/1\.1 (\d{3}) /#).compactMap { Int($0.output.1) } }
}

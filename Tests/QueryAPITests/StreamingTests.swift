import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTesting
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Telemetry
import Testing

@testable import QueryAPI

/// Long answers to clients that read slowly, or go away.
@Suite struct StreamingTests {
    /// What became of an answer.
    private final class Fate: Sendable {
        let pieceCount = Atomic(0)
        let isOver = Atomic(false)
    }

    /// Pieces without end.
    private struct Endless: PieceSource {
        /// Dies with the answer.
        private final class Life: Sendable {
            let fate: Fate
            init(_ fate: Fate) { self.fate = fate }
            deinit { fate.isOver.store(true, ordering: .relaxed) }
        }

        private let life: Life
        private let piece: [UInt8]

        init(_ fate: Fate, piece: [UInt8]) {
            life = Life(fate)
            self.piece = piece
        }

        mutating func next(_ json: inout JSONWriter) -> Bool {
            life.fate.pieceCount.wrappingAdd(1, ordering: .relaxed)
            json.bytes += piece
            return true
        }
    }

    private typealias Socket = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// A server with an endless answer, and a client that has asked for it. When `body` returns the client goes away.
    private func ask(
        piece: [UInt8], headers: String = "",
        _ body: @escaping @Sendable (inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator, Fate) async throws -> Void,
        afterwards: @escaping @Sendable (Fate) async throws -> Void
    ) async throws {
        let fate = Fate()
        let pool = BlockingPool(threadCount: 2, queueLimit: 1)
        pool.start()
        let route = Route(.get, "/", needs: .open) { request in
            try await pool.response(Endless(fate, piece: piece), contentType: "text/plain", for: request)
        }
        var logger = Logger(label: "test")
        logger.logLevel = .error
        let application = Application(
            responder: QueryResponder(
                table: RouteTable(routes: [route]), gatekeeper: Gatekeeper(security: ServerSecurity(), clock: SystemClock()),
                crossOrigin: CrossOrigin(origins: [], isLoopback: true), metrics: RequestMetrics(), requestIDs: RequestIDs(),
                bodies: BodyBudget(limit: 1 << 20), packers: pool, logger: logger),
            server: .http1(configuration: HTTP1Channel.Configuration(additionalChannelHandlers: [PeerWatch()])),
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)), services: [pool], logger: logger)
        try await application.test(.live) { client in
            let socket = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: try #require(client.port)) { channel in
                    channel.eventLoop.makeCompletedFuture { try Socket(wrappingChannelSynchronously: channel) }
                }
            try await socket.executeThenClose { inbound, outbound in
                var bytes = inbound.makeAsyncIterator()
                try await outbound.write(ByteBuffer(string: "GET / HTTP/1.1\r\nhost: localhost\r\n\(headers)\r\n"))
                try await body(&bytes, fate)
            }
            try await afterwards(fate)
        }
    }

    private static func isOver(_ fate: Fate) async throws {
        for _ in 0..<200 where !fate.isOver.load(ordering: .relaxed) { try await Task.sleep(for: .milliseconds(50)) }
        let isOver = fate.isOver.load(ordering: .relaxed)
        #expect(isOver, "the answer goes on without a client")
    }

    /// Returns when no more pieces are made, and tells how many were.
    private static func settled(_ fate: Fate) async throws -> Int {
        var count = 0
        for _ in 0..<200 {
            let before = count
            try await Task.sleep(for: .milliseconds(100))
            count = fate.pieceCount.load(ordering: .relaxed)
            if count == before, count > 0 { return count }
        }
        Issue.record("pieces are made for a client that does not read")
        return count
    }

    @Test(arguments: [false, true]) func aClientThatDoesNotReadHoldsUpItsOwnAnswer(_ isPacked: Bool) async throws {
        var random = SystemRandomNumberGenerator()
        // Bytes that do not shrink.
        let piece = (0..<(256 << 10)).map { _ in UInt8.random(in: 0...255, using: &random) }
        try await ask(piece: piece, headers: isPacked ? "accept-encoding: gzip\r\n" : "") { bytes, fate in
            let count = try await Self.settled(fate)
            // What the sockets of both ends hold, a few megabytes, and what waits before them.
            #expect(count * piece.count < 48 << 20, "\(count) pieces")
            var readCount = 0
            while readCount < 64 << 20, let buffer = try await bytes.next() { readCount += buffer.readableBytes }
            let (laterCount, isOver) = (fate.pieceCount.load(ordering: .relaxed), fate.isOver.load(ordering: .relaxed))
            #expect(laterCount > count)
            #expect(!isOver)
        } afterwards: { fate in
            try await Self.isOver(fate)
        }
    }

    @Test func nothingIsLookedForWhenTheClientHasGone() async throws {
        // A search that finds nothing writes nothing: only the connection tells.
        try await ask(piece: []) { bytes, fate in
            let head = try #require(try await bytes.next())
            #expect(String(buffer: head).hasPrefix("HTTP/1.1 200 OK\r\n"))
            let count = fate.pieceCount.load(ordering: .relaxed)
            while fate.pieceCount.load(ordering: .relaxed) < count + 100 { try await Task.sleep(for: .milliseconds(10)) }
        } afterwards: { fate in
            try await Self.isOver(fate)
        }
    }
}

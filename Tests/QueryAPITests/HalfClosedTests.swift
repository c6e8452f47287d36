import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import Telemetry
import TelemetryStore
import Testing

@testable import QueryAPI

/// Clients that close their half of the connection once they have asked, and read when they like.
@Suite(.timeLimit(.minutes(1))) struct HalfClosedTests {
    /// Serves one connection, whose socket takes a few kilobytes at once, as the server does, but without tasks' answers.
    private static func serve(
        _ bed: TestBed, _ body: (_ port: Int, _ accepted: @Sendable () async throws -> any Channel) async throws -> Void
    ) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let child = LoopChannel(
            base: GuardedChannel(
                http: HTTP1Channel(
                    responder: { request, _, _ in Issue.record("a task is asked for \(request.uri)") },
                    configuration: HTTP1Channel.Configuration(additionalChannelHandlers: [PeerWatch()])),
                security: ServerSecurity(), responder: bed.server.application().responder))
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.socketOption(.so_sndbuf), value: 4_608)
            .bind(host: "127.0.0.1", port: 0) { child.setup(channel: $0, logger: logger) }
        let (channels, accepted) = AsyncStream.makeStream(of: (any Channel).self)
        try await listener.executeThenClose { inbound in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for try await connection in inbound {
                        accepted.yield(connection.channel)
                        await child.handle(value: connection, logger: logger)
                        return
                    }
                }
                try await body(try #require(listener.channel.localAddress?.port)) {
                    var channels = channels.makeAsyncIterator()
                    return try #require(await channels.next())
                }
                try await group.waitForAll()
            }
        }
    }

    /// All its requests are answered at once, what its socket does not take waits: it is not hung up on until that is sent.
    @Test func aClientThatAsksNoMoreGetsItsPromptAnswers() async throws {
        try await TestBed.run { bed in
            try bed.commit("d", ["s": .string(String(repeating: "x", count: 2_000))])
            let count = 20
            try await Self.serve(bed) { port, accepted in
                let client = try SlowClient(port: port, bufferByteCount: 4_096, segmentByteCount: 536)
                defer { client.close() }
                try client.ask("/api/v1/devices/d/latest", times: count)
                try client.endAsking()
                let channel = try await accepted()
                let watch = try await channel.pipeline.handler(type: PeerWatch.self).get()
                while !watch.isGone { try await channel.eventLoop.submit {}.get() }
                // Its loop has looked more than once by then: what was due sooner was done sooner.
                try await channel.eventLoop.scheduleTask(in: .milliseconds(50)) {}.futureResult.get()
                #expect(try await channel.eventLoop.submit { channel.isActive && channel.unsentByteCount > 0 }.get())
                let heard = String(decoding: await client.readToEnd(), as: UTF8.self)
                #expect(heard.components(separatedBy: "HTTP/1.1 200 OK\r\n").count == count + 1)
                #expect(heard.components(separatedBy: "xxx\"").count == count + 1)
            }
        }
    }
}

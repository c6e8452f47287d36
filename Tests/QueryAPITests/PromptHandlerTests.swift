import HTTPTypes
import Hummingbird
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Telemetry
import TelemetryStore
import Testing

@testable import QueryAPI

/// Which requests of a connection are answered at once, and which go on to a task.
@Suite struct PromptHandlerTests {
    /// One request, of the kind that is answered at once.
    ///
    /// - Returns: nil: it was passed on.
    private static func ask(_ channel: EmbeddedChannel, _ headers: HTTPFields = [:]) throws -> HTTPResponse? {
        let head = HTTPRequest(
            method: .get, scheme: "http", authority: "localhost", path: "/api/v1/devices/d/latest", headerFields: headers)
        try channel.writeInbound(HTTPRequestPart.head(head))
        try channel.writeInbound(HTTPRequestPart.end(nil))
        var response: HTTPResponse?
        while let part = try channel.readOutbound(as: HTTPResponsePart.self) { if case .head(let head) = part { response = head } }
        var passedCount = 0
        while let part = try channel.readInbound(as: HTTPRequestPart.self) { if case .head = part { passedCount += 1 } }
        #expect(passedCount == (response == nil ? 1 : 0))
        return response
    }

    /// A task's whole answer.
    private static func answer(_ channel: EmbeddedChannel) throws {
        try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
        try channel.writeOutbound(HTTPResponsePart.end(nil))
        while try channel.readOutbound(as: HTTPResponsePart.self) != nil {}
    }

    /// The channel is for one thread: no test waits within `body`.
    private static func run(_ body: @Sendable (EmbeddedChannel) throws -> Void) async throws {
        try await TestBed.run { bed in
            try bed.commit("d", ["n": .integer(1)])
            try body(EmbeddedChannel(handler: PromptHandler(responder: bed.server.application().responder)))
        }
    }

    @Test func behindATasksRequestAllAreItsUntilItIsAnswered() async throws {
        try await Self.run { (channel: EmbeddedChannel) throws -> Void in
            #expect(try Self.ask(channel)?.status == .ok)
            for _ in 0..<2 { #expect(try Self.ask(channel, [.acceptEncoding: "gzip", .expect: "100-continue"]) == nil) }
            #expect(try Self.ask(channel) == nil)
            for _ in 0..<2 { try Self.answer(channel) }
            #expect(try Self.ask(channel) == nil)
            for _ in 0..<2 { try Self.answer(channel) }
            #expect(try Self.ask(channel)?.status == .ok)
        }
    }

    @Test func behindTheLastRequestNoneIsAnswered() async throws {
        try await Self.run { (channel: EmbeddedChannel) throws -> Void in
            #expect(try Self.ask(channel, [.connection: "Keep-Alive"])?.status == .ok)
            #expect(try Self.ask(channel, [.connection: "close"]) == nil)
            try Self.answer(channel)
            #expect(try Self.ask(channel) == nil)
        }
    }

    @Test func nothingIsMadeForAClientThatDoesNotRead() async throws {
        try await Self.run { (channel: EmbeddedChannel) throws -> Void in
            channel.isWritable = false
            #expect(try Self.ask(channel) == nil)
        }
    }

    /// RFC 9110 §8.6: a 304 has no length of its own.
    @Test func anAnswerHasItsLength() async throws {
        try await Self.run { (channel: EmbeddedChannel) throws -> Void in
            let answer = try #require(try Self.ask(channel))
            #expect(Int(answer.headerFields[.contentLength] ?? "") ?? 0 > 0)
            let tag = try #require(answer.headerFields[.eTag])
            let known = try #require(try Self.ask(channel, [.ifNoneMatch: tag]))
            #expect(known.status == .notModified && known.headerFields[.contentLength] == nil)
        }
    }
}

import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOHTTPTypes
import Testing

@testable import QueryAPI

/// What the guard of a connection does as its clock goes on: the loop's own, which the tests turn.
@Suite struct RequestGuardTests {
    private static let interval = TimeAmount.seconds(10)
    private static let linger = TimeAmount.seconds(3)
    private static let byteCount = 100

    /// A connection that is guarded, and of which the tests are both ends.
    private struct Connection {
        let channel = EmbeddedChannel()

        init(_ register: ConnectionRegister = ConnectionRegister(limit: 10)) throws {
            let limits = RequestGuard.Limits(
                interval: RequestGuardTests.interval, byteCount: RequestGuardTests.byteCount, linger: RequestGuardTests.linger)
            try channel.pipeline.syncOperations.addHandler(RequestGuard(limits: limits, register: register))
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        }

        func head(_ method: HTTPRequest.Method = .get, length: Int? = nil) throws {
            var head = HTTPRequest(method: method, scheme: "http", authority: "localhost", path: "/")
            head.headerFields[.contentLength] = length.map(String.init)
            try channel.writeInbound(HTTPRequestPart.head(head))
        }

        func body(_ count: Int) throws { try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(repeating: 32, count: count))) }
        func end() throws { try channel.writeInbound(HTTPRequestPart.end(nil)) }

        /// The whole answer to the request that is next.
        func answer() throws {
            try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
            try channel.writeOutbound(HTTPResponsePart.end(nil))
        }

        func wait(_ time: TimeAmount) { channel.embeddedEventLoop.advanceTime(by: time) }

        /// Heads that came through, and have not been looked at.
        func takeHeadCount() throws -> Int {
            var count = 0
            while let part = try channel.readInbound(as: HTTPRequestPart.self) { if case .head = part { count += 1 } }
            return count
        }
    }

    @Test func aBodyMustGetOnInEachWholeInterval() throws {
        let connection = try Connection()
        try connection.head(.post, length: 1_000)
        // Judged from the second look on: the first interval had begun before the body.
        connection.wait(Self.interval)
        #expect(connection.channel.isActive)
        try connection.body(Self.byteCount)
        connection.wait(Self.interval)
        #expect(connection.channel.isActive)
        try connection.body(Self.byteCount - 1)
        connection.wait(Self.interval)
        #expect(!connection.channel.isActive)
    }

    @Test func aBodyThatBeganLateInAnIntervalIsNotJudgedByIt() throws {
        let connection = try Connection()
        try connection.head(.post, length: 1)
        connection.wait(Self.interval)
        try connection.body(1)
        try connection.end()
        try connection.answer()
        connection.wait(Self.interval - .milliseconds(1))
        try connection.head(.post, length: 1_000)
        connection.wait(.milliseconds(1))
        #expect(connection.channel.isActive)
        try connection.body(Self.byteCount)
        connection.wait(Self.interval)
        #expect(connection.channel.isActive)
        connection.wait(Self.interval)
        #expect(!connection.channel.isActive)
    }

    /// Nobody takes its bytes while the request before it is answered.
    @Test func aBodyBehindAnotherRequestMayWait() throws {
        let connection = try Connection()
        try connection.head()
        try connection.end()
        try connection.head(.post, length: 1_000)
        for _ in 0..<5 { connection.wait(Self.interval) }
        #expect(connection.channel.isActive)
        try connection.answer()
        connection.wait(Self.interval)
        #expect(!connection.channel.isActive)
    }

    @Test func anAnswerOfWhichNothingIsTakenIsGivenUp() throws {
        let connection = try Connection()
        func setWritable(_ isWritable: Bool) {
            connection.channel.isWritable = isWritable
            connection.channel.pipeline.fireChannelWritabilityChanged()
        }
        try connection.head()
        try connection.end()
        setWritable(false)
        connection.wait(Self.interval)
        // It got on: counted anew.
        setWritable(true)
        setWritable(false)
        connection.wait(Self.interval)
        #expect(connection.channel.isActive)
        connection.wait(Self.interval)
        #expect(!connection.channel.isActive)
    }

    /// Answered before its body had come, which it goes on to send: heard out for a time, in which it may come to the end.
    @Test func aBodyBehindItsAnswerIsHeardOutForATime() throws {
        let endless = try Connection()
        try endless.head(.post, length: 1_000)
        try endless.answer()
        endless.wait(Self.linger)
        #expect(!endless.channel.isActive)

        let (idle, busy) = (try Connection(), try Connection())
        for connection in [idle, busy] {
            try connection.head(.post, length: 1_000)
            try connection.answer()
            try connection.body(1_000)
            try connection.end()
        }
        try busy.head(.post, length: 1_000)
        for connection in [idle, busy] { connection.wait(Self.linger) }
        #expect(idle.channel.isActive)
        #expect(busy.channel.isActive)
    }

    @Test func aConnectionIsIdleOnceAllItsRequestsAreAnswered() throws {
        let register = ConnectionRegister(limit: 1)
        let first = try Connection(register)
        for _ in 0..<2 {
            try first.head()
            try first.end()
        }
        try first.answer()
        #expect(try !Connection(register).channel.isActive)
        #expect(first.channel.isActive)
        try first.answer()
        #expect(try Connection(register).channel.isActive)
        #expect(!first.channel.isActive)
    }

    @Test func aConnectionThatEndsGivesItsPlaceBack() throws {
        let register = ConnectionRegister(limit: 1)
        let first = try Connection(register)
        try first.head()
        #expect(try !Connection(register).channel.isActive)
        try first.channel.close().wait()
        #expect(try Connection(register).channel.isActive)
    }

    /// Its closing takes a turn of its loop; what comes before that is not carried out, nor any part of it.
    @Test func whoIsSentAwayIsNotHeard() throws {
        let register = ConnectionRegister(limit: 1)
        let channel = EmbeddedChannel()
        let held = CloseHolder()
        try channel.pipeline.syncOperations.addHandlers([
            held,
            RequestGuard(limits: .init(interval: Self.interval, byteCount: Self.byteCount, linger: Self.linger), register: register),
        ])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        _ = try Connection(register)
        #expect(held.isAsked)
        let head = HTTPRequest(method: .post, scheme: "http", authority: "localhost", path: "/")
        for part in [HTTPRequestPart.head(head), .body(ByteBuffer(string: "x")), .end(nil)] { try channel.writeInbound(part) }
        #expect(try channel.readInbound(as: HTTPRequestPart.self) == nil)
    }
}

/// Keeps a connection from being closed.
private final class CloseHolder: ChannelOutboundHandler {
    typealias OutboundIn = Never

    private(set) var isAsked = false

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) { isAsked = true }
}

/// When a client is told to send the body that it asks about.
@Suite struct ContinueHandlerTests {
    private func connection() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandler(ContinueHandler(bodyByteLimit: 1_000))
        return channel
    }

    private func ask(_ channel: EmbeddedChannel, length: Int?, expecting: Bool = true) throws {
        var head = HTTPRequest(method: .post, scheme: "http", authority: "localhost", path: "/")
        head.headerFields[.contentLength] = length.map(String.init)
        if expecting { head.headerFields[.expect] = "100-Continue" }
        try channel.writeInbound(HTTPRequestPart.head(head))
    }

    private func isToldToGoOn(_ channel: EmbeddedChannel) throws -> Bool {
        guard case .head(let head)? = try channel.readOutbound(as: HTTPResponsePart.self) else { return false }
        return head.status == .continue
    }

    @Test func whoAsksIsTold() throws {
        for (length, expecting, isTold) in [(1_000, true, true), (nil, true, true), (1_001, true, false), (1_000, false, false)] {
            let channel = try connection()
            try ask(channel, length: length, expecting: expecting)
            #expect(try isToldToGoOn(channel) == isTold, "\(length ?? -1) \(expecting)")
        }
    }

    @Test func notIntoTheMidstOfAnotherAnswer() throws {
        let channel = try connection()
        try ask(channel, length: 5)
        #expect(try isToldToGoOn(channel))
        try ask(channel, length: 5)
        #expect(try !isToldToGoOn(channel))
        for _ in 0..<2 { try channel.writeOutbound(HTTPResponsePart.end(nil)) }
        while try channel.readOutbound(as: HTTPResponsePart.self) != nil {}
        try ask(channel, length: 5)
        #expect(try isToldToGoOn(channel))
    }
}

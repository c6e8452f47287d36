import HTTPTypes
import NIOCore
import QueryAPI
import Telemetry
import TelemetryStore
import Testing

/// Clients that mean no good, over real sockets.
@Suite(.timeLimit(.minutes(1))) struct HardeningTests {
    private static let reading = #"{"device":"d","fields":{"n":1}}"#

    private static func post(_ length: Int, path: String = "/api/v1/write") -> String {
        "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: \(length)\r\n\r\n"
    }

    /// The head of a write; once the server has asked for the body the request is in its hands.
    private static let askingPost = post(reading.utf8.count).replacing("Content-Length", with: "Expect: 100-continue\r\nContent-Length")

    private static func openConnections(_ bed: TestBed) async throws -> Int {
        let text = try await bed.get("/metrics").text
        let line = try #require(text.firstMatch(of: #/(?m)^gaugehouse_http_connections (\d+)$/#))
        return try #require(Int(line.output.1))
    }

    @Test func aHeadThatTricklesIsCutOff() async throws {
        try await TestBed.run(isLive: true, configure: { $0.idleDuration = .seconds(2) }) {
            (bed: TestBed) async throws -> Void in
            let head = "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nX-Slow: \(String(repeating: "x", count: 250))\r\n\r\n"
            let sent = try await RawSocket.run(bed) { try await $0.trickle(head, pause: .milliseconds(50)) }
            #expect(sent < 150, "\(sent) bytes went out")
            let whole = try await RawSocket.run(bed) { socket in
                try await socket.send(head)
                return try await socket.hear("ok\n")
            }
            #expect(whole)
        }
    }

    @Test func aBodyThatTricklesIsCutOffAndASteadyOneIsNot() async throws {
        let configure: @Sendable (inout QueryOptions) -> Void = {
            // A busy machine may stop a steady client for a second.
            $0.progressDuration = .seconds(2)
            $0.progressByteCount = 500
        }
        try await TestBed.run(isLive: true, configure: configure) {
            (bed: TestBed) async throws -> Void in
            let sent = try await RawSocket.run(bed) { socket in
                try await socket.send(Self.post(100_000))
                return try await socket.trickle(String(repeating: " ", count: 200), pause: .milliseconds(50))
            }
            #expect(sent < 150, "\(sent) bytes went out")
            let body = Self.reading + String(repeating: " ", count: 20 * 900 - Self.reading.utf8.count)
            let status = try await RawSocket.run(bed) { socket in
                try await socket.send(Self.post(body.utf8.count))
                for start in stride(from: 0, to: body.utf8.count, by: 900) {
                    try await socket.send(String(body.dropFirst(start).prefix(900)))
                    try await Task.sleep(for: .milliseconds(50))
                }
                _ = try await socket.hear("\r\n\r\n")
                return socket.statuses
            }
            #expect(status == [204])
        }
    }

    @Test func aClientThatGoesAwayLeavesNothingBehind() async throws {
        try await TestBed.run(isLive: true) {
            (bed: TestBed) async throws -> Void in
            for text in [Self.post(1_000) + "[", "GET / HT", Self.post(1_000, path: "/nothing") + "["] {
                try await RawSocket.run(bed) { socket in
                    try await socket.send(text)
                    try await Task.sleep(for: .milliseconds(50))
                }
            }
            var count = 0
            for _ in 0..<100 where count != 1 {
                try await Task.sleep(for: .milliseconds(50))
                count = try await Self.openConnections(bed)
            }
            #expect(count == 1)
        }
    }

    @Test func anAnswerThatIsNotReadIsGivenUp() async throws {
        try await TestBed.run(isLive: true, configure: { $0.progressDuration = .milliseconds(300) }) {
            (bed: TestBed) async throws -> Void in
            for start in stride(from: 0, to: 40_000, by: 20_000) {
                try bed.commit(
                    (start..<(start + 20_000)).map { Reading(device: "device-\($0)", time: TestBed.now, fields: ["x": .integer(1)]) })
            }
            try await RawSocket.run(bed) { socket in
                // 4 MB each: more than the sockets' buffers take together.
                for _ in 0..<8 { try await socket.send("GET /api/v1/devices?limit=100000 HTTP/1.1\r\nHost: localhost\r\n\r\n") }
                var count = 2
                for _ in 0..<100 where count > 1 {
                    try await Task.sleep(for: .milliseconds(100))
                    count = try await Self.openConnections(bed)
                }
                #expect(count == 1)
            }
        }
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: \(String(repeating: "x", count: 70_000))\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\n" + (0..<2_000).map { "X-\($0): \(String(repeating: "y", count: 40))\r\n" }.joined() + "\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\n" + (0..<200).map { "X-\($0): y\r\n" }.joined() + "\r\n",
        "GET /api/v1/latest?devices=\(String(repeating: "d,", count: 40_000)) HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ]) func aHeadBeyondTheLimitsIsA431(head: String) async throws {
        try await TestBed.run(isLive: true, configure: { $0.lingerDuration = .milliseconds(200) }) {
            (bed: TestBed) async throws -> Void in
            let answer = try await RawSocket.run(bed) { socket in
                try await socket.send(head)
                return await socket.hearToEnd()
            }
            #expect(answer.hasPrefix("HTTP/1.1 431 "), "\(answer.prefix(100))")
            #expect(answer.contains("application/problem+json") && answer.lowercased().contains("connection: close"))
            #expect(answer.contains("65536 bytes in at most 100 headers"))
            #expect(answer.contains("X-Content-Type-Options: nosniff") || answer.contains("x-content-type-options: nosniff"))
        }
    }

    @Test func aBodyThatIsSaidToBeTooLongIsRefusedUnread() async throws {
        try await TestBed.run(isLive: true) {
            (bed: TestBed) async throws -> Void in
            for path in ["/api/v1/write", "/write", "/api/v1/latest"] {
                let statuses = try await RawSocket.run(bed) { socket in
                    try await socket.send(Self.post(9 << 20, path: path))
                    _ = try await socket.hear("\r\n\r\n")
                    return socket.statuses
                }
                #expect(statuses == [413], "\(path)")
            }
        }
    }

    @Test func aBodyOfChunksIsCutOffWhereItIsTooLong() async throws {
        let configure: @Sendable (inout QueryOptions) -> Void = {
            $0.bodyByteLimit = 10_000
            $0.lingerDuration = .milliseconds(300)
        }
        try await TestBed.run(isLive: true, configure: configure) {
            (bed: TestBed) async throws -> Void in
            let head = "POST /api/v1/write HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            let chunk = "400\r\n\(String(repeating: " ", count: 1_024))\r\n"
            let heard = try await RawSocket.run(bed) { socket in
                try await socket.send(head)
                // It goes on for ever, whatever it is told.
                for _ in 0..<1_000 {
                    do { try await socket.send(chunk) } catch { break }
                    try await Task.sleep(for: .milliseconds(5))
                }
                return await socket.hearToEnd()
            }
            #expect(heard.hasPrefix("HTTP/1.1 413 "))
            let fits = try await RawSocket.run(bed) { socket in
                try await socket.send(head + "\(String(Self.reading.utf8.count, radix: 16))\r\n\(Self.reading)\r\n0\r\n\r\n")
                _ = try await socket.hear("\r\n\r\n")
                return socket.statuses
            }
            #expect(fits == [204])
        }
    }

    @Test func silentConnectionsKeepNobodyOut() async throws {
        try await TestBed.run(isLive: true, configure: { ($0.connectionLimit, $0.liveClientLimit) = (20, 0) }) {
            (bed: TestBed) async throws -> Void in
            try await RawSocket.run(bed) { busy in
                try await busy.send(Self.askingPost)
                #expect(try await busy.hear("\r\n\r\n"))
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    for _ in 0..<100 {
                        group.addTask {
                            // Closed to make room, or open to the end.
                            try await RawSocket.run(bed) { socket in
                                try await Task.sleep(for: .milliseconds(600))
                                return try await socket.hear("nothing")
                            }
                        }
                    }
                    try await Task.sleep(for: .milliseconds(300))
                    let status = try await RawSocket.run(bed) { socket in
                        try await socket.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
                        #expect(try await socket.hear("gaugehouse_http_connections_refused_total 0\n"))
                        #expect(socket.heard.contains("\ngaugehouse_http_connections 20\n"))
                        return socket.statuses
                    }
                    #expect(status == [200])
                    group.cancelAll()
                    while let _ = await group.nextResult() {}
                }
                // One with a request in hand was not sent away.
                try await busy.send(Self.reading)
                _ = try await busy.hear(" 204 ")
                #expect(busy.statuses == [100, 204])
            }
        }
    }

    @Test func whenAllAreAtWorkOneMoreIsTurnedAway() async throws {
        try await TestBed.run(isLive: true, configure: { ($0.connectionLimit, $0.liveClientLimit) = (2, 0) }) {
            (bed: TestBed) async throws -> Void in
            // One after the other: when the server asks for a body, that request is in its hands.
            try await RawSocket.run(bed) { first in
                try await first.send(Self.askingPost)
                #expect(try await first.hear("\r\n\r\n"))
                try await RawSocket.run(bed) { second in
                    try await second.send(Self.askingPost)
                    #expect(try await second.hear("\r\n\r\n"))
                    do {
                        let heard = try await RawSocket.run(bed) { await $0.hearToEnd() }
                        #expect(heard.isEmpty)
                    } catch let error as ChannelError {
                        // Turned away before we had looked.
                        #expect(error == .ioOnClosedChannel)
                    }
                    try await second.send(Self.reading)
                    _ = try await second.hear(" 204 ")
                    #expect(second.statuses == [100, 204])
                }
            }
        }
    }
}

import HTTPTypes
import NIOCore
import QueryAPI
import Telemetry
import Testing

/// Requests that want to be taken for something else, over real sockets.
@Suite(.timeLimit(.minutes(1))) struct StrangeRequestTests {
    /// Answers to what is sent; the last request asks to close.
    private func statuses(_ bed: TestBed, _ text: String) async throws -> [Int] {
        try await RawSocket.run(bed) { socket in
            try await socket.send(text)
            _ = await socket.hearToEnd()
            return socket.statuses
        }
    }

    private func status(_ bed: TestBed, target: String) async throws -> Int? {
        let all = try await RawSocket.run(bed) { socket in
            try await socket.send("GET \(target) HTTP/1.1\r\nHost: localhost\r\n\r\n")
            _ = try await socket.hear("\r\n\r\n")
            return socket.statuses
        }
        #expect(all.count == 1, "\(target): \(all)")
        return all.first
    }

    @Test func pathsMeanWhatTheySayAndNothingElse() async throws {
        try await TestBed.run(isLive: true, configure: { $0.lingerDuration = .milliseconds(100) }) { (bed: TestBed) async throws -> Void in
            for device in ["a/b", "..", "a\0b", "%2F"] { try bed.commit(device, ["x": .integer(1)]) }
            let expected: [(String, Int)] = [
                ("/api/v1/devices/a%2Fb", 200), ("/api/v1/devices/a%2fb", 200), ("/api/v1/devices/a/b", 404), ("/api/v1/devices/..", 200),
                ("/api/v1/devices/%2e%2E", 200), ("/api/v1/devices/../config", 404), ("/api/v1/../v1/config", 404), ("/../etc/passwd", 404),
                ("/..%2f..%2fetc/passwd", 404), ("//api/v1/tables", 404), ("/api//v1/tables", 404), ("/api/v1/tables/", 404),
                ("/prom/api/v1/label//values", 404), ("/api/v1/devices/", 404),
                ("/api/v1/devices/a%00b", 200), ("/api/v1/devices/%00", 404), ("/api/v1/devices/%252F", 200),
                // Overlong forms of "/" and NUL, half a surrogate, half an escape.
                ("/api/v1/devices/%C0%AF", 400), ("/api/v1/devices/%E0%80%AF", 400), ("/api/v1/devices/%C0%80", 400),
                ("/api/v1/devices/%ED%A0%80", 400), ("/api/v1/devices/%", 400), ("/api/v1/devices/%4", 400), ("/api/v1/devices/%GG", 400),
                ("http://localhost/api/v1/tables", 200), ("http://elsewhere.example/api/v1/tables", 200), ("http://localhost", 200),
                ("*", 404), ("/api/v1/tables#x", 200), ("/API/v1/tables", 404), ("/api/v1/tables%3Ftime=s", 404),
            ]
            for (target, wanted) in expected {
                let found = try await status(bed, target: target)
                #expect(found == wanted, "\(target)")
            }
        }
    }

    @Test func requestsInOneGoAreAnsweredInTheirOrder() async throws {
        try await TestBed.run(isLive: true, configure: { $0.lingerDuration = .milliseconds(100) }) { (bed: TestBed) async throws -> Void in
            let body = #"{"device":"d","fields":{"n":1}}"#
            let text =
                "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n"
                + "POST /api/v1/write HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
                + "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"
                + "GET /api/v1/devices/d HTTP/1.1\r\nHost: localhost\r\n\r\n"
            #expect(try await statuses(bed, text + "what is this\r\n\r\n") == [200, 204, 404, 200, 400])
        }
    }

    /// What a proxy in front could read as another number of requests than this server does: refused, and the connection closed.
    @Test(arguments: [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length: 5, 5\r\n",
        "Content-Length: -5\r\n", "Content-Length: +5\r\n", "Content-Length: 0x5\r\n", "Content-Length: 5 5\r\n", "Content-Length:\r\n",
        "Content-Length: 99999999999999999999\r\n", "Transfer-Encoding: identity\r\n", "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n", "Content-Length : 5\r\n", "Content-Length: 5\r\n folded: x\r\n",
    ]) func lengthsThatContradictAreRefused(headers: String) async throws {
        try await TestBed.run(isLive: true, configure: { $0.lingerDuration = .milliseconds(100) }) { (bed: TestBed) async throws -> Void in
            let next = "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let text = "POST /api/v1/write HTTP/1.1\r\nHost: localhost\r\n\(headers)\r\n0\r\n\r\n\(next)"
            #expect(try await statuses(bed, text) == [400], "\(headers)")
        }
    }

    @Test(arguments: ["/api/v1/tables", "/api/v1/devices/d/latest"]) func twoHostsAreOneTooMany(path: String) async throws {
        try await TestBed.run(isLive: true) { (bed: TestBed) async throws -> Void in
            try bed.commit("d", ["x": .integer(1)])
            let heard = try await RawSocket.run(bed) { socket in
                try await socket.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\nHost: elsewhere\r\n\r\n")
                _ = try await socket.hear("}")
                return socket.heard
            }
            #expect(heard.hasPrefix("HTTP/1.1 400 ") && heard.contains("\"param\":\"host\""))
        }
    }

    @Test(arguments: ["zz\r\n", "-1\r\n", "5\r\nab", "fffffffffffffffff\r\n"]) func chunksThatAreWrongAreA400(chunk: String) async throws {
        try await TestBed.run(isLive: true, configure: { $0.lingerDuration = .milliseconds(100) }) { (bed: TestBed) async throws -> Void in
            let text = "POST /api/v1/write HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n\(chunk)cdef\r\nzz\r\n"
            #expect(try await statuses(bed, text) == [400])
        }
    }

    @Test(arguments: [
        "\r\n\r\n\0\0\0", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "FROB / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nX\u{0}: y\r\n\r\n",
    ])
    func whatIsNoHTTPIsA400(text: String) async throws {
        try await TestBed.run(isLive: true, configure: { $0.lingerDuration = .milliseconds(100) }) { (bed: TestBed) async throws -> Void in
            #expect(try await statuses(bed, text) == [400])
        }
    }
}

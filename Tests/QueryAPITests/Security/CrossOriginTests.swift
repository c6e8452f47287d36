import HTTPTypes
import QueryAPI
import Testing

/// What pages of other origins may do, and what every answer tells browsers.
@Suite struct CrossOriginTests {
    private static let body = #"{"device":"d","fields":{"n":1}}"#
    private static let allowOrigin = HTTPField.Name("access-control-allow-origin")!

    @Test func everyAnswerTellsBrowsersToBeCareful() async throws {
        try await TestBed.run { (bed: TestBed) async throws -> Void in
            for path in ["/", "/api/v1/tables", "/nothing", "/ping", "/metrics", "/api/v1/devices?limit=x"] {
                let headers = try await bed.get(path).headers
                let isPage = headers[.contentType]?.hasPrefix("text/html") == true
                #expect(isPage == (path == "/"))
                let policy = try #require(headers[.contentSecurityPolicy])
                #expect(
                    policy.hasPrefix(isPage ? "default-src 'self';" : "default-src 'none';") && policy.contains("frame-ancestors 'none'"))
                #expect(!policy.contains("unsafe"))
                #expect(headers[.xContentTypeOptions] == "nosniff")
                #expect(headers[HTTPField.Name("x-frame-options")!] == "DENY")
                #expect(headers[HTTPField.Name("referrer-policy")!] == "no-referrer")
                #expect(headers[HTTPField.Name("cross-origin-resource-policy")!] == "same-origin")
                #expect(headers[HTTPField.Name("cross-origin-opener-policy")!] == (isPage ? "same-origin" : nil))
                #expect(headers[Self.allowOrigin] == nil && headers[values: .vary].contains("Origin") == false)
            }
        }
    }

    @Test func otherOriginsAreNotHelpedUnlessTheyAreNamed() async throws {
        let named = "https://grafana.example.net"
        let configure: @Sendable (inout QueryOptions) -> Void = {
            $0.askForTokens()
            $0.corsOrigins = [named]
        }
        try await TestBed.run(configure: configure) { (bed: TestBed) async throws -> Void in
            let answer = try await bed.get("/api/v1/tables", headers: Keys.bearer(Keys.reader, [.origin: named]))
            #expect(answer.headers[Self.allowOrigin] == named)
            #expect(answer.headers[values: .vary].contains("Origin"))
            #expect(answer.headers[HTTPField.Name("access-control-expose-headers")!]?.contains("x-next-page-token") == true)
            #expect(answer.headers[HTTPField.Name("access-control-allow-credentials")!] == nil)
            // Also of errors: the page is to be able to read why.
            #expect(try await bed.get("/api/v1/tables", headers: [.origin: named]).headers[Self.allowOrigin] == named)
            for other in [
                "https://grafana.example.net.evil.example", "http://grafana.example.net", "https://grafana.example.net:8443", "null", "*",
                "",
            ] {
                let answer = try await bed.get("/api/v1/tables", headers: Keys.bearer(Keys.reader, [.origin: other]))
                #expect(answer.headers[Self.allowOrigin] == nil, "\(other)")
                #expect(answer.headers[values: .vary].contains("Origin"))
            }
        }
    }

    @Test func aPreflightNeedsNoTokenAndTellsWhatMayBeSent() async throws {
        let named = "https://grafana.example.net"
        let configure: @Sendable (inout QueryOptions) -> Void = {
            $0.askForTokens()
            $0.corsOrigins = [named]
        }
        try await TestBed.run(configure: configure) { (bed: TestBed) async throws -> Void in
            let question: HTTPFields = [.origin: named, .accessControlRequestMethod: "POST"]
            let answer = try await bed.send(.options, "/api/v1/latest", headers: question)
            #expect(answer.status == 204)
            #expect(answer.headers[Self.allowOrigin] == named)
            #expect(answer.headers[.accessControlAllowMethods] == "GET, HEAD, POST")
            #expect(answer.headers[.accessControlAllowHeaders]?.contains("authorization") == true)
            #expect(answer.headers[.accessControlMaxAge] == "600")
            let other = try await bed.send(
                .options, "/api/v1/latest", headers: [.origin: "https://evil.example", .accessControlRequestMethod: "POST"])
            #expect(other.status == 204)
            #expect(other.headers[Self.allowOrigin] == nil && other.headers[.accessControlAllowMethods] == nil)
        }
    }

    /// Where there are no tokens a visitor's browser is let in: a page elsewhere must not use it.
    @Test func withoutTokensAPageOfAnotherOriginChangesNothing() async throws {
        try await TestBed.run(configure: { $0.corsOrigins = ["https://ours.example"] }) { (bed: TestBed) async throws -> Void in
            func write(_ origin: String?) async throws -> Int {
                var headers: HTTPFields = [.contentType: "text/plain"]
                headers[.origin] = origin
                return try await bed.post("/api/v1/write", "m,device=d x=1", headers: headers).status
            }
            #expect(try await write(nil) == 204)
            #expect(try await write("http://localhost") == 204)
            #expect(try await write("HTTP://LocalHost") == 204)
            #expect(try await write("https://ours.example") == 204)
            for origin in ["https://evil.example", "http://localhost:3000", "null", "http://localhost.evil.example", ""] {
                #expect(try await write(origin) == 403, "\(origin)")
            }
            // To read is harmless: the browser shows the answer to nobody.
            #expect(try await bed.get("/api/v1/tables", headers: [.origin: "https://evil.example"]).status == 200)
        }
    }

    @Test func aNameThatDNSCouldHaveGivenIsNotOurs() async throws {
        try await TestBed.run(isLive: true, configure: { $0.corsOrigins = ["https://proxy.example:8443"] }) {
            (bed: TestBed) async throws -> Void in
            func status(host: String, _ path: String = "/api/v1/tables") async throws -> [Int] {
                try await RawSocket.run(bed) { socket in
                    try await socket.send("GET \(path) HTTP/1.1\r\nHost: \(host)\r\n\r\n")
                    _ = try await socket.hear("\r\n\r\n")
                    return socket.statuses
                }
            }
            let ours = [
                "localhost", "localhost:8080", "LOCALHOST", "127.0.0.1:1", "[::1]:8080", "192.168.1.2", "x.localhost", "proxy.example:8443",
            ]
            for host in ours { #expect(try await status(host: host) == [200], "\(host)") }
            let others = [
                "evil.example", "localhost.evil.example:8080", "evillocalhost", "127.0.0.1.evil.example", "1.2.3", "1.2.3.256",
                "1.2.3.0004",
                "proxy.example",
            ]
            for host in others {
                #expect(try await status(host: host) == [403], "\(host)")
                #expect(try await status(host: host, "/-/healthy") == [200], "\(host)")
            }
        }
    }

    @Test func withTokensTheNameDoesNotMatter() async throws {
        try await TestBed.run(isLive: true, configure: { $0.askForTokens() }) { (bed: TestBed) async throws -> Void in
            let heard = try await RawSocket.run(bed) { socket in
                try await socket.send(
                    "GET /api/v1/tables HTTP/1.1\r\nHost: gauge.example\r\nAuthorization: Bearer \(Keys.reader.text)\r\n\r\n")
                _ = try await socket.hear("\r\n\r\n")
                return socket.statuses
            }
            #expect(heard == [200])
        }
    }
}

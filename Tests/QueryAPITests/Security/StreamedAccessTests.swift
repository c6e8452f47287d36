import HTTPTypes
import QueryAPI
import Telemetry
import TelemetryStore
import Testing

/// Device prefixes in answers that walk over many devices, or never end.
@Suite(.timeLimit(.minutes(1))) struct StreamedAccessTests {
    private static func headers(_ secret: TokenSecret) -> HTTPFields { Keys.bearer(secret, [.contentType: "application/json"]) }

    private func fill(_ bed: TestBed) throws {
        for device in ["line1/a", "line1/b", "line2/a", "line2/b"] {
            for age in 1...3 { try bed.commit(device, ["x": .integer(Int64(age))], age: .seconds(Int64(age))) }
        }
    }

    private func devices(_ bed: TestBed, _ body: String) async throws -> [String] {
        let answer = try await bed.post("/api/v1/query", body, headers: Self.headers(Keys.line1))
        #expect(answer.status == 200, "\(answer.text)")
        return try answer.json["series"]?.elements?.filter { $0["unknown"] == nil }.compactMap { $0["device"]?.text } ?? []
    }

    @Test func aQueryFindsItsDevicesAlone() async throws {
        try await TestBed.run(configure: { $0.askForTokens() }) { (bed: TestBed) async throws -> Void in
            try fill(bed)
            #expect(try await devices(bed, "{}") == ["line1/a", "line1/b"])
            #expect(try await devices(bed, #"{"prefix":"line"}"#) == ["line1/a", "line1/b"])
            #expect(try await devices(bed, #"{"prefix":"line1/b"}"#) == ["line1/b"])
            #expect(try await devices(bed, #"{"prefix":"line2"}"#) == [])
            // Others are not even named.
            for body in ["{}", #"{"prefix":"line"}"#, #"{"prefix":"line2"}"#, #"{"fields":["x"],"format":"csv"}"#] {
                let answer = try await bed.post("/api/v1/query", body, headers: Self.headers(Keys.line1))
                #expect(answer.status == 200 && !answer.text.contains("line2"), "\(body): \(answer.text)")
            }
            // Nor is it told that there are any behind its last.
            let whole = try await bed.post("/api/v1/query", #"{"limit":6}"#, headers: Self.headers(Keys.line1)).json
            #expect(whole["series"]?.elements?.count == 2 && whole["next_page_token"] == nil)
            #expect(try await devices(bed, #"{"devices":["line2/a","line1/b","nothing"]}"#) == ["line1/b"])
            #expect(try await devices(bed, #"{"step":"1s","agg":["avg"],"start":"-10s"}"#) == ["line1/a", "line1/b"])
        }
    }

    @Test func queriesOfPrometheusFindItsDevicesAlone() async throws {
        try await TestBed.run(configure: { $0.askForTokens() }) { (bed: TestBed) async throws -> Void in
            try fill(bed)
            func data(_ path: String) async throws -> JSONValue {
                let answer = try await bed.get("/prom/api/v1/\(path)", headers: Keys.bearer(Keys.line1))
                #expect(answer.status == 200 && !answer.text.contains("line2"), "\(path): \(answer.text)")
                return try #require(try answer.json["data"])
            }
            let now = TestBed.now.microseconds / 1_000_000
            #expect(try await data("label/device/values") == .array([.string("line1/a"), .string("line1/b")]))
            #expect(try await data("series?match[]=x").elements?.count == 2)
            #expect(try await data("query?query=x&time=\(now)")["result"]?.elements?.count == 2)
            #expect(try await data("query_range?query=x&start=\(now - 10)&end=\(now)&step=1")["result"]?.elements?.count == 2)
            let foreign = "x%7Bdevice%3D%22line2%2Fa%22%7D"
            for query in [foreign, "sum(\(foreign))"] {
                let answer = try await bed.get("/prom/api/v1/query?query=\(query)&time=\(now)", headers: Keys.bearer(Keys.line1))
                #expect(try answer.json["data"]?["result"] == .array([]), "\(answer.text)")
            }
        }
    }

    /// Page tokens are no secret: a client may write its own.
    @Test func aForgedPageTokenOpensNothing() async throws {
        try await TestBed.run(configure: { $0.askForTokens() }) { (bed: TestBed) async throws -> Void in
            try fill(bed)
            let first = try await bed.post("/api/v1/query", #"{"limit":1}"#, headers: Self.headers(Keys.line1)).json
            let token = try #require(first["next_page_token"]?.text)
            let forged = try #require(Self.forged(token))
            #expect(try await devices(bed, "{\"limit\":1,\"page_token\":\"\(token)\"}") == ["line1/a"])
            #expect(try await devices(bed, "{\"limit\":1,\"page_token\":\"\(forged)\"}") == [])

            let list = try await bed.get("/api/v1/devices?limit=1", headers: Keys.bearer(Keys.line1)).json
            let given = try #require(list["next_page_token"]?.text)
            let other = try #require(Self.forged(given))
            let page = try await bed.get("/api/v1/devices?limit=1&page_token=\(other)", headers: Keys.bearer(Keys.line1)).json
            #expect(page["devices"]?.elements?.isEmpty == true)
        }
    }

    /// The token with the other line's device in it.
    private static func forged(_ token: String) -> String? {
        guard var bytes = Base64.decode(urlSafe: token) else { return nil }
        let name = Array("line1/a".utf8)
        guard let place = bytes.firstRange(of: name) else { return nil }
        bytes.replaceSubrange(place, with: Array("line2/a".utf8))
        var text: [UInt8] = []
        text.append(base64: bytes, urlSafe: true)
        return String(decoding: text, as: UTF8.self)
    }

    private static func live(_ query: String = "") -> String {
        "GET /api/v1/live\(query) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(Keys.line1.text)\r\n\r\n"
    }

    @Test(arguments: ["", "?prefix=line", "?prefix=line2/", "?devices=line1/a,line2/a"])
    func theLiveTailShowsItsDevicesAlone(query: String) async throws {
        try await TestBed.run(isLive: true, configure: { $0.askForTokens() }) { (bed: TestBed) async throws -> Void in
            try await RawSocket.run(bed) { socket in
                try await socket.send(Self.live(query))
                #expect(try await socket.hear("event: stats"))
                for device in ["line2/a", "line1/a"] { try bed.commit(device, ["x": .integer(1)]) }
                if query.contains("line2/") && !query.contains("devices") {
                    try await Task.sleep(for: .milliseconds(500))
                } else {
                    #expect(try await socket.hear("\"device\":\"line1/a\""))
                }
                #expect(!socket.heard.contains("line2/a"))
                #expect(!socket.heard.contains("readings_per_s"))
            }
        }
    }

    @Test func aTokenThatExpiresEndsTheLiveTail() async throws {
        var tokens = Keys.tokens
        for index in tokens.indices where tokens[index].name == "line1" { tokens[index].expires = TestBed.now + .hours(1) }
        let security = ServerSecurity(tokens: tokens)
        try await TestBed.run(isLive: true, configure: { $0.security = security }) { (bed: TestBed) async throws -> Void in
            try await RawSocket.run(bed) { socket in
                try await socket.send(Self.live())
                #expect(try await socket.hear("event: stats"))
                bed.clock.advance(by: .hours(1))
                #expect(try await socket.hear("\r\n0\r\n\r\n"))
            }
        }
    }

    @Test func aTokenThatIsRevokedEndsTheLiveTail() async throws {
        let security = ServerSecurity(tokens: Keys.tokens)
        try await TestBed.run(isLive: true, configure: { $0.security = security }) { (bed: TestBed) async throws -> Void in
            try await RawSocket.run(bed) { socket in
                try await socket.send(Self.live())
                #expect(try await socket.hear("event: stats"))
                // Another file with the same line in it changes nothing.
                security.replace(tokens: Keys.tokens.filter { $0.name != "reader" })
                try bed.commit("line1/a", ["x": .integer(1)])
                #expect(try await socket.hear("line1/a"))
                security.replace(tokens: Keys.tokens.filter { $0.name != "line1" })
                // The end mark of the chunks.
                #expect(try await socket.hear("\r\n0\r\n\r\n"))
            }
        }
    }
}

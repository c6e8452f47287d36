import HTTPTypes
import QueryAPI
import Telemetry
import TelemetryStore
import Testing

/// Many long bodies at once.
@Suite(.timeLimit(.minutes(1))) struct BodyBudgetTests {
    private static let reading = #"{"device":"d","fields":{"n":1}}"#
    private static let length = 700 << 10

    private static let head =
        "POST /api/v1/write HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: \(length)\r\n\r\n"

    /// All but the last kilobyte.
    private static let most = reading + String(repeating: " ", count: length - 1_024 - reading.utf8.count)
    private static let rest = String(repeating: " ", count: 1_024)

    private static func heldByteCount(_ bed: TestBed) async throws -> Int {
        let text = try await bed.get("/metrics").text
        let line = try #require(text.firstMatch(of: #/(?m)^gaugehouse_http_body_bytes (\d+)$/#))
        return try #require(Int(line.output.1))
    }

    private static func waitUntilHeld(_ bed: TestBed, _ count: Int) async throws {
        var held = -1
        for _ in 0..<400 where held != count {
            held = try await heldByteCount(bed)
            if held != count { try await Task.sleep(for: .milliseconds(10)) }
        }
        #expect(held == count)
    }

    @Test func oneLongBodyTooManyIsToldToComeBackAndMemoryIsGivenBack() async throws {
        try await TestBed.run(isLive: true, configure: { $0.bodyBudget = 1 << 20 }) { bed in
            // What a body has beyond its first 32 KiB counts.
            let counted = Self.length - 1_024 - (32 << 10)
            try await RawSocket.run(bed) { first in
                try await first.send(Self.head + Self.most)
                try await Self.waitUntilHeld(bed, counted)
                let refused = try await RawSocket.run(bed) { second in
                    try await second.send(Self.head + Self.most)
                    #expect(try await second.hear("request_id"))
                    return second.heard
                }
                #expect(refused.hasPrefix("HTTP/1.1 503 "))
                #expect(refused.lowercased().contains("retry-after: 1\r\n") && refused.contains("/problems/overloaded"))
                // What the refused one had is given back, what the first one has is not.
                try await Self.waitUntilHeld(bed, counted)
                let short = try await bed.post("/api/v1/write", Self.reading)
                #expect(short.status == 204, "\(short.text)")
                try await first.send(Self.rest)
                #expect(try await first.hear(" 204 "))
            }
            try await Self.waitUntilHeld(bed, 0)
            let again = try await bed.post("/api/v1/write", Self.most)
            #expect(again.status == 204, "\(again.text)")
            #expect(try await bed.get("/metrics").lines.contains("gaugehouse_http_bodies_refused_total 1"))
        }
    }

    @Test func whoGoesAwayWithinABodyLeavesNothingBehind() async throws {
        try await TestBed.run(isLive: true) { bed in
            try await RawSocket.run(bed) { socket in
                try await socket.send(Self.head + Self.most)
                try await Self.waitUntilHeld(bed, Self.length - 1_024 - (32 << 10))
            }
            try await Self.waitUntilHeld(bed, 0)
        }
    }

    @Test func everyKindOfBodyCounts() async throws {
        try await TestBed.run(configure: { $0.bodyBudget = 1_000 }) { bed in
            let long = String(repeating: " ", count: 40 << 10)
            for path in ["/api/v1/write", "/write", "/api/v2/write", "/api/v1/query", "/api/v1/latest"] {
                let answer = try await bed.post(path, long)
                #expect(answer.status == 503, "\(path): \(answer.text)")
                #expect(answer.headers[.retryAfter] == "1", "\(path)")
            }
            let form = try await bed.post(
                "/prom/api/v1/query", "query=1&x=\(String(repeating: "x", count: 40 << 10))",
                headers: [.contentType: "application/x-www-form-urlencoded"])
            #expect(form.status == 503, "\(form.text)")
            // The free bytes and the whole budget fit, one more does not.
            let longest = String(repeating: " ", count: (32 << 10) + 1_000)
            try await bed.expectProblem(400, param: "body", method: .post, "/api/v1/query", body: longest)
            #expect(try await bed.post("/api/v1/query", longest + " ").status == 503)
            try await bed.expectProblem(400, param: "body", method: .post, "/api/v1/query", body: longest)
        }
    }

    /// Without a place on a reader thread only what is parsed at once is judged.
    @Test func longBodiesAreParsedWhereTheyHoldUpNobody() async throws {
        try await TestBed.run(configure: { $0.queueLimit = 0 }) { bed in
            let short = try await bed.post("/api/v1/query", "x" + String(repeating: " ", count: (64 << 10) - 1))
            #expect(short.status == 400, "\(short.text)")
            let long = try await bed.post("/api/v1/query", "x" + String(repeating: " ", count: 64 << 10))
            #expect(long.status == 503, "\(long.text)")
        }
        try await TestBed.run { bed in
            try bed.commit("a", ["x": .integer(1)])
            let padding = String(repeating: " ", count: 100 << 10)
            let query = #"{"devices":["a"],"limit":1\#(padding)}"#
            let answer = try await bed.post("/api/v1/query", query)
            #expect(try answer.json["series"]?[0]?["device"] == .string("a"), "\(answer.text)")
            try await bed.expectProblem(400, param: "body", method: .post, "/api/v1/query", body: padding + "x")
            try await bed.expectProblem(400, param: "nope", method: .post, "/api/v1/query", body: #"{"nope":1\#(padding)}"#)
        }
    }
}

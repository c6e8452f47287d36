import HTTPTypes
import QueryAPI
import Synchronization
import Telemetry
import Testing

/// `/api/v1/dead-letters`.
@Suite struct DeadLetterTests {
    private struct Damage: Error, CustomStringConvertible { let description = "read /x: Input/output error" }

    private final class Asked: Sendable {
        let last = Mutex<(reason: RejectReason?, limit: Int)?>(nil)
    }

    private static func sample(_ payload: [UInt8], broker: String? = "b:1883") -> DeadLetterSample {
        DeadLetterSample(
            time: TestBed.now, broker: broker, topic: "t/<b>", reason: "late", detail: "too \"old\"", payload: payload,
            payloadByteCount: payload.count)
    }

    @Test func lettersAreShownAsTheyCame() async throws {
        var sources = QuerySources()
        sources.deadLetters = { _, _ in [Self.sample(Array(#"{"a":1}"#.utf8)), Self.sample([0xFF, 0x00], broker: nil)] }
        try await TestBed.run(sources: sources) { bed in
            let answer = try await bed.get("/api/v1/dead-letters")
            let shared = #""broker":"b:1883","topic":"t/<b>","reason":"late","detail":"too \"old\"","#
            let first = #"{"time":1764000000000,"# + shared + #""payload_bytes":7,"payload":"{\"a\":1}"}"#
            let second =
                #"{"time":1764000000000,"# + shared.replacing(#""b:1883""#, with: "null") + #""payload_bytes":2,"payload_base64":"/wA="}"#
            #expect(answer.text == "{\"dead_letters\":[\(first),\(second)]}\n")
        }
    }

    /// Two, three and four bytes a character, whose middle is where the cut is.
    @Test(arguments: ["é", "€", "😀"], 0..<4) func aLongPayloadIsCutBetweenCharacters(character: String, shift: Int) async throws {
        let text = String(repeating: "x", count: shift) + String(repeating: character, count: 2_000)
        var sources = QuerySources()
        sources.deadLetters = { _, _ in [Self.sample(Array(text.utf8))] }
        try await TestBed.run(sources: sources) { bed in
            let letter = try #require(try await bed.get("/api/v1/dead-letters").json["dead_letters"]?[0])
            let shown = try #require(letter["payload"]?.text)
            #expect(text.hasPrefix(shown) && (2_045...2_048).contains(shown.utf8.count))
            #expect(letter["payload_bytes"]?.number == "\(text.utf8.count)")
        }
    }

    @Test func reasonAndLimitArePassedOn() async throws {
        let asked = Asked()
        var sources = QuerySources()
        sources.deadLetters = { reason, limit in
            asked.last.withLock { $0 = (reason, limit) }
            return []
        }
        try await TestBed.run(sources: sources) { bed in
            #expect(try await bed.get("/api/v1/dead-letters").json["dead_letters"]?.elements?.isEmpty == true)
            #expect(asked.last.withLock { $0?.reason == nil && $0?.limit == 100 })
            _ = try await bed.get("/api/v1/dead-letters?reason=bad-time&limit=1000&time=rfc3339")
            #expect(asked.last.withLock { $0?.reason == .badTime && $0?.limit == 1_000 })
            for limit in ["0", "1001", "-1", "x", "", "99999999999999999999"] {
                try await bed.expectProblem(400, param: "limit", "/api/v1/dead-letters?limit=\(limit)")
            }
            for reason in ["later", ""] { try await bed.expectProblem(400, param: "reason", "/api/v1/dead-letters?reason=\(reason)") }
            try await bed.expectProblem(400, param: "time", "/api/v1/dead-letters?time=noon")
            try await bed.expectProblem(400, param: "topic", "/api/v1/dead-letters?topic=x")
            try await bed.expectProblem(405, param: nil, method: .post, "/api/v1/dead-letters", body: "")
        }
    }

    @Test func filesThatCannotBeReadAreSaid() async throws {
        var sources = QuerySources()
        sources.deadLetters = { _, _ in throw Damage() }
        try await TestBed.run(sources: sources) { bed in
            try await bed.expectProblem(500, param: nil, "/api/v1/dead-letters")
            #expect(try await bed.get("/api/v1/dead-letters").json["detail"]?.text == "read /x: Input/output error")
        }
    }
}

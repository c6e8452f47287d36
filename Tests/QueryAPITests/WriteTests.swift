import HTTPTypes
import Hummingbird
import QueryAPI
import Telemetry
import TelemetryStore
import Testing

/// POST `/write`.
@Suite struct WriteTests {
    @Test func oneReadingOrAListIsStoredBeforeTheAnswer() async throws {
        try await TestBed.run { bed in
            let one = try await bed.post("/api/v1/write", #"{"device":"d/1","time":1764000000000,"fields":{"temp":21.5,"ok":true}}"#)
            #expect(one.status == 204)
            #expect(one.text.isEmpty)
            let list = """
                [{"device":"d2","time":1763999999,"fields":{"n":1}},
                 {"device":"d2","time":"2025-11-24T16:00:00Z","fields":{"n":2}}]
                """
            #expect(try await bed.post("/api/v1/write?table=telemetry", list).status == 204)
            #expect(try await bed.get("/api/v1/devices/d%2F1/latest").json["values"]?["temp"]?["value"] == .number("21.5"))
            #expect(try await bed.get("/api/v1/devices/d2/range?end=now%2B1s").json["rows"]?.elements?.count == 2)
            #expect(try await bed.post("/api/v1/write", "[]").status == 204)
        }
    }

    @Test func aReadingWithoutATimeGetsTheReceiveTime() async throws {
        try await TestBed.run { bed in
            let answer = try await bed.post("/api/v1/write", #"{"device":"d","fields":{"n":1}}"#)
            #expect(answer.status == 204)
            #expect(try await bed.get("/api/v1/devices/d/latest").json["time"] == .number("1764000000000"))
        }
    }

    @Test func theGoodReadingsOfAPartlyBadBodyAreStored() async throws {
        try await TestBed.run { bed in
            let body = """
                [{"device":"d","time":1764000000000,"fields":{"n":1}},
                 {"time":1764000000000,"fields":{"n":1}},
                 {"device":"d","time":1000000000,"fields":{"n":1}},
                 {"device":"d","time":1763999999000,"fields":{"n":2}},
                 {"device":"d","time":1774000000000,"fields":{"n":1}},
                 {"device":"d","time":"noon","fields":{"n":1}},
                 {"device":"\(String(repeating: "x", count: 257))","fields":{"n":1}}]
                """
            let answer = try await bed.post("/api/v1/write", body)
            #expect(answer.status == 400)
            #expect(answer.headers[.contentType] == "application/problem+json")
            let problem = try answer.json
            #expect(problem["type"] == .string("/problems/rejected-readings"))
            #expect(problem["accepted"] == .number("2"))
            #expect(problem["rejected"] == .number("5"))
            let errors = problem["errors"]?.elements?.map { "\($0["index"]?.number ?? "") \($0["reason"]?.text ?? "")" }
            #expect(errors == ["1 no-device", "2 late", "4 future", "5 bad-time", "6 device-too-long"])
            #expect(try await bed.get("/api/v1/devices/d/range?end=now%2B1s").json["rows"]?.elements?.count == 2)
        }
    }

    @Test func readingsThatComeTooFastAreRefusedAndTakenLater() async throws {
        var table = TableOptions(name: "telemetry")
        (table.limits.deviceReadingsPerSecond, table.limits.maxDevices, table.limits.burst) = (1, 2, .seconds(2))
        try await TestBed.run(tables: [table]) { bed in
            func body(_ devices: String...) -> String {
                "["
                    + devices.enumerated().map { #"{"device":"\#($1)","time":\#(1_764_000_000_000 - $0),"fields":{"n":1}}"# }.joined(
                        separator: ",") + "]"
            }
            let partly = try await bed.post("/api/v1/write", body("a", "a", "a", "b", "c"))
            #expect(partly.status == 400 && partly.headers[.retryAfter] == nil)
            let errors = try partly.json["errors"]?.elements?.map { "\($0["index"]?.number ?? "") \($0["reason"]?.text ?? "")" }
            #expect(errors == ["2 rate-limited", "4 device-limit"])
            let whole = try await bed.post("/api/v1/write", body("a", "a"))
            #expect(whole.status == 429 && whole.headers[.retryAfter] == "1")
            #expect(try whole.json["type"] == .string("/problems/rate-limited") && whole.json["accepted"] == .number("0"))
            bed.clock.advance(by: .seconds(1))
            #expect(try await bed.post("/api/v1/write", body("a")).status == 204)
            #expect(bed.store.statistics.rejected == [.rateLimited: 3, .deviceLimit: 1])
        }
    }

    @Test func onlyTheFirstFiftyBadReadingsAreListed() async throws {
        try await TestBed.run { bed in
            let body = "[" + (0..<80).map { _ in #"{"device":"","fields":{"n":1}}"# }.joined(separator: ",") + "]"
            let problem = try await bed.post("/api/v1/write", body).json
            #expect(problem["accepted"] == .number("0"))
            #expect(problem["rejected"] == .number("80"))
            #expect(problem["errors"]?.elements?.count == 50)
        }
    }

    @Test func bodiesThatAreNotReadingsAreRefusedWhole() async throws {
        try await TestBed.run { bed in
            for body in ["", "x", "{", "[1", #"[{"device":"d","fields":{"n":1}}"#, "\u{0}"] {
                try await bed.expectProblem(400, param: "body", method: .post, "/api/v1/write", body: body)
            }
            #expect(bed.store.statistics.readings == 0)
            try await bed.expectProblem(404, param: "table", method: .post, "/api/v1/write?table=none", body: "[]")
            try await bed.expectProblem(400, param: "precision", method: .post, "/api/v1/write?precision=s", body: "[]")
            for type in ["text/html", "application/octet-stream", "text"] {
                try await bed.expectProblem(
                    415, param: "content-type", method: .post, "/api/v1/write", headers: [.contentType: type], body: "[]")
            }
            try await bed.expectProblem(
                415, param: "content-encoding", method: .post, "/api/v1/write", headers: [.contentEncoding: "br"], body: "[]")
        }
    }

    @Test func bodiesBeyondTheLimitAreRefused() async throws {
        try await TestBed.run(isLive: true, configure: { $0.bodyByteLimit = 100_000 }) { bed in
            let padding = String(repeating: " ", count: 99_960)
            let long = "[" + padding + padding + "]"
            try await bed.expectProblem(413, param: nil, method: .post, "/api/v1/write", body: long)
            #expect(try await bed.post("/api/v1/write", #"[\#(padding){"device":"d","fields":{"n":1}}]"#).status == 204)
            let many = "[" + Array(repeating: "{}", count: 33_000).joined(separator: ",") + "]"
            #expect(try await bed.post("/api/v1/write", many).status == 400)
        }
    }

    @Test func tooManyReadingsInOneBodyAreRefusedWhole() async throws {
        try await TestBed.run { bed in
            let many = "[" + Array(repeating: #"{"device":"d","fields":{"n":1}}"#, count: 65_537).joined(separator: ",") + "]"
            try await bed.expectProblem(413, param: nil, method: .post, "/api/v1/write", body: many)
            #expect(bed.store.statistics.readings == 0)
        }
    }

    @Test func writersAtOnceAllFindTheirReadings() async throws {
        try await TestBed.run { bed in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<64 {
                    group.addTask {
                        try await bed.post("/api/v1/write", #"{"device":"d\#(number)","fields":{"n":\#(number)}}"#).status
                    }
                }
                for try await status in group { #expect(status == 204) }
            }
            #expect(try await bed.get("/api/v1/devices").json["devices"]?.elements?.count == 64)
        }
    }
}

import Foundation
import HTTPTypes
import Hummingbird
import QueryAPI
import Telemetry
import TelemetryStore
import Testing

/// `/devices/{id}/latest` and `/latest`.
@Suite struct LatestTests {
    @Test func eachFieldComesWithItsOwnTime() async throws {
        try await TestBed.run { bed in
            try bed.commit("d1", ["temp": .double(20), "status": .string("a\"b\nü")], age: .seconds(10))
            try bed.commit("d1", ["temp": .double(21.5), "raw": .binary([0xFF, 0x00]), "n": .integer(-7)])
            let answer = try await bed.get("/api/v1/devices/d1/latest")
            #expect(answer.status == 200)
            #expect(answer.headers[.contentType] == "application/json")
            #expect(answer.headers[.cacheControl] == "no-cache")
            let json = try answer.json
            #expect(json.names == ["device", "table", "time", "values"])
            #expect(json["time"] == .number("1764000000000"))
            #expect(json["values"]?["temp"]?["value"] == .number("21.5"))
            #expect(json["values"]?["temp"]?["time"] == .number("1764000000000"))
            #expect(json["values"]?["status"]?["value"] == .string("a\"b\nü"))
            #expect(json["values"]?["status"]?["time"] == .number("1763999990000"))
            #expect(json["values"]?["raw"]?["value"] == .string("/wA="))
            #expect(json["values"]?["n"]?["value"] == .number("-7"))
        }
    }

    @Test func fieldsSelectAndTimeFormats() async throws {
        try await TestBed.run { bed in
            try bed.commit("d1", ["temp": .double(20), "a,b": .integer(1), "my field": .integer(2)])
            func values(_ query: String) async throws -> [String]? {
                try await bed.get("/api/v1/devices/d1/latest" + query).json["values"]?.names
            }
            #expect(try await values("?fields=temp") == ["temp"])
            // Most clients encode the comma; it separates all the same.
            #expect(try await values("?fields=my+field%2Ctemp") == ["my field", "temp"])
            #expect(try await values("?fields=my+field") == ["my field"])
            #expect(try await bed.get("/api/v1/devices/d1/latest?time=rfc3339").json["time"] == .string("2025-11-24T16:00:00Z"))
            #expect(try await bed.get("/api/v1/devices/d1/latest?time=ns").json["time"] == .number("1764000000000000000"))
        }
    }

    @Test(arguments: [
        ("a/b", "a%2Fb"), ("ü ö", "%C3%BC%20%C3%B6"), ("100%", "100%25"), ("%2F", "%252F"), ("a?b#c", "a%3Fb%23c"),
        ("x,y&z=1", "x%2Cy%26z%3D1"), ("..", "%2E%2E"), ("range", "range"), ("a+b", "a+b"),
        ("😀", "%F0%9F%98%80"), ("\"<img>", "%22%3Cimg%3E"), ("a\u{0}b", "a%00b"),
    ])
    func deviceIdsMayHoldAnyCharacter(_ id: String, _ encoded: String) async throws {
        try await TestBed.run { bed in
            try bed.commit(id, ["x": .integer(1)])
            #expect(try await bed.get("/api/v1/devices/\(encoded)/latest").json["device"] == .string(id))
            #expect(try await bed.get("/api/v1/devices/\(encoded)").json["id"] == .string(id))
            #expect(try await bed.get("/api/v1/devices/\(encoded)/range").json["device"] == .string(id))
            // A comma separates the names of a list, encoded or not; ids that hold one go into the body.
            let json = String(decoding: try JSONEncoder().encode(["devices": [id]]), as: UTF8.self)
            let posted = try await bed.post("/api/v1/latest", json).json
            #expect(posted["rows"]?[0]?["time"] == .number("1764000000000"))
            guard !id.contains(",") else { return }
            let listed = encoded.replacing("+", with: "%2B")
            #expect(try await bed.get("/api/v1/latest?devices=\(listed)").json["rows"]?[0]?["time"] == .number("1764000000000"))
        }
    }

    @Test func badDevicesAndFieldsAreNamed() async throws {
        try await TestBed.run { bed in
            try bed.commit("d1", ["x": .integer(1)])
            try await bed.expectProblem(404, param: "id", "/api/v1/devices/none/latest")
            try await bed.expectProblem(404, param: "id", "/api/v1/devices/none/latest?fields=nope")
            try await bed.expectProblem(404, param: "id", "/api/v1/devices/\(String(repeating: "a", count: 300))/latest")
            try await bed.expectProblem(400, param: "id", "/api/v1/devices/%ZZ/latest")
            try await bed.expectProblem(400, param: "id", "/api/v1/devices/%FF/latest")
            try await bed.expectProblem(400, param: "id", "/api/v1/devices/a%2/latest")
            try await bed.expectProblem(404, param: nil, "/api/v1/devices//latest")
            try await bed.expectProblem(404, param: nil, "/api/v1/devices/a/b/latest")
            for query in ["fields=nope", "fields=", "fields=x,", "fields=,", "fields=x,x"] {
                try await bed.expectProblem(400, param: "fields", "/api/v1/devices/d1/latest?\(query)")
                try await bed.expectProblem(400, param: "fields", "/api/v1/latest?\(query)")
            }
            try await bed.expectProblem(400, param: "devices", "/api/v1/latest?devices=a&prefix=b")
            try await bed.expectProblem(400, param: "devices", "/api/v1/latest?devices=")
            try await bed.expectProblem(400, param: "devices", "/api/v1/latest?devices=a,,b")
            try await bed.expectProblem(400, param: "limit", "/api/v1/latest?limit=0")
        }
    }

    @Test func manyDevicesComeByListByPrefixAndByBody() async throws {
        try await TestBed.run { bed in
            for name in ["a", "b", "c,d", "line/e"] { try bed.commit(name, ["x": .integer(1)]) }
            func devices(_ answer: TestAnswer) throws -> [String?]? { try answer.json["rows"]?.elements?.map { $0["device"]?.text } }
            #expect(try devices(await bed.get("/api/v1/latest")) == ["a", "b", "c,d", "line/e"])
            #expect(try devices(await bed.get("/api/v1/latest?prefix=line/")) == ["line/e"])
            let listed = try await bed.get("/api/v1/latest?devices=line%2Fe%2Cnobody,a")
            #expect(try devices(listed) == ["line/e", "nobody", "a"])
            #expect(try listed.json["rows"]?[1]?["time"] == .null)
            #expect(try listed.json["rows"]?[1]?["unknown"] == .boolean(true))
            #expect(try listed.json["rows"]?[0]?["unknown"] == nil)
            let posted = try await bed.post("/api/v1/latest", #"{"devices":["b","c,d","line\/e"]}"#)
            #expect(try devices(posted) == ["b", "c,d", "line/e"])
            #expect(posted.headers[.eTag] == nil)
            #expect(try devices(await bed.post("/api/v1/latest", #"{"devices":[]}"#)) == [])
        }
    }

    @Test func badBodiesOfListsAreNamed() async throws {
        try await TestBed.run { bed in
            let cases: [(String, String)] = [
                ("", "body"), ("x", "body"), ("[]", "body"), ("{}", "devices"), (#"{"devices":"a"}"#, "devices"),
                (#"{"devices":[1]}"#, "devices"), (#"{"devices":[],"colour":1}"#, "colour"),
                (#"{"devices":[],"devices":[]}"#, "devices"), (#"{"devices":["a"]"#, "body"),
            ]
            for (body, param) in cases { try await bed.expectProblem(400, param: param, method: .post, "/api/v1/latest", body: body) }
            try await bed.expectProblem(400, param: "prefix", method: .post, "/api/v1/latest?prefix=a", body: "{}")
        }
    }

    @Test func pagesOfLatestAddUpToTheWhole() async throws {
        try await TestBed.run { bed in
            for number in 0..<23 { try bed.commit("d\(number)", ["x": .integer(Int64(number))]) }
            let list = (0..<23).reversed().map { "d\($0)" }.joined(separator: ",")
            for query in ["prefix=d", "devices=\(list)"] {
                let whole = try await bed.pages("/api/v1/latest?\(query)", "rows")
                #expect(whole.count == 1 && whole[0].count == 23)
                for limit in [1, 5, 23] {
                    let pages = try await bed.pages("/api/v1/latest?\(query)&limit=\(limit)", "rows")
                    #expect(pages.flatMap { $0 } == whole[0], "\(query) limit \(limit)")
                }
            }
        }
    }

    @Test(arguments: ["/api/v1/devices/d1/latest", "/api/v1/latest?prefix=d", "/api/v1/latest?devices=d1"])
    func theTagHoldsUntilACommitOrAnExpiry(_ uri: String) async throws {
        var table = TableOptions(name: "telemetry")
        table.ttl = .seconds(60)
        try await TestBed.run(tables: [table]) { bed in
            try bed.commit("d1", ["x": .integer(1)])
            func status(_ tag: String) async throws -> Int { try await bed.get(uri, headers: [.ifNoneMatch: tag]).status }
            let tag = try #require(try await bed.get(uri).headers[.eTag])
            #expect(tag.hasPrefix("W/\"") && tag.hasSuffix("\""))
            let unchanged = try await bed.get(uri, headers: [.ifNoneMatch: tag])
            #expect(unchanged.status == 304)
            #expect(unchanged.text.isEmpty)
            #expect(unchanged.headers[.eTag] == tag)
            #expect(try await status("\"x\", \(tag)") == 304)
            #expect(try await status("\"x\"") == 200)
            #expect(try await bed.get(uri + (uri.contains("?") ? "&" : "?") + "time=s", headers: [.ifNoneMatch: tag]).status == 200)
            bed.clock.advance(by: .seconds(59))
            #expect(try await status(tag) == 304)
            // No commit, but the value is gone.
            bed.clock.advance(by: .seconds(2))
            let expired = try await bed.get(uri, headers: [.ifNoneMatch: tag])
            #expect(expired.status == 200)
            #expect(!expired.text.contains("\"x\""))
            try bed.commit("d1", ["x": .integer(2)])
            let next = try #require(try await bed.get(uri).headers[.eTag])
            #expect(next != tag)
            try bed.commit("d2", ["x": .integer(2)])
            #expect(try await status(next) == 200)
        }
    }

    /// A client may hold one tag for all that it asks.
    @Test func theTagOfAPageIsNotThatOfAnother() async throws {
        try await TestBed.run { bed in
            for name in ["a", "b", "c", "d"] { try bed.commit(name, ["x": .integer(1)]) }
            for query in ["prefix=", "devices=a,b,c,d"] {
                let uri = "/api/v1/latest?\(query)"
                let first = try await bed.get(uri + "&limit=2")
                let tag = try #require(first.headers[.eTag])
                let token = try #require(try first.json["next_page_token"]?.text)
                for other in [uri, uri + "&limit=3", uri + "&limit=2&page_token=\(token)", uri + "&limit=2&fields=x"] {
                    #expect(try await bed.get(other, headers: [.ifNoneMatch: tag]).status == 200, "\(other)")
                }
                #expect(try await bed.get(uri + "&limit=2", headers: [.ifNoneMatch: tag]).status == 304)
            }
        }
    }

    @Test func expiredValuesAreNeverShown() async throws {
        var table = TableOptions(name: "telemetry")
        table.ttl = .seconds(60)
        try await TestBed.run(tables: [table]) { bed in
            try bed.commit("d1", ["old": .integer(1)], age: .seconds(50))
            try bed.commit("d1", ["new": .integer(2)])
            bed.clock.advance(by: .seconds(20))
            #expect(try await bed.get("/api/v1/devices/d1/latest").json["values"]?.names == ["new"])
            #expect(try await bed.get("/api/v1/latest").json["rows"]?[0]?["values"]?.names == ["new"])
            #expect(try await bed.get("/api/v1/devices/d1/range").json["rows"]?.elements?.count == 1)
            bed.clock.advance(by: .seconds(60))
            let gone = try await bed.get("/api/v1/devices/d1/latest")
            if gone.status == 200 {
                #expect(try gone.json["time"] == .null)
                #expect(try gone.json["values"] == .object([]))
            } else {
                #expect(gone.status == 404)
            }
            #expect(!(try await bed.get("/api/v1/devices/d1/range?format=csv").text.contains("1764")))
        }
    }
}

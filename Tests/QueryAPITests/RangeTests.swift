import HTTPTypes
import Hummingbird
import QueryAPI
import Telemetry
import TelemetryStore
import Testing

/// `/devices/{id}/range`.
@Suite struct RangeTests {
    /// Ten readings, one a second, the newest now; `status` in every second one.
    private static func fill(_ bed: TestBed) throws {
        for age in 0..<10 {
            var fields: [String: FieldValue] = ["temp": .double(20 + Double(age) / 2)]
            if age % 2 == 0 { fields["status"] = .string("s\(age)") }
            try bed.commit("d1", fields, age: .seconds(Int64(age)))
        }
    }

    private func times(_ answer: TestAnswer) throws -> [Int] {
        try answer.json["rows"]?.elements?.compactMap { Int($0[0]?.number ?? "") }.map { ($0 - 1_764_000_000_000) / 1_000 } ?? []
    }

    @Test func theTableShapeNamesItsColumns() async throws {
        try await TestBed.run { bed in
            try Self.fill(bed)
            bed.clock.advance(by: .seconds(1))
            let answer = try await bed.get("/api/v1/devices/d1/range?limit=2&fields=temp,status")
            #expect(
                answer.text.hasPrefix(
                    #"{"device":"d1","table":"telemetry","columns":[{"name":"time","type":"timestamp_ms"},"#
                        + #"{"name":"temp","type":"double"},{"name":"status","type":"string"}],"#
                        + #""rows":[[1764000000000,20.0,"s0"],[1763999999000,20.5,null]],"next_page_token":""#))
            #expect(try times(await bed.get("/api/v1/devices/d1/range")) == Array((-9...0).reversed()))
            #expect(try times(await bed.get("/api/v1/devices/d1/range?order=asc")) == Array(-9...0))
        }
    }

    @Test func startIsInclusiveAndEndIsNot() async throws {
        try await TestBed.run { bed in
            try Self.fill(bed)
            let expected: [(String, [Int])] = [
                ("start=1763999995000&end=1763999998000", [-3, -4, -5]), ("start=-5s", [-1, -2, -3, -4, -5]),
                ("end=now-7s", [-8, -9]), ("start=-2s&end=now%2B1s", [0, -1, -2]), ("start=-2s&end=now+1s", [0, -1, -2]),
                ("start=2025-11-24T17:59:58+02:00", [-1, -2]), ("start=2025-11-24T15:59:58Z", [-1, -2]),
                ("start=2025-11-24+15:59:58Z", [-1, -2]), ("start=2025-11-24%2015:59:58Z", [-1, -2]),
                ("start=now&end=now", []), ("start=0&end=99999999999", [0, -1, -2, -3, -4, -5, -6, -7, -8, -9]),
                ("start=-9223372036854775808&end=9223372036854775807", [0, -1, -2, -3, -4, -5, -6, -7, -8, -9]),
                ("start=1763999995.5&end=1763999996500", [-4]),
            ]
            for (query, rows) in expected {
                #expect(try times(await bed.get("/api/v1/devices/d1/range?\(query)")) == rows, "\(query)")
            }
        }
    }

    @Test func everyFormatHoldsTheSameRows() async throws {
        try await TestBed.run { bed in
            try bed.commit("d1", ["a": .string("x,\"y\"\n"), "b": .double(1.5), "c": .string("")], age: .seconds(2))
            try bed.commit("d1", ["b": .double(2), "time": .integer(5)], age: .seconds(1))
            let path = "/api/v1/devices/d1/range?order=asc"
            let objects = try await bed.get(path + "&shape=objects")
            #expect(
                objects.text == #"{"device":"d1","table":"telemetry","rows":["#
                    + #"{"time":1763999998000,"a":"x,\"y\"\n","b":1.5,"c":"","field_time":null},"#
                    + #"{"time":1763999999000,"a":null,"b":2.0,"c":null,"field_time":5}]}"# + "\n")
            let lines = try await bed.get(path + "&format=ndjson")
            #expect(lines.headers[.contentType] == "application/x-ndjson")
            #expect(
                lines.text == #"{"time":1763999998000,"a":"x,\"y\"\n","b":1.5,"c":"","field_time":null}"# + "\n"
                    + #"{"time":1763999999000,"a":null,"b":2.0,"c":null,"field_time":5}"# + "\n")
            let csv = try await bed.get(path + "&format=csv&time=rfc3339")
            #expect(csv.headers[.contentType] == "text/csv; charset=utf-8")
            #expect(
                csv.text == "time,a,b,c,time\r\n2025-11-24T15:59:58Z,\"x,\"\"y\"\"\n\",1.5,\"\",\r\n2025-11-24T15:59:59Z,,2.0,,5\r\n")
        }
    }

    @Test func theFormatIsNegotiated() async throws {
        try await TestBed.run { bed in
            try bed.commit("d1", ["x": .integer(1)])
            let uri = "/api/v1/devices/d1/range"
            let accepted: [(String, String)] = [
                ("text/csv", "text/csv; charset=utf-8"), ("application/x-ndjson", "application/x-ndjson"), ("*/*", "application/json"),
                ("text/html, */*;q=0.1", "application/json"), ("text/*", "text/csv; charset=utf-8"),
                ("application/json;q=0.5, text/csv", "text/csv; charset=utf-8"), ("application/json;q=0, */*", "application/x-ndjson"),
                ("TEXT/CSV; charset=utf-8", "text/csv; charset=utf-8"),
            ]
            for (accept, type) in accepted {
                #expect(try await bed.get(uri, headers: [.accept: accept]).headers[.contentType] == type, "\(accept)")
            }
            for accept in ["image/png", "text/html", "application/json;q=0", "x", ""] {
                try await bed.expectProblem(406, param: "accept", uri, headers: [.accept: accept])
            }
            // The parameter wins.
            #expect(try await bed.get(uri + "?format=csv", headers: [.accept: "image/png"]).status == 200)
        }
    }

    @Test(arguments: ["desc", "asc"]) func pagesOfARangeAddUpToTheWhole(_ order: String) async throws {
        try await TestBed.run { bed in
            try Self.fill(bed)
            bed.clock.advance(by: .seconds(1))
            let uri = "/api/v1/devices/d1/range?order=\(order)&start=-1h"
            let whole = try await bed.pages(uri, "rows")
            #expect(whole.count == 1 && whole[0].count == 10)
            for limit in [1, 3, 9, 10, 11] {
                let pages = try await bed.pages(uri + "&limit=\(limit)", "rows")
                #expect(pages.flatMap { $0 } == whole[0], "limit \(limit)")
            }
        }
    }

    @Test func aRelativeRangeStandsStillFromPageToPage() async throws {
        try await TestBed.run { bed in
            try Self.fill(bed)
            let uri = "/api/v1/devices/d1/range?start=-5s&limit=3"
            let first = try await bed.get(uri).json
            let token = try #require(first["next_page_token"]?.text)
            bed.clock.advance(by: .seconds(3))
            try bed.commit("d1", ["temp": .double(99)])
            #expect(try times(await bed.get(uri + "&page_token=\(token)")) == [-4, -5])
        }
    }

    @Test func csvNamesTheNextPageInAHeaderAndNDJSONInALine() async throws {
        try await TestBed.run { bed in
            try Self.fill(bed)
            let uri = "/api/v1/devices/d1/range?order=asc"
            let token = try #require(try await bed.get(uri + "&limit=4").json["next_page_token"]?.text)
            #expect(try await bed.get(uri + "&limit=4&format=csv").headers[.nextPageToken] == token)
            #expect(try await bed.get(uri + "&limit=4&format=ndjson").lines.last == #"{"next_page_token":"\#(token)"}"#)
            let last = try await bed.get(uri + "&format=csv&page_token=\(token)")
            #expect(last.headers[.nextPageToken] == nil)
            #expect(last.lines.count == 6)
        }
    }

    @Test func versionsComeNewestFirst() async throws {
        var table = TableOptions(name: "telemetry")
        table.maxVersions = 3
        try await TestBed.run(tables: [table]) { bed in
            for value in 1...4 {
                try bed.commit([Reading(device: "d1", time: TestBed.now - .seconds(9), fields: ["x": .integer(Int64(value))])])
                bed.clock.advance(by: .seconds(1))
            }
            func cell(_ query: String) async throws -> JSONValue? {
                try await bed.get("/api/v1/devices/d1/range?\(query)").json["rows"]?[0]?[1]
            }
            #expect(try await cell("versions=1") == .number("4"))
            let two = try await cell("versions=2")
            #expect(two?.elements?.map { $0["value"] } == [.number("4"), .number("3")])
            #expect(two?[0]?["version"] == .number("1764000003000"))
            #expect(try await cell("versions=100")?.elements?.count == 3)
            #expect(
                try await bed.get("/api/v1/devices/d1/range?versions=2&format=ndjson").lines.first?.contains(#""x":[{"value":4,"#) == true)
        }
    }

    @Test func columnTypesTellMixturesAndAbsence() async throws {
        try await TestBed.run { bed in
            try bed.commit("d1", ["num": .integer(1), "mix": .string("a"), "gone": .boolean(true)], age: .minutes(10))
            try bed.commit("d1", ["num": .double(1.5), "mix": .integer(2)])
            bed.clock.advance(by: .seconds(1))
            let columns = try await bed.get("/api/v1/devices/d1/range?fields=num,mix,gone").json["columns"]
            #expect(columns?.elements?.map { $0["type"]?.text } == ["timestamp_ms", "double", "mixed", "boolean"])
            let recent = try await bed.get("/api/v1/devices/d1/range?fields=num,mix,gone&start=-1m&time=us").json["columns"]
            #expect(recent?.elements?.map { $0["type"]?.text } == ["timestamp_us", "double", "integer", "boolean"])
        }
    }

    @Test func wrongParametersAreNamed() async throws {
        try await TestBed.run { bed in
            try Self.fill(bed)
            let cases: [(String, String)] = [
                ("start=yesterday", "start"), ("start=", "start"), ("start=2025-11-24T16:00:00", "start"), ("start=1h", "start"),
                ("end=tomorrow", "end"), ("end=nan", "end"), ("start=now&end=-1h", "start"), ("start=99999999999999999999", "start"),
                ("order=up", "order"), ("order=", "order"), ("limit=0", "limit"), ("limit=100001", "limit"), ("versions=0", "versions"),
                ("versions=101", "versions"), ("versions=2&format=csv", "versions"), ("format=xml", "format"), ("shape=tree", "shape"),
                ("shape=objects&format=csv", "shape"), ("time=hours", "time"), ("fields=", "fields"), ("fields=nope", "fields"),
                ("fields=temp,temp", "fields"), ("page_token=x", "page_token"), ("agg=avg", "agg"),
                ("fill=null", "fill"), ("align=day", "align"), ("Start=1", "Start"), ("start=1&start=2", "start"),
                ("fields=" + (0..<1_025).map { "f\($0)" }.joined(separator: ","), "fields"),
            ]
            for (query, param) in cases { try await bed.expectProblem(400, param: param, "/api/v1/devices/d1/range?\(query)") }
            try await bed.expectProblem(404, param: "id", "/api/v1/devices/none/range")
        }
    }

    @Test func longPagesAreStreamedWholeInEveryFormat() async throws {
        let (rowCount, limit) = (20_000, 18_000)
        try await TestBed.run(isLive: true) { bed in
            let readings = (0..<rowCount).map { number in
                Reading(device: "d1", time: TestBed.now - .milliseconds(Int64(rowCount - number)), fields: ["n": .integer(Int64(number))])
            }
            try bed.commit(readings)
            let uri = "/api/v1/devices/d1/range?order=asc&limit=\(limit)"
            let json = try await bed.get(uri)
            #expect(try json.json["rows"]?.elements?.map { $0[1]?.number } == (0..<limit).map { String($0) })
            let token = try #require(try json.json["next_page_token"]?.text)
            let rest = try await bed.get(uri + "&page_token=\(token)").json
            #expect(rest["rows"]?.elements?.map { $0[1]?.number } == (limit..<rowCount).map { String($0) })
            #expect(rest["next_page_token"] == nil)
            let lines = try await bed.get(uri + "&format=ndjson")
            #expect(lines.lines.count == limit + 1)
            #expect(lines.lines.last == #"{"next_page_token":"\#(token)"}"#)
            let csv = try await bed.get(uri + "&format=csv")
            #expect(csv.lines.count == limit + 1)
            #expect(csv.lines.last?.hasSuffix(",\(limit - 1)") == true)
            #expect(csv.trailers?[.nextPageToken] == token)
            let head = try await bed.send(.head, uri)
            #expect(head.headers[.contentLength] == String(json.byteCount))
            #expect(head.text.isEmpty)
            #expect(try await bed.get("/ping").status == 204)
        }
    }
}

import HTTPTypes
import Hummingbird
import QueryAPI
import Telemetry
import TelemetryStore
import Testing

/// POST `/query`.
@Suite struct QueryTests {
    private static let path = "/api/v1/query"

    /// Four devices of ten readings, one a second, oldest first: n = 0...9; `s` and `b` in the even ones.
    private static func fill(_ bed: TestBed) throws {
        for device in ["a/1", "a/2", "a/3", "b"] {
            for n in 0..<10 {
                var fields: [String: FieldValue] = ["n": .integer(Int64(n)), "x": .double(Double(n) / 2)]
                if n % 2 == 0 {
                    fields["s"] = .string("s\(n)")
                    fields["b"] = .boolean(n % 4 == 0)
                }
                try bed.commit(device, fields, age: .seconds(Int64(10 - n)))
            }
        }
    }

    /// The values of `n` by device.
    private func series(_ bed: TestBed, _ body: String) async throws -> [String: [Int]] {
        let answer = try await bed.post(Self.path, body)
        #expect(answer.status == 200, "\(body): \(answer.text)")
        var result: [String: [Int]] = [:]
        for series in try answer.json["series"]?.elements ?? [] {
            result[series["device"]?.text ?? "", default: []] += series["rows"]?.elements?.compactMap { Int($0[1]?.number ?? "") } ?? []
        }
        return result
    }

    @Test func rowsOfDevicesComeAsSeries() async throws {
        try await TestBed.run { bed in
            try Self.fill(bed)
            let answer = try await bed.post(Self.path, #"{"devices":["b","nobody","a/1"],"fields":["n"],"start":"-2s","order":"asc"}"#)
            let columns = #""columns":[{"name":"time","type":"timestamp_ms"},{"name":"n","type":"integer"}]"#
            let rows = #""rows":[[1763999998000,8],[1763999999000,9]]"#
            #expect(
                answer.text == #"{"table":"telemetry","series":[{"device":"b",\#(columns),\#(rows)},"#
                    + #"{"device":"nobody","columns":[{"name":"time","type":"timestamp_ms"}],"rows":[],"unknown":true},"#
                    + #"{"device":"a/1",\#(columns),\#(rows)}]}"# + "\n")
            let last = #"{"prefix":"a/","fields":["n"],"start":1763999999000}"#
            #expect(try await series(bed, last) == ["a/1": [9], "a/2": [9], "a/3": [9]])
            #expect(try await series(bed, "{}").count == 4)
            #expect(try await series(bed, #"{"prefix":"c"}"#).isEmpty)
            #expect(try await series(bed, #"{"devices":[],"fields":null}"#).isEmpty)
        }
    }

    @Test func aggregatesOfDevicesComeAsSeries() async throws {
        try await TestBed.run { bed in
            try Self.fill(bed)
            try bed.commit("a/0", ["n": .integer(1)], age: .hours(2))
            let body = #"{"prefix":"a/","fields":["n"],"start":"-10s","step":"5s","agg":["sum"],"order":"asc"}"#
            let answer = try await bed.post(Self.path, body).json
            #expect(answer.names == ["table", "start", "end", "step_ms", "series"])
            // a/0 has nothing in the range: there is nothing to show of it.
            #expect(try await series(bed, body) == ["a/1": [10, 35], "a/2": [10, 35], "a/3": [10, 35]])
            let listed = #"{"devices":["a/0"],"fields":["n"],"start":"-10s","step":"5s","agg":["count"]}"#
            #expect(try await series(bed, listed) == ["a/0": [0, 0]])
            let filtered =
                #"{"devices":["b"],"fields":["n"],"start":"-10s","step":"5s","agg":["sum"],"order":"asc","#
                + #""where":{"field":"s","op":"!=","value":null}}"#
            #expect(try await series(bed, filtered) == ["b": [6, 14]])
        }
    }

    @Test(arguments: [false, true]) func whereTakesTheRowsThatFulfilIt(_ isFlushed: Bool) async throws {
        try await TestBed.run { bed in
            try Self.fill(bed)
            if isFlushed {
                bed.clock.advance(by: .minutes(11))
                try bed.store.performMaintenance()
            }
            func compare(_ field: String, _ op: String, _ value: String) -> String {
                #"{"field":"\#(field)","op":"\#(op)","value":\#(value)}"#
            }
            let cases: [(condition: String, rows: [Int])] = [
                (compare("n", ">", "7"), [8, 9]), (compare("n", ">=", "7.5"), [8, 9]), (compare("n", "<", "1e0"), [0]),
                (compare("n", "<=", "1"), [0, 1]), (compare("n", "=", "3"), [3]), (compare("n", "=", "3.0"), [3]),
                (compare("n", "!=", "3"), [0, 1, 2, 4, 5, 6, 7, 8, 9]), (compare("x", "=", "1"), [2]), (compare("x", ">", "4"), [9]),
                (compare("s", "=", "\"s4\""), [4]), (compare("s", ">", "\"s4\""), [6, 8]), (compare("s", "!=", "\"s4\""), [0, 2, 6, 8]),
                (compare("s", "=", "4"), []), (compare("s", "!=", "4"), [0, 2, 4, 6, 8]), (compare("b", "=", "true"), [0, 4, 8]),
                (compare("b", "<", "true"), [2, 6]), (compare("s", "=", "null"), [1, 3, 5, 7, 9]),
                (compare("s", "!=", "null"), [0, 2, 4, 6, 8]),
                (#"{"and":[\#(compare("n", ">", "2")),\#(compare("n", "<", "5"))]}"#, [3, 4]),
                (#"{"or":[\#(compare("n", "<", "1")),\#(compare("s", "=", "\"s8\""))]}"#, [0, 8]),
                (#"{"not":\#(compare("s", ">=", "\"\""))}"#, [1, 3, 5, 7, 9]),
                (#"{"not":{"or":[\#(compare("n", ">", "1")),{"and":[\#(compare("n", "=", "0"))]}]}}"#, [1]),
            ]
            for (condition, rows) in cases {
                let body = #"{"devices":["a/1"],"fields":["n"],"order":"asc","where":\#(condition)}"#
                #expect(try await series(bed, body)["a/1"] == rows, "\(condition)")
                let pages = try await pages(bed, body, limit: 2)
                #expect(pages.flatMap { $0.flatMap(\.values) } == rows, "\(condition)")
            }
        }
    }

    private typealias Series = (device: String, values: [Int])

    private func pages(_ bed: TestBed, _ body: String, limit: Int) async throws -> [[Series]] {
        var pages: [[Series]] = []
        var token: String?
        repeat {
            let page = body.dropLast() + #","limit":\#(limit)"# + (token.map { #","page_token":"\#($0)"}"# } ?? "}")
            let answer = try await bed.post(Self.path, String(page))
            #expect(answer.status == 200, "\(page): \(answer.text)")
            let json = try answer.json
            pages.append(
                json["series"]?.elements?.map { series in
                    (series["device"]?.text ?? "", series["rows"]?.elements?.compactMap { Int($0[1]?.number ?? "") } ?? [])
                } ?? [])
            #expect(pages[pages.count - 1].reduce(0) { $0 + $1.values.count } <= limit)
            token = json["next_page_token"]?.text
        } while token != nil && pages.count < 1_000
        return pages
    }

    @Test(
        arguments: [
            #"{"prefix":"a/","fields":["n"]}"#, #"{"devices":["b","a/3","a/1"],"fields":["n"],"order":"asc"}"#, #"{"fields":["n"]}"#,
            #"{"prefix":"a/","fields":["n"],"start":"-10s","step":"2s","agg":["sum"]}"#,
            #"{"prefix":"a/","fields":["n"],"where":{"field":"s","op":"!=","value":null}}"#,
        ])
    func pagesOverDevicesAddUpToTheWhole(_ body: String) async throws {
        try await TestBed.run { bed in
            try Self.fill(bed)
            let whole = try await pages(bed, body, limit: 1_000)
            #expect(whole.count == 1)
            for limit in [1, 2, 3, 5, 7, 10, 15, 29, 30, 31, 40] {
                var joined: [Series] = []
                for series in try await pages(bed, body, limit: limit).flatMap({ $0 }) {
                    if joined.last?.device != series.device { joined.append((series.device, [])) }
                    joined[joined.count - 1].values += series.values
                }
                #expect(joined.map(\.device) == whole[0].map(\.device), "limit \(limit)")
                #expect(joined.map(\.values) == whole[0].map(\.values), "limit \(limit)")
            }
        }
    }

    @Test func linesAndCSVNameTheDeviceOfEachRow() async throws {
        try await TestBed.run { bed in
            try bed.commit("x,1", ["n": .integer(1), "device": .string("mine")], age: .seconds(1))
            try bed.commit("y", ["n": .integer(2)], age: .seconds(1))
            let csv = try await bed.post(Self.path, #"{"fields":["n","device"],"format":"csv"}"#)
            #expect(csv.text == "device,time,n,device\r\n\"x,1\",1763999999000,1,mine\r\ny,1763999999000,2,\r\n")
            let lines = try await bed.post(
                Self.path, #"{"devices":["x,1","z"]}"#, headers: [.contentType: "application/json", .accept: "application/x-ndjson"])
            #expect(
                lines.text == #"{"device":"x,1","time":1763999999000,"field_device":"mine","n":1}"# + "\n"
                    + #"{"device":"z","unknown":true}"# + "\n")
            let page = try await bed.post(Self.path, #"{"fields":["n"],"format":"csv","limit":1}"#)
            #expect(page.lines.count == 2)
            #expect(page.headers[.nextPageToken] != nil)
            let objects = try await bed.post(Self.path, #"{"prefix":"y","shape":"objects"}"#).json["series"]?[0]
            #expect(objects?.names == ["device", "rows"])
            #expect(objects?["rows"]?[0]?.names == ["time", "n"])
        }
    }

    @Test func badMembersAreNamed() async throws {
        try await TestBed.run { bed in
            try Self.fill(bed)
            let deep = String(repeating: #"{"not":"#, count: 20) + #"{"field":"n","op":"=","value":1}"# + String(repeating: "}", count: 20)
            let wide = Array(repeating: #"{"field":"n","op":"=","value":1}"#, count: 300).joined(separator: ",")
            let cases: [(String, String)] = [
                ("", "body"), ("[]", "body"), ("{", "body"), (String(repeating: "[", count: 100_000), "body"),
                (#"{"colour":1}"#, "colour"),
                (#"{"limit":1,"limit":2}"#, "limit"), (#"{"devices":"a"}"#, "devices"), (#"{"devices":[1]}"#, "devices"),
                (#"{"devices":[""]}"#, "devices"), (#"{"devices":["a"],"prefix":"b"}"#, "devices"), (#"{"prefix":1}"#, "prefix"),
                (#"{"fields":[]  ,"fields":[]}"#, "fields"), (#"{"fields":["nope"]}"#, "fields"), (#"{"fields":["n","n"]}"#, "fields"),
                (#"{"fields":"n"}"#, "fields"), (#"{"start":"yesterday"}"#, "start"), (#"{"start":true}"#, "start"),
                (#"{"end":[]}"#, "end"),
                (#"{"start":"now","end":"-1h"}"#, "start"), (#"{"order":"up"}"#, "order"), (#"{"order":1}"#, "order"),
                (#"{"step":60}"#, "step"),
                (#"{"step":"1m","agg":"avg"}"#, "agg"), (#"{"step":"1m","agg":[]}"#, "agg"), (#"{"step":"1m","agg":["mode"]}"#, "agg"),
                (#"{"agg":["avg"]}"#, "agg"), (#"{"fill":"null"}"#, "fill"), (#"{"step":"1h","align":"UTC"}"#, "align"),
                (#"{"versions":0}"#, "versions"), (#"{"versions":2,"format":"csv","fields":["n"]}"#, "versions"),
                (#"{"format":"xml"}"#, "format"), (#"{"format":"csv"}"#, "fields"),
                (#"{"format":"csv","shape":"table","fields":["n"]}"#, "shape"),
                (#"{"time":"min"}"#, "time"), (#"{"limit":"5"}"#, "limit"), (#"{"limit":0}"#, "limit"), (#"{"limit":100001}"#, "limit"),
                (#"{"limit":1e99}"#, "limit"), (#"{"page_token":"AAAA"}"#, "page_token"), (#"{"page_token":7}"#, "page_token"),
                (#"{"where":"n > 1"}"#, "where"), (#"{"where":{}}"#, "where"), (#"{"where":{"and":[]}}"#, "where"),
                (#"{"where":{"field":"n","op":"~","value":1}}"#, "where"), (#"{"where":{"field":"nope","op":"=","value":1}}"#, "where"),
                (#"{"where":{"field":"n","op":"=","value":[]}}"#, "where"), (#"{"where":{"field":"n","op":"<","value":null}}"#, "where"),
                (#"{"where":{"field":"n","op":"=","value":1e999}}"#, "where"), (#"{"where":{"field":"n","op":"="}}"#, "where"),
                (#"{"where":{"field":"n","op":"=","value":1,"and":[]}}"#, "where"), (#"{"where":{"xor":[]}}"#, "where"),
                (#"{"where":\#(deep)}"#, "where"), (#"{"where":{"and":[\#(wide)]}}"#, "where"),
            ]
            for (body, param) in cases {
                try await bed.expectProblem(400, param: param, method: .post, Self.path, body: body)
            }
            try await bed.expectProblem(404, param: "table", method: .post, Self.path, body: #"{"table":"none"}"#)
            try await bed.expectProblem(400, param: "limit", method: .post, Self.path + "?limit=1", body: "{}")
            try await bed.expectProblem(406, param: "accept", method: .post, Self.path, headers: [.accept: "image/png"], body: "{}")
            try await bed.expectProblem(405, param: nil, method: .get, Self.path)
            let detail = try await bed.post(Self.path, #"{"where":{"and":[{"field":"n","op":"=","value":1},{"x":1}]}}"#).json["detail"]?
                .text
            #expect(detail?.hasPrefix("where.and[1] must be {\"field\":") == true)
        }
    }

    @Test func aTokenBelongsToItsQuery() async throws {
        try await TestBed.run { bed in
            try Self.fill(bed)
            func token(_ body: String) async throws -> String {
                try #require(try await bed.post(Self.path, body).json["next_page_token"]?.text)
            }
            let listed = try await token(#"{"devices":["a/1","b"],"limit":3}"#)
            let walked = try await token(#"{"prefix":"a/","limit":3}"#)
            #expect(try await bed.post(Self.path, #"{"devices":["a/1","b"],"limit":5,"page_token":"\#(listed)"}"#).status == 200)
            for body in [
                #"{"devices":["a/1"],"page_token":"\#(listed)"}"#, #"{"prefix":"a/","page_token":"\#(listed)"}"#,
                #"{"prefix":"a","page_token":"\#(walked)"}"#, #"{"prefix":"a/","page_token":"\#(walked)","order":"asc"}"#,
                #"{"prefix":"a/","page_token":"\#(walked)","where":{"field":"n","op":"=","value":1}}"#,
            ] { try await bed.expectProblem(400, param: "page_token", method: .post, Self.path, body: body) }
        }
    }
}

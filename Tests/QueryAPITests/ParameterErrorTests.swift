import HTTPTypes
import Telemetry
import TelemetryStore
import Testing

@testable import QueryAPI

/// For every parameter of every endpoint: wrong, extreme, unknown and repeated values are 400s that name it and tell how to write it.
@Suite struct ParameterErrorTests {
    private struct Wrong {
        /// Values, percent-encoded.
        var values: [String]
        /// What the message must say.
        var hint: String
        var status = 400
        /// Parameters without which this one is not looked at.
        var company = ""
    }

    private static let extreme = "99999999999999999999999999999999"
    private static let badText = ["%FF", "%", "%2", "%zz"]
    private static let page = [
        "limit": Wrong(
            values: ["0", "-1", "", "many", "1.5", "100001", "0x10", extreme], hint: "limit must be a number from 1 to 100000."),
        "page_token": Wrong(
            values: ["", "x", "AAAA", extreme, String(repeating: "A", count: 5_000)],
            hint: "page_token must be the next_page_token of an answer"),
    ]
    private static let common = [
        "table": Wrong(values: ["", "none", String(repeating: "t", count: 1_000)], hint: "/api/v1/tables lists them", status: 404),
        "time": Wrong(values: ["", "MS", "hours", extreme], hint: "time must be one of ms, s, us, ns, rfc3339."),
        "prefix": Wrong(values: badText, hint: "prefix must be percent-encoded UTF-8"),
        "fields": Wrong(values: ["nope", extreme], hint: "fields must be names that /api/v1/tables lists"),
    ]
    /// How each parameter is to be written, wherever it stands; what is said below holds for one endpoint.
    private static let everywhere: [String: Wrong] = page.merging(common) { $1 }.merging([
        "state": Wrong(values: ["", "asleep", "Online"], hint: "state must be one of online, stale, offline."),
        "sort": Wrong(values: ["", "size"], hint: "sort must be one of id, last_seen."),
        "start": Wrong(
            values: ["", "yesterday", "1h", "2025-11-24T16:00:00", extreme], hint: "start must be RFC 3339 with a zone, an epoch number"),
        "end": Wrong(values: ["", "tomorrow", "2025-11-24", "NaN", extreme], hint: "end must be RFC 3339 with a zone, an epoch number"),
        "order": Wrong(values: ["", "up", "DESC"], hint: "order must be one of desc, asc."),
        "step": Wrong(
            values: ["", "0s", "-1m", "60", "1y", extreme + "d"], hint: "step must be a length of time above zero, such as 30s, 5m"),
        "agg": Wrong(values: ["mean", "AVG"], hint: "agg must be one of avg, min, max, sum, count, first, last.", company: "step=1m"),
        "fill": Wrong(values: ["", "zero", "0"], hint: "fill must be one of none, null, previous, linear.", company: "step=1m"),
        "align": Wrong(
            values: ["", "Berlin", "CEST", "../UTC", extreme], hint: "align must be a time zone by its name in the tz database, such as",
            company: "step=1d"),
        "versions": Wrong(values: ["", "0", "-1", "101", "all", extreme], hint: "versions must be a number from 1 to 100."),
        "format": Wrong(values: ["", "xml", "JSON"], hint: "format must be one of json, ndjson, csv."),
        "shape": Wrong(values: ["", "tree"], hint: "shape must be one of table, objects."),
        "devices": Wrong(values: ["", ",", "a,,b"], hint: "devices must be a list without empty names, such as a,b."),
        "engine": Wrong(values: ["", "oracle", extreme], hint: "engine must be one of "),
        "precision": Wrong(values: ["hours", "S", extreme], hint: "precision must be one of ns, us, ms, s, m, h."),
    ]) { $1 }
    private static let here: [String: [String: Wrong]] = [
        "/api/v1/partitions": [
            "state": Wrong(values: ["", "melted"], hint: "state must be one of open, sealed, delivering, delivered, dropped.")
        ],
        "/api/v1/dead-letters": [
            "reason": Wrong(values: ["", "boredom", "LATE"], hint: "reason must be one of "),
            "limit": Wrong(values: ["0", "-1", "", "many", "1001", extreme], hint: "limit must be a number from 1 to 1000."),
        ],
    ]
    private static let bodies = ["/api/v1/latest": #"{"devices":["d1"]}"#, "/api/v1/write": "m,device=d1 n=1", "/api/v1/query": "{}"]
    /// Other clients' own, and streams that others look after.
    private static func isOurs(_ route: Route) -> Bool {
        route.pattern.hasPrefix("/api/v1/") && route.errors == .problem && route.pattern != "/api/v1/live"
    }

    private static func ask(_ bed: TestBed, _ route: Route, _ query: String) async throws -> TestAnswer {
        let uri = route.pattern.replacing("{id}", with: "d1").replacing("{name}", with: "d1") + "?" + query
        let isPost = route.method == .post
        return try await bed.send(
            route.method, uri, headers: isPost ? [.contentType: "text/plain"] : [:], body: isPost ? bodies[route.pattern] ?? "" : nil)
    }

    private static func expect(_ answer: TestAnswer, _ status: Int, _ param: String, _ hint: String, _ what: String) throws {
        #expect(answer.status == status, "\(what): \(answer.text)")
        let problem = try answer.json
        #expect(problem["param"] == .string(param), "\(what): \(answer.text)")
        #expect(problem["detail"]?.text?.contains(hint) == true, "\(what): \(answer.text)")
    }

    private static func routes(_ bed: TestBed) -> [Route] {
        API(options: QueryOptions(), store: bed.store, sources: QuerySources(), clock: bed.clock).routes.filter(isOurs)
    }

    @Test func aWrongValueIsNamedAndTheMessageTellsHowToWriteIt() async throws {
        try await TestBed.run { bed in
            try bed.commit("d1", ["n": .integer(1)])
            for route in Self.routes(bed) {
                for name in route.parameters {
                    guard let wrong = Self.here[route.pattern]?[name] ?? Self.everywhere[name] else {
                        Issue.record("no wrong value of \(name) of \(route.pattern) is tried")
                        continue
                    }
                    for value in wrong.values {
                        let query = "\(wrong.company)&\(name)=\(value)"
                        let what = "\(route.method) \(route.pattern)?\(query.prefix(100))"
                        try Self.expect(try await Self.ask(bed, route, query), wrong.status, name, wrong.hint, what)
                    }
                }
            }
        }
    }

    @Test func aRepeatedABadlyEncodedAndAnUnknownParameterAreNamed() async throws {
        try await TestBed.run { bed in
            try bed.commit("d1", ["n": .integer(1)])
            for route in Self.routes(bed) {
                for name in route.parameters {
                    let what = "\(route.method) \(route.pattern) \(name)"
                    try Self.expect(try await Self.ask(bed, route, "\(name)=1&\(name)=1"), 400, name, "\(name) must be given once.", what)
                    for value in Self.badText {
                        let answer = try await Self.ask(bed, route, "\(name)=\(value)")
                        try Self.expect(answer, 400, name, "\(name) must be percent-encoded UTF-8", what)
                    }
                    let upper = name.uppercased()
                    try Self.expect(
                        try await Self.ask(bed, route, "\(upper)=1"), 400, upper, "Known: \(route.parameters.joined(separator: ", "))", what
                    )
                }
                let known = route.parameters.isEmpty ? "none" : route.parameters.joined(separator: ", ")
                try Self.expect(
                    try await Self.ask(bed, route, "colour=1"), 400, "colour", "There is no parameter colour here. Known: \(known).",
                    route.pattern)
            }
        }
    }

    @Test func whatDoesNotGoTogetherIsNamed() async throws {
        try await TestBed.run { bed in
            try bed.commit("d1", ["n": .integer(1)])
            let range = "/api/v1/devices/d1/range"
            let cases: [(uri: String, param: String, hint: String)] = [
                ("\(range)?start=now&end=-1h", "start", "start must not be later than end"),
                ("\(range)?start=now%2B1h", "start", "which is now unless it is given"),
                ("\(range)?agg=avg", "agg", "it needs step, such as step=1m"),
                ("\(range)?fill=none", "fill", "it needs step, such as step=1m"),
                ("\(range)?align=UTC", "align", "it needs step, such as step=1m"), ("\(range)?step=1m&versions=2", "versions", "exclude"),
                ("\(range)?step=1m&agg=avg,avg", "agg", "agg must name each once."),
                ("\(range)?step=1h&align=UTC", "align", "step must be such as 1d, 7d or 1w"),
                ("\(range)?step=1d&align=UTC&start=0001-01-01T00:00:00Z", "start", "start must lie in the years 1900 to 2200"),
                ("\(range)?format=csv&shape=objects", "shape", "format=json"),
                ("\(range)?format=csv&versions=2", "versions", "format=json or ndjson"),
                ("\(range)?fields=n,n", "fields", "fields must name each field once."),
                ("\(range)?fields=n,", "fields", "fields must be a list without empty names, such as a,b."),
                ("\(range)?format=csv&limit=1000000001", "limit", "limit must be a number from 1 to 1000000000."),
                ("/api/v1/latest?devices=d1&prefix=d", "devices", "give one of them"),
            ]
            for (uri, param, hint) in cases { try Self.expect(try await bed.get(uri), 400, param, hint, uri) }
            #expect(try await bed.get("\(range)?format=csv&limit=1000000000").status == 200)
        }
    }
}

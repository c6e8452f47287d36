import HTTPTypes
import Logging
import Synchronization
import Telemetry
import Testing

@testable import QueryAPI

/// `/api/v1/deliveries` and what is below it; what the gateway does with it is for the tests of the gateway.
@Suite struct DeliveryTests {
    /// What was asked of the deliveries.
    private final class Calls: Sendable {
        let all = Mutex<[String]>([])
        func note(_ call: String) { all.withLock { $0.append(call) } }
        var taken: [String] { all.withLock { calls in (calls, calls = []).0 } }
    }

    private static let hostile = "evil \"\\\u{1}\n</script>\u{202E}"

    private static let archive: DeliverySnapshot = {
        var archive = DeliverySnapshot(
            name: "archive", table: "telemetry", mode: "aged", destination: "file:///srv/archive", prefix: "day=$dd",
            origin: "configuration")
        (archive.phase, archive.syncPoint, archive.lag) = ("INCR", TestBed.now, .milliseconds(1_500))
        (archive.objectCount, archive.rowCount, archive.byteCount, archive.dirtyFieldCount) = (2, 300, 4_000, 5)
        archive.lastObject = "day=24/archive_0_day=24__1.parquet"
        archive.events = [
            .init(time: TestBed.now - .seconds(2), kind: "begun", error: nil, detail: ""),
            .init(time: TestBed.now - .seconds(1), kind: "failed", error: "UNREACHABLE", detail: hostile),
        ]
        return archive
    }()

    private static let lake: DeliverySnapshot = {
        var lake = DeliverySnapshot(
            name: "lake", table: "telemetry", mode: "incremental", destination: "s3://lake", prefix: "", origin: "api")
        (lake.state, lake.error, lake.detail, lake.lag, lake.isLate) = ("retrying", "UNREACHABLE", "refused", .hours(3), true)
        return lake
    }()

    private static let misfit: DeliverySnapshot = {
        var misfit = DeliverySnapshot(name: "old", table: "", mode: "", destination: "", prefix: "", origin: "api")
        (misfit.state, misfit.error, misfit.detail) = ("invalid", "CONFLICT", "table: there is no table \"gone\"")
        return misfit
    }()

    private static func sources(_ calls: Calls = Calls(), of all: [DeliverySnapshot] = [archive, lake, misfit]) -> QuerySources {
        var sources = QuerySources()
        var control = DeliveryControl()
        control.list = { all }
        control.find = { name in all.first { $0.name == name } }
        control.create = { document throws(DeliveryProblem) in
            calls.note("create \(String(decoding: document, as: UTF8.self))")
            switch String(decoding: document, as: UTF8.self) {
            case #"{"name":"archive"}"#: throw .conflict("there is a delivery named archive already")
            case #"{"max_object_bytes":1}"#: throw .invalid(member: "max_object_bytes", "must be at least 65536")
            case #"{"name":"full"}"#: throw .failed("the disk is full")
            default: return lake
            }
        }
        control.delete = { name throws(DeliveryProblem) in
            calls.note("delete \(name)")
            if name == "archive" { throw .conflict("archive is defined in the configuration; remove it there") }
            guard name == "lake" else { throw .unknown(name: name) }
        }
        control.change = { name, change throws(DeliveryProblem) in
            calls.note("\(change.rawValue) \(name)")
            guard name != "nobody" else { throw .unknown(name: name) }
            return name == "archive"
        }
        control.engines = ["duckdb", "spark"]
        control.statement = { name, engine throws(DeliveryProblem) in
            guard name != "old" else { throw .conflict("old cannot run") }
            return "CREATE VIEW \(name) -- \(engine)\n"
        }
        sources.deliveries = control
        return sources
    }

    @Test func theListHasEveryTaskWithWhatItIsAbout() async throws {
        try await TestBed.run(sources: Self.sources()) { (bed: TestBed) async throws -> Void in
            let answer = try await bed.get("/api/v1/deliveries?time=rfc3339")
            #expect(answer.status == 200)
            let wanted =
                #"{"name":"archive","table":"telemetry","mode":"aged","destination":"file:///srv/archive","prefix":"day=$dd","#
                + #""origin":"configuration","phase":"INCR","state":"idle","error":"OK","detail":"","sync_point":"2025-11-24T16:00:00Z","#
                + #""lag_s":1.5,"late":false,"objects":2,"rows":300,"bytes":4000,"dirty_fields":5,"#
                + #""last_object":"day=24/archive_0_day=24__1.parquet"}"#
            #expect(answer.text.hasPrefix(#"{"deliveries":["# + wanted + ","))
            let all = try #require(try answer.json["deliveries"]?.elements)
            #expect(all.map { $0["name"]?.text } == ["archive", "lake", "old"])
            #expect(all[1]["late"] == .boolean(true) && all[1]["last_object"] == .null && all[1]["prefix"] == .string(""))
            for member in ["table", "mode", "destination", "prefix", "sync_point"] { #expect(all[2][member] == .null, "\(member)") }
            #expect(all.allSatisfy { $0["history"] == nil })
        }
    }

    @Test func oneTaskHasItsHistoryTheNewestFirst() async throws {
        try await TestBed.run(sources: Self.sources()) { (bed: TestBed) async throws -> Void in
            let history = try #require(try await bed.get("/api/v1/deliveries/archive?time=s").json["history"]?.elements)
            #expect(history.map { $0["event"]?.text } == ["failed", "begun"])
            #expect(history[0]["error"] == .string("UNREACHABLE") && history[0]["detail"] == .string(Self.hostile))
            #expect(history[0]["time"] == .number("1763999999"))
            #expect(history[1]["error"] == .null)
            #expect(try await bed.get("/api/v1/deliveries/lake").json["history"] == .array([]))
        }
    }

    @Test func noTasksAreAnEmptyList() async throws {
        try await TestBed.run { bed in
            #expect(try await bed.get("/api/v1/deliveries").text == "{\"deliveries\":[]}\n")
            try await bed.expectProblem(409, param: nil, method: .post, "/api/v1/deliveries", body: "{}")
        }
    }

    @Test func aTaskThatIsCreatedIsToldWithItsPlace() async throws {
        let calls = Calls()
        try await TestBed.run(sources: Self.sources(calls)) { (bed: TestBed) async throws -> Void in
            let answer = try await bed.post("/api/v1/deliveries", #"{"name":"lake"}"#)
            #expect(answer.status == 201)
            #expect(answer.headers[.location] == "/api/v1/deliveries/lake")
            #expect(try answer.json["name"] == .string("lake") && answer.json["history"] == .array([]))
            #expect(calls.taken == [#"create {"name":"lake"}"#])
        }
    }

    @Test func whatIsWrongWithADefinitionIsNamed() async throws {
        let calls = Calls()
        try await TestBed.run(sources: Self.sources(calls)) { (bed: TestBed) async throws -> Void in
            let path = "/api/v1/deliveries"
            func refused(_ status: Int, _ param: String?, _ body: String, type: String? = "application/json") async throws {
                let headers: HTTPFields = type.map { [.contentType: $0] } ?? [:]
                try await bed.expectProblem(status, param: param, method: .post, path, headers: headers, body: body)
            }
            try await refused(409, nil, #"{"name":"archive"}"#)
            try await refused(400, "max_object_bytes", #"{"max_object_bytes":1}"#)
            try await refused(503, nil, #"{"name":"full"}"#)
            #expect(calls.taken.count == 3)
            // None of these comes so far as to be read as a definition.
            for body in ["", "x", "[]", "null", "\"archive\"", "{\"name\":", String(repeating: "[", count: 60_000)] {
                try await refused(400, "body", body)
            }
            try await refused(400, "name", #"{"name":"a","name":"b"}"#)
            try await refused(413, nil, "{\"name\":\"\(String(repeating: "a", count: 64 << 10))\"}")
            for type in ["text/plain", "text/csv", "application/x-ndjson", "multipart/form-data"] {
                try await refused(415, "content-type", "{}", type: type)
            }
            #expect(calls.taken.isEmpty)
        }
    }

    @Test func changesAnswerWithTheTask() async throws {
        let calls = Calls()
        try await TestBed.run(sources: Self.sources(calls)) { (bed: TestBed) async throws -> Void in
            for verb in ["pause", "resume", "restart"] {
                let done = try await bed.send(.post, "/api/v1/deliveries/archive/\(verb)?time=us")
                #expect(done.status == 200)
                #expect(try done.json["sync_point"] == .number("1764000000000000") && done.json["history"]?.elements?.count == 2)
                #expect(try await bed.send(.post, "/api/v1/deliveries/lake/\(verb)").status == 202)
                #expect(calls.taken == ["\(verb) archive", "\(verb) lake"])
                try await bed.expectProblem(404, param: "name", method: .post, "/api/v1/deliveries/nobody/\(verb)")
                try await bed.expectProblem(400, param: "body", method: .post, "/api/v1/deliveries/archive/\(verb)", body: "{}")
                try await bed.expectProblem(405, param: nil, method: .get, "/api/v1/deliveries/archive/\(verb)")
                #expect(calls.taken == ["\(verb) nobody"])
            }
            try await bed.expectProblem(404, param: nil, method: .post, "/api/v1/deliveries/archive/stop")
        }
    }

    @Test func whatIsDeletedHasNoAnswer() async throws {
        let calls = Calls()
        try await TestBed.run(sources: Self.sources(calls)) { (bed: TestBed) async throws -> Void in
            let answer = try await bed.send(.delete, "/api/v1/deliveries/lake")
            #expect(answer.status == 204 && answer.byteCount == 0)
            try await bed.expectProblem(409, param: nil, method: .delete, "/api/v1/deliveries/archive")
            try await bed.expectProblem(404, param: "name", method: .delete, "/api/v1/deliveries/nobody")
            #expect(calls.taken == ["delete lake", "delete archive", "delete nobody"])
        }
    }

    @Test func statementsAreTextForAnEngineThatIsKnown() async throws {
        try await TestBed.run(sources: Self.sources()) { (bed: TestBed) async throws -> Void in
            let answer = try await bed.get("/api/v1/deliveries/lake/ddl?engine=spark")
            #expect(answer.text == "CREATE VIEW lake -- spark\n" && answer.headers[.contentType] == "text/plain; charset=utf-8")
            for query in ["", "?engine=", "?engine=oracle", "?engine=SPARK"] {
                try await bed.expectProblem(400, param: "engine", "/api/v1/deliveries/lake/ddl\(query)")
                let detail = try await bed.get("/api/v1/deliveries/lake/ddl\(query)").json["detail"]
                #expect(detail == .string("engine must be one of duckdb, spark."))
            }
            try await bed.expectProblem(404, param: "name", "/api/v1/deliveries/nobody/ddl?engine=spark")
            try await bed.expectProblem(409, param: nil, "/api/v1/deliveries/old/ddl?engine=spark")
        }
    }

    /// Nothing of a name in a path reaches a file or ends a line: it is looked up, and told back as JSON.
    @Test func strangeNamesAreUnknown() async throws {
        try await TestBed.run(sources: Self.sources()) { (bed: TestBed) async throws -> Void in
            let long = String(repeating: "a", count: 5_000)
            for name in ["..%2F..%2Fetc", "%00", "a%0Ab", "archive%20", "ARCHIVE", "archive%2F", "%22%7D", long] {
                for path in ["", "/ddl?engine=spark"] {
                    try await bed.expectProblem(404, param: "name", "/api/v1/deliveries/\(name)\(path)")
                }
                try await bed.expectProblem(404, param: "name", method: .delete, "/api/v1/deliveries/\(name)")
            }
            try await bed.expectProblem(400, param: "name", "/api/v1/deliveries/%FF")
            for path in ["/api/v1/deliveries/", "/api/v1/deliveries//pause", "/api/v1/deliveries/a/b"] {
                try await bed.expectProblem(404, param: nil, path)
            }
        }
    }

    @Test func everyChangeIsAuditedWithWhoAskedForIt() async throws {
        let lines = Lines()
        let security = ServerSecurity(tokens: Keys.tokens, audit: AuditLog(logger: lines.logger))
        try await TestBed.run(sources: Self.sources(), configure: { $0.security = security }) { (bed: TestBed) async throws -> Void in
            let admin = Keys.bearer(Keys.admin)
            let base = "/api/v1/deliveries"
            _ = try await bed.send(.post, base, headers: admin, body: "{}")
            for verb in ["pause", "resume", "restart"] { _ = try await bed.send(.post, "\(base)/lake/\(verb)", headers: admin) }
            _ = try await bed.send(.delete, "\(base)/lake", headers: admin)
            _ = try await bed.send(.delete, "\(base)/archive", headers: admin)
            _ = try await bed.get(base, headers: admin)
            _ = try await bed.send(.delete, "\(base)/a%0Aaudit:%20\(String(repeating: "b", count: 1_000))", headers: admin)
            _ = try await bed.send(.delete, "\(base)/lake", headers: Keys.bearer(Keys.reader))
            let told = lines.all.filter { $0.hasPrefix("audit: ") }.map { line in
                // Behind who and whence.
                line.replacing("token admin from ", with: "").replacing("audit: ", with: "").drop { $0 != ":" }.dropFirst(2)
            }
            #expect(
                told == [
                    "POST /api/v1/deliveries: 201 /api/v1/deliveries/lake", "POST /api/v1/deliveries/lake/pause: 202",
                    "POST /api/v1/deliveries/lake/resume: 202", "POST /api/v1/deliveries/lake/restart: 202",
                    "DELETE /api/v1/deliveries/lake: 204", "DELETE /api/v1/deliveries/archive: 409",
                    "DELETE /api/v1/deliveries/a%0Aaudit%3A%20\(String(repeating: "b", count: 85)): 404",
                    "DELETE /api/v1/deliveries/{name}: refused with 403",
                ])
        }
    }

    @Test func aGatewayWhoseDeliveriesLagIsReadyAndTellsOfThem() async throws {
        let lake = "lake: UNREACHABLE: refused, 3 h behind"
        let old = "old: CONFLICT: table: there is no table \"gone\""
        try await TestBed.run(sources: Self.sources()) { (bed: TestBed) async throws -> Void in
            let answer = try await bed.get("/-/ready")
            #expect(answer.status == 200)
            let warnings = try #require(try answer.json["warnings"]?.elements)
            #expect(warnings.map { $0["part"] } == [.string("delivery"), .string("delivery")])
            #expect(warnings.map { $0["reason"] } == [.string(lake), .string(old)])
            let stats = try await bed.get("/api/v1/stats").json
            #expect(stats["ready"] == .boolean(true) && stats["not_ready_reasons"] == .array([]))
            #expect(stats["warnings"] == .array(warnings))
        }
        var late = Self.archive
        (late.lag, late.isLate, late.state) = (.seconds(119), true, "paused")
        try await TestBed.run(sources: Self.sources(of: [late])) { (bed: TestBed) async throws -> Void in
            #expect(try await bed.get("/-/ready").json["warnings"]?[0]?["reason"] == .string("archive: paused, 119 s behind"))
        }
        try await TestBed.run(sources: Self.sources(of: [Self.archive])) { (bed: TestBed) async throws -> Void in
            #expect(try await bed.get("/-/ready").text == "{\"ready\":true}\n")
            #expect(try await bed.get("/api/v1/stats").json["warnings"] == .array([]))
        }
    }

    @Test func onlyWhoMayReadEverythingIsToldOfDeliveriesThatLag() async throws {
        try await TestBed.run(sources: Self.sources(), configure: { $0.askForTokens() }) { (bed: TestBed) async throws -> Void in
            for headers in [[:], Keys.bearer(Keys.line1), Keys.bearer(Keys.writer), Keys.bearer(Keys.expired)] {
                #expect(try await bed.get("/-/ready", headers: headers).text == "{\"ready\":true}\n")
            }
            #expect(try await bed.get("/-/ready", headers: Keys.bearer(Keys.reader)).json["warnings"]?.elements?.count == 2)
        }
    }
}

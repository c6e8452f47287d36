import HTTPTypes
import QueryAPI
import Telemetry
import TelemetryStore
import Testing

/// A token with a device prefix: other devices are not there.
@Suite struct DevicePrefixTests {
    private static let devices = ["line1/a", "line1/b", "line10/a", "line2/a", "line1"]

    private func run(_ body: @Sendable (TestBed) async throws -> Void) async throws {
        try await TestBed.run(configure: { $0.askForTokens() }) { bed in
            for device in Self.devices { try bed.commit(device, ["x": .integer(1)]) }
            try await body(bed)
        }
    }

    private func ids(_ bed: TestBed, _ uri: String, _ member: String, _ name: String) async throws -> [String] {
        let answer = try await bed.get(uri, headers: Keys.bearer(Keys.line1))
        #expect(answer.status == 200, "\(uri): \(answer.text)")
        return try answer.json[member]?.elements?.compactMap { $0[name]?.text } ?? []
    }

    @Test func listsHoldItsDevicesAlone() async throws {
        try await run { (bed: TestBed) async throws -> Void in
            for uri in [
                "/api/v1/devices", "/api/v1/devices?prefix=line", "/api/v1/devices?prefix=line1/", "/api/v1/devices?sort=last_seen",
            ] {
                #expect(try await ids(bed, uri, "devices", "id").sorted() == ["line1/a", "line1/b"], "\(uri)")
            }
            #expect(try await ids(bed, "/api/v1/devices?prefix=line1/b", "devices", "id") == ["line1/b"])
            for uri in ["/api/v1/devices?prefix=line2", "/api/v1/devices?prefix=line10&sort=last_seen", "/api/v1/devices?prefix=x"] {
                #expect(try await ids(bed, uri, "devices", "id") == [], "\(uri)")
            }
            #expect(try await ids(bed, "/api/v1/latest", "rows", "device") == ["line1/a", "line1/b"])
            #expect(try await ids(bed, "/api/v1/latest?prefix=line2", "rows", "device") == [])
        }
    }

    @Test func pagesOfOneTokenAreNotThoseOfAnother() async throws {
        try await run { (bed: TestBed) async throws -> Void in
            let page = try await bed.get("/api/v1/devices?limit=1", headers: Keys.bearer(Keys.line1)).json
            let token = try #require(page["next_page_token"]?.text)
            #expect(try await ids(bed, "/api/v1/devices?limit=1&page_token=\(token)", "devices", "id") == ["line1/b"])
            let foreign = try await bed.get("/api/v1/devices?limit=1&page_token=\(token)", headers: Keys.bearer(Keys.reader))
            #expect(foreign.status == 400)
        }
    }

    /// No answer tells a device of others from one that does not exist.
    @Test(arguments: ["", "/latest", "/range"]) func aForeignDeviceIsAsUnknownAsNone(path: String) async throws {
        try await run { (bed: TestBed) async throws -> Void in
            func answer(_ id: String, _ headers: HTTPFields = [:]) async throws -> TestAnswer {
                try await bed.get("/api/v1/devices/\(id)\(path)", headers: Keys.bearer(Keys.line1, headers))
            }
            #expect(try await answer("line1%2Fa").status == 200)
            let unknown = try await answer("line2%2Fz")
            let foreign = try await answer("line2%2Fa")
            #expect(unknown.status == 404 && foreign.status == 404)
            let id = try #require(unknown.headers[.requestID])
            let expected = unknown.text.replacing("line2/z", with: "line2/a").replacing(id, with: foreign.headers[.requestID] ?? "")
            #expect(foreign.text == expected)
            for id in ["line10%2Fa", "line1"] { #expect(try await answer(id).status == 404, "\(id)") }
            let admin = try await bed.get("/api/v1/devices/line2%2Fa\(path)", headers: Keys.bearer(Keys.admin))
            #expect(admin.status == 200)
            if let tag = admin.headers[.eTag] { #expect(try await answer("line2%2Fa", [.ifNoneMatch: tag]).status == 404) }
        }
    }

    @Test func askedByNameForeignDevicesAreUnknown() async throws {
        try await run { (bed: TestBed) async throws -> Void in
            let expected: [String: Bool] = ["line1/a": false, "line2/a": true, "line2/z": true]
            let list = try await bed.get("/api/v1/latest?devices=line1/a,line2/a,line2/z", headers: Keys.bearer(Keys.line1))
            let post = try await bed.post(
                "/api/v1/latest", #"{"devices":["line1/a","line2/a","line2/z"]}"#,
                headers: Keys.bearer(Keys.line1, [.contentType: "application/json"]))
            for answer in [list, post] {
                #expect(answer.status == 200)
                let rows = try #require(try answer.json["rows"]?.elements)
                #expect(rows.count == 3)
                for row in rows {
                    let device = try #require(row["device"]?.text)
                    let isUnknown: Bool = expected[device] ?? false
                    #expect((row["unknown"] == .boolean(true)) == isUnknown)
                    #expect((row["values"]?.names ?? []).isEmpty == isUnknown)
                }
            }
        }
    }

    /// The tag of an answer with all devices must not say that one with a few is still good.
    @Test func aTagHoldsForTheSameAccessAlone() async throws {
        try await run { (bed: TestBed) async throws -> Void in
            let tag = try #require(try await bed.get("/api/v1/latest", headers: Keys.bearer(Keys.reader)).headers[.eTag])
            #expect(try await bed.get("/api/v1/latest", headers: Keys.bearer(Keys.reader, [.ifNoneMatch: tag])).status == 304)
            #expect(try await bed.get("/api/v1/latest", headers: Keys.bearer(Keys.admin, [.ifNoneMatch: tag])).status == 304)
            #expect(try await bed.get("/api/v1/latest", headers: Keys.bearer(Keys.line1, [.ifNoneMatch: tag])).status == 200)
        }
    }

    @Test func tablesAreNamedWithoutTheFiguresOfAll() async throws {
        try await run { (bed: TestBed) async throws -> Void in
            let whole = try await bed.get("/api/v1/tables", headers: Keys.bearer(Keys.reader)).json["tables"]?[0]
            let part = try await bed.get("/api/v1/tables", headers: Keys.bearer(Keys.line1)).json["tables"]?[0]
            #expect(whole?["devices"] == .number("5"))
            #expect(part?["name"] == .string("telemetry"))
            for name in ["devices", "rows", "bytes", "oldest", "newest"] { #expect(part?[name] == nil, "\(name)") }
        }
    }

    @Test func ofAWriteItsDevicesAreStoredAndTheOthersNamed() async throws {
        try await run { (bed: TestBed) async throws -> Void in
            let body = """
                {"device":"line1/c","fields":{"x":1}}
                {"device":"line2/c","fields":{"x":1}}
                {"device":"line1/d","fields":{"x":1}}
                {"device":"line2/a","fields":{"x":7}}
                """
            let answer = try await bed.post(
                "/api/v1/write", body, headers: Keys.bearer(Keys.line1, [.contentType: "application/x-ndjson"]))
            #expect(answer.status == 400)
            let json = try answer.json
            #expect(json["accepted"] == .number("2") && json["rejected"] == .number("2"))
            #expect(json["errors"]?.elements?.map { $0["index"]?.number } == ["1", "3"])
            #expect(json["errors"]?.elements?.map { $0["line"]?.number } == ["2", "4"])
            #expect(json["errors"]?.elements?.allSatisfy { $0["reason"] == .string("forbidden") } == true)
            #expect(bed.store.tables[0].device("line1/c") != nil && bed.store.tables[0].device("line1/d") != nil)
            #expect(bed.store.tables[0].device("line2/c") == nil)
            #expect(bed.store.tables[0].device("line2/a")?.summary.readingCount == 1)
        }
    }

    @Test func aWriteOfForeignDevicesAloneIsA403() async throws {
        try await run { (bed: TestBed) async throws -> Void in
            let answer = try await bed.post(
                "/api/v1/write", #"[{"device":"line2/a","fields":{"x":1}}]"#,
                headers: Keys.bearer(Keys.line1, [.contentType: "application/json"]))
            #expect(answer.status == 403)
            #expect(try answer.json["rejected"] == .number("1"))
            let lines = try await bed.post("/write", "m,device=line2/a x=1", headers: Keys.bearer(Keys.line1))
            #expect(lines.status == 403)
            #expect(try lines.json["code"] == .string("forbidden"))
            let mixed = try await bed.post("/write", "m,device=line2/a x=1\nm,device=line1/a x=1", headers: Keys.bearer(Keys.line1))
            #expect(mixed.status == 400)
            #expect(try mixed.json["error"]?.text == "partial write: line 1: forbidden dropped=1")
        }
    }

    @Test func prefixesAreComparedByTheirBytes() {
        let access = Access(scopes: [.read], prefix: "caf\u{E9}/")
        #expect(access.allows(device: "caf\u{E9}/1"))
        #expect(!access.allows(device: "cafe\u{301}/1"))
        #expect(access.allows(device: "caf\u{E9}/\u{301}x"))
        #expect(!access.allows(device: "caf\u{E9}"))
        #expect(access.allows(device: Array("caf\u{E9}/1".utf8)) && !access.allows(device: Array("caf".utf8)))
        #expect(access.narrowed(prefix: "") == "caf\u{E9}/")
        #expect(access.narrowed(prefix: "caf") == "caf\u{E9}/")
        #expect(access.narrowed(prefix: "caf\u{E9}/a") == "caf\u{E9}/a")
        #expect(access.narrowed(prefix: "cafe") == nil)
        #expect(Access.unrestricted.narrowed(prefix: "x") == "x" && Access.unrestricted.allows(device: "x"))
    }
}

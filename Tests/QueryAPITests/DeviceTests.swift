import Hummingbird
import QueryAPI
import Telemetry
import TelemetryStore
import Testing

/// `/tables`, `/devices`, `/partitions`.
@Suite struct DeviceTests {
    @Test func tablesAreListedWithTheirOptionsAndFields() async throws {
        var fast = TableOptions(name: "fast")
        fast.ttl = TimeSpan(microseconds: 1_500_000)
        try await TestBed.run(tables: [TableOptions(name: "telemetry"), fast]) { bed in
            try bed.commit("d1", ["temp": .double(21.5), "ok": .boolean(true)])
            let tables = try await bed.get("/api/v1/tables").json["tables"]
            #expect(tables?.elements?.count == 2)
            #expect(
                tables?[0]?.names == [
                    "name", "ttl_s", "max_versions", "buckets", "partition_s", "devices", "rows", "bytes", "oldest", "newest", "fields",
                ])
            #expect(tables?[0]?["name"] == .string("telemetry"))
            #expect(tables?[0]?["ttl_s"] == .number("2592000"))
            #expect(tables?[0]?["partition_s"] == .number("3600"))
            #expect(tables?[0]?["devices"] == .number("1"))
            #expect(tables?[0]?["rows"] == .number("1"))
            #expect(tables?[0]?["newest"] == .number("1764000000000"))
            #expect(tables?[0]?["fields"]?[0] == .object([.init("name", "ok"), .init("type", "boolean")]))
            #expect(tables?[1]?["ttl_s"] == .number("1.5"))
            #expect(tables?[1]?["oldest"] == .null)
        }
    }

    @Test func devicesAreFilteredByPrefixAndState() async throws {
        try await TestBed.run { bed in
            try bed.commit("line1/a", ["x": .integer(1)])
            try bed.commit("line2/b", ["x": .integer(1)])
            bed.clock.advance(by: .minutes(10))
            try bed.commit("line1/c", ["x": .integer(1)])
            func ids(_ query: String) async throws -> [String] {
                try await bed.get("/api/v1/devices" + query).json["devices"]?.elements?.compactMap { $0["id"]?.text } ?? []
            }
            #expect(try await ids("") == ["line1/a", "line1/c", "line2/b"])
            #expect(try await ids("?prefix=line1/") == ["line1/a", "line1/c"])
            #expect(try await ids("?prefix=line1%2Fc") == ["line1/c"])
            #expect(try await ids("?prefix=") == ["line1/a", "line1/c", "line2/b"])
            #expect(try await ids("?prefix=none").isEmpty)
            #expect(try await ids("?state=online") == ["line1/c"])
            #expect(try await ids("?state=stale") == ["line1/a", "line2/b"])
            #expect(try await ids("?sort=last_seen").first == "line1/c")
            let device = try await bed.get("/api/v1/devices?prefix=line1/c").json["devices"]?[0]
            #expect(device?.names == ["id", "first_seen", "last_seen", "state", "readings"])
            #expect(device?["state"] == .string("online"))
            #expect(device?["readings"] == .number("1"))
        }
    }

    @Test(arguments: ["id", "last_seen"]) func pagesOfDevicesAddUpToTheWholeList(_ sort: String) async throws {
        try await TestBed.run { bed in
            for number in 0..<25 {
                bed.clock.advance(by: .seconds(1))
                try bed.commit("device-\(number * 7 % 25)/ü", ["x": .integer(1)])
            }
            let whole = try await bed.pages("/api/v1/devices?sort=\(sort)", "devices")
            #expect(whole.count == 1 && whole[0].count == 25)
            for limit in [1, 4, 5, 24, 25, 26] {
                let pages = try await bed.pages("/api/v1/devices?sort=\(sort)&limit=\(limit)", "devices")
                #expect(pages.flatMap { $0 } == whole[0], "limit \(limit)")
                #expect(pages.count == (24 + limit) / limit, "limit \(limit)")
            }
        }
    }

    @Test func longListsOfDevicesAreStreamedWhole() async throws {
        try await TestBed.run { bed in
            try bed.commit((0..<5_000).map { Reading(device: "d\($0)", time: TestBed.now, fields: ["x": .integer(Int64($0))]) })
            let devices = try await bed.get("/api/v1/devices?limit=100000")
            #expect(try devices.json["devices"]?.elements?.count == 5_000)
            #expect(try devices.json["next_page_token"] == nil)
            #expect(try await bed.get("/api/v1/devices?limit=4999").json["next_page_token"] != nil)
            let latest = try await bed.get("/api/v1/latest?limit=100000")
            #expect(try latest.json["rows"]?.elements?.count == 5_000)
            #expect(latest.headers[.eTag] == nil)
        }
    }

    @Test func oneDeviceShowsItsFields() async throws {
        try await TestBed.run { bed in
            try bed.commit("d1", ["temp": .double(21.5)])
            let device = try await bed.get("/api/v1/devices/d1?time=rfc3339").json
            #expect(device["id"] == .string("d1"))
            #expect(device["last_seen"] == .string("2025-11-24T16:00:00Z"))
            #expect(
                device["fields"]?[0]
                    == .object([.init("name", "temp"), .init("type", "double"), .init("time", "2025-11-24T16:00:00Z")]))
        }
    }

    @Test func wrongParametersOfListsAreNamed() async throws {
        try await TestBed.run { bed in
            try bed.commit("d1", ["x": .integer(1)])
            let cases: [(String, String)] = [
                ("/api/v1/devices?limit=0", "limit"), ("/api/v1/devices?limit=100001", "limit"), ("/api/v1/devices?limit=", "limit"),
                ("/api/v1/devices?limit=abc", "limit"), ("/api/v1/devices?limit=-1", "limit"), ("/api/v1/devices?limit=1.5", "limit"),
                ("/api/v1/devices?limit=99999999999999999999", "limit"), ("/api/v1/devices?state=dead", "state"),
                ("/api/v1/devices?sort=name", "sort"), ("/api/v1/devices?page_token=abc", "page_token"),
                ("/api/v1/devices?page_token=", "page_token"), ("/api/v1/devices?prefix=%ZZ", "prefix"),
                ("/api/v1/devices?prefix=%FF", "prefix"), ("/api/v1/devices?prefix=a&prefix=b", "prefix"),
                ("/api/v1/devices?colour=red", "colour"), ("/api/v1/devices?=x", ""), ("/api/v1/devices?step=1m", "step"),
                ("/api/v1/devices?time=hours", "time"), ("/api/v1/devices/d1?limit=1", "limit"), ("/api/v1/tables?table=x", "table"),
                ("/api/v1/partitions?state=lost", "state"), ("/api/v1/stats?x=1", "x"), ("/api/v1/config?x", "x"),
                ("/metrics?x=1", "x"), ("/-/ready?x=1", "x"),
            ]
            for (uri, param) in cases { try await bed.expectProblem(400, param: param, uri) }
            for path in ["devices", "devices/d1", "partitions", "latest", "devices/d1/latest", "devices/d1/range"] {
                try await bed.expectProblem(404, param: "table", "/api/v1/\(path)?table=nope")
            }
            try await bed.expectProblem(404, param: "id", "/api/v1/devices/nobody")
        }
    }

    @Test func aTokenOfAnotherQueryIsRefused() async throws {
        try await TestBed.run { bed in
            for number in 0..<5 { try bed.commit("d\(number)", ["x": .integer(1)]) }
            func token(_ uri: String) async throws -> String {
                let json = try await bed.get(uri).json
                return try #require(json["next_page_token"]?.text)
            }
            let plain = try await token("/api/v1/devices?limit=2")
            let filtered = try await token("/api/v1/devices?limit=2&prefix=d")
            let recent = try await token("/api/v1/devices?limit=2&sort=last_seen")
            try await bed.expectProblem(400, param: "page_token", "/api/v1/devices?prefix=d&page_token=\(plain)")
            try await bed.expectProblem(400, param: "page_token", "/api/v1/devices?page_token=\(filtered)")
            try await bed.expectProblem(400, param: "page_token", "/api/v1/devices?page_token=\(recent)")
            try await bed.expectProblem(400, param: "page_token", "/api/v1/latest?page_token=\(plain)")
            try await bed.expectProblem(400, param: "page_token", "/api/v1/devices?page_token=\(plain)!")
            // Its size and look may change from page to page.
            #expect(try await bed.get("/api/v1/devices?limit=3&time=s&page_token=\(plain)").status == 200)
        }
    }

    @Test func partitionsShowTheirObjects() async throws {
        var sources = QuerySources()
        sources.delivery = { table, _ in
            var delivery = PartitionDelivery()
            delivery.objects = [.init(key: "\(table)/year=2025/a.parquet", rowCount: 1, byteCount: 10, sha256: "ab")]
            delivery.lastError = "no route"
            return delivery
        }
        try await TestBed.run(sources: sources) { bed in
            try bed.commit("d1", ["x": .integer(1)])
            let partition = try await bed.get("/api/v1/partitions").json["partitions"]?[0]
            #expect(
                partition?.names == ["table", "start", "end", "state", "rows", "bytes", "segments", "objects", "last_error"])
            #expect(partition?["start"] == .number("1764000000000"))
            #expect(partition?["end"] == .number("1764003600000"))
            #expect(partition?["state"] == .string("open"))
            #expect(partition?["rows"] == .number("1"))
            #expect(partition?["objects"]?[0]?["key"] == .string("telemetry/year=2025/a.parquet"))
            #expect(partition?["last_error"] == .string("no route"))
            #expect(try await bed.get("/api/v1/partitions?state=delivered").json["partitions"] == .array([]))
        }
    }
}

extension JSONValue.Member {
    init(_ name: String, _ text: String) {
        self.init(name: name, value: .string(text))
    }
}

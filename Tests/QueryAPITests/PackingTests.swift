import HTTPTypes
import Hummingbird
import QueryAPI
import Telemetry
import TelemetryStore
import Testing

/// gzip of answers, and the tags that save sending them.
@Suite struct PackingTests {
    private static let gzip: HTTPFields = [.acceptEncoding: "gzip"]

    private static func fill(_ bed: TestBed, rowCount: Int) throws {
        try bed.commit(
            (0..<rowCount).map { number in
                Reading(device: "d1", time: TestBed.now - .milliseconds(Int64(rowCount - number)), fields: ["n": .integer(Int64(number))])
            })
    }

    @Test func whatIsPackedUnpacksToTheSame() async throws {
        try await TestBed.run(isLive: true) { bed in
            try Self.fill(bed, rowCount: 20_000)
            let range = "/api/v1/devices/d1/range?order=asc"
            let uris = [
                "/api/v1/tables", "/api/v1/devices/d1/range?limit=100", range + "&limit=20000", range + "&limit=19000&format=csv",
                range + "&limit=20000&format=ndjson",
            ]
            for uri in uris {
                let plain = try await bed.get(uri)
                let packed = try await bed.get(uri, headers: Self.gzip)
                #expect(packed.headers[.contentEncoding] == (plain.byteCount < 1_024 ? nil : "gzip"), "\(uri)")
                #expect(packed.headers[.vary]?.hasSuffix("accept-encoding") == true, "\(uri)")
                #expect(plain.headers[.vary] == packed.headers[.vary], "\(uri)")
                #expect(plain.headers[.contentEncoding] == nil)
                #expect(packed.trailers?[.nextPageToken] == plain.trailers?[.nextPageToken])
                guard plain.byteCount >= 1_024 else { continue }
                #expect(packed.byteCount * 3 < plain.byteCount, "\(uri)")
                #expect(Gzip.unpack(packed.bytes) == plain.text, "\(uri)")
                let head = try await bed.send(.head, uri, headers: Self.gzip)
                #expect(head.headers[.contentEncoding] == "gzip")
                #expect(head.headers[.contentLength] == String(packed.byteCount), "\(uri)")
            }
        }
    }

    @Test func onlyWhoTakesItIsSentIt() async throws {
        try await TestBed.run { bed in
            try Self.fill(bed, rowCount: 200)
            let accepted: [(String, Bool)] = [
                ("gzip", true), ("deflate, gzip;q=0.5", true), ("GZIP", true), ("x-gzip", true), ("*", true), ("gzip;q=0", false),
                ("identity", false), ("", false), ("br", false), ("*;q=0", false), ("gzip;q=0, *", false), ("gzip;q=nonsense", false),
            ]
            for (header, isPacked) in accepted {
                let answer = try await bed.get("/api/v1/devices/d1/range", headers: [.acceptEncoding: header])
                #expect((answer.headers[.contentEncoding] == "gzip") == isPacked, "\(header)")
            }
            // Problems and small answers are not worth it; probes have nothing to pack.
            for uri in ["/api/v1/devices/none/range", "/api/v1/devices/d1/latest", "/ping", "/-/healthy"] {
                #expect(try await bed.get(uri, headers: Self.gzip).headers[.contentEncoding] == nil, "\(uri)")
            }
        }
    }

    @Test func aClosedRangeHoldsUntilACommitOrAnExpiry() async throws {
        var table = TableOptions(name: "telemetry")
        table.ttl = .seconds(60)
        try await TestBed.run(tables: [table]) { bed in
            try Self.fill(bed, rowCount: 20)
            for query in ["", "&step=10s&agg=max", "&format=csv"] {
                let uri = "/api/v1/devices/d1/range?start=1763999990000&end=1764000000000\(query)"
                func status(_ tag: String, _ more: String = "") async throws -> Int {
                    try await bed.get(uri + more, headers: [.ifNoneMatch: tag]).status
                }
                let tag = try #require(try await bed.get(uri).headers[.eTag])
                let known = try await bed.get(uri, headers: [.ifNoneMatch: "\"x\", \(tag)"])
                #expect(known.status == 304)
                #expect(known.headers[.eTag] == tag)
                #expect(known.text.isEmpty)
                #expect(try await status(tag, "&time=s") == 200)
                #expect(try await status(tag, "&limit=5") == 200)
                for format in ["csv", "ndjson"] where !query.contains("format") {
                    #expect(try await status(tag, "&format=\(format)") == 200)
                }
                #expect(try await status(tag, "&shape=objects") == (query.contains("csv") ? 400 : 200))
                #expect(try await status("\"x\"") == 200)
                try bed.commit("d2", ["n": .integer(1)])
                #expect(try await status(tag) == 200)
                let next = try #require(try await bed.get(uri).headers[.eTag])
                // The start is ten seconds ago: it expires in fifty.
                bed.clock.advance(by: .seconds(51))
                #expect(try await status(next) == 200)
                bed.clock.set(to: TestBed.now)
            }
            #expect(try await bed.get("/api/v1/devices/d1/range?start=-1h").headers[.eTag] == nil)
            let page = "/api/v1/devices/d1/range?start=1763999990000&end=1764000000000&limit=3"
            let first = try await bed.get(page)
            let token = try #require(try first.json["next_page_token"]?.text)
            let next = try await bed.get(page + "&page_token=\(token)", headers: [.ifNoneMatch: try #require(first.headers[.eTag])])
            #expect(next.status == 200 && next.text != first.text)
        }
    }
}

import HTTPTypes
import QueryAPI
import Telemetry
import TelemetryStore
import Testing

/// Pages stay right while the store changes between them.
@Suite struct PagingTests {
    /// Between two pages new rows come at both ends and in the midst, heads are flushed, windows sealed and merged, the oldest dropped.
    ///
    /// Every row that was there when the first page was asked for, and is not expired when its page is, comes once, in order; rows that
    /// came since may come or not, and none comes twice.
    @Test(arguments: ["desc", "asc"], ["range", "query", "where"])
    func rowsComeOnceWhateverHappensBetweenPages(_ order: String, _ kind: String) async throws {
        var table = TableOptions(name: "telemetry")
        table.ttl = .minutes(30)
        table.partitionLength = .minutes(5)
        table.sealAfter = .seconds(30)
        try await TestBed.run(tables: [table]) { bed in
            let start = TestBed.now - .minutes(25)
            // One reading each five seconds of 25 minutes, every third one late.
            let numbers = Array(0..<300)
            for number in numbers where number % 3 != 0 { try commit(bed, start, number) }
            for number in numbers where number % 3 == 0 { try commit(bed, start, number) }
            var pages = Pages(kind: kind, order: order, limit: 17)
            var seen: [Int] = []
            var expired = -1
            var extra = 1_000
            repeat {
                seen += try await pages.next(bed).filter { $0 < 1_000 }
                // The clock goes on by half a minute: rows expire from the old end, windows are sealed and dropped.
                bed.clock.advance(by: .seconds(30))
                expired = Int(((bed.clock.now() - .minutes(30)) - start).microseconds / 5_000_000)
                for time in [
                    bed.clock.now(), TestBed.now - .minutes(10) + .milliseconds(Int64(extra)),
                    bed.clock.now() - .minutes(28) + .milliseconds(7),
                ] {
                    try bed.commit([Reading(device: "d1", time: time, fields: ["n": .integer(Int64(extra)), "all": .boolean(true)])])
                    extra += 1
                }
                try bed.store.performMaintenance()
            } while !pages.isOver
            #expect(Set(seen).count == seen.count, "a row came twice")
            #expect(seen == seen.sorted(by: order == "asc" ? (<) : (>)))
            // Those that can have expired before their page are the oldest.
            let missing = Set(numbers).subtracting(seen)
            #expect(missing.allSatisfy { $0 <= expired }, "missing: \(missing.sorted())")
            #expect(bed.store.statistics.seals > 0)
            #expect(seen.count > 200)
        }
    }

    @Test func tokensAndTagsHoldForTheirTableAndDeviceAlone() async throws {
        try await TestBed.run(tables: [TableOptions(name: "first"), TableOptions(name: "second")]) { bed in
            for device in ["a", "b"] {
                for table in [0, 1] as [TableNumber] {
                    for age in 0..<3 { try bed.commit(device, ["n": .integer(1)], age: .seconds(Int64(age)), table: table) }
                }
            }
            let range = "/range?limit=2&start=2025-11-24T15:00:00Z&end=2025-11-24T17:00:00Z"
            for (asked, others) in [
                ("devices?limit=1", ["devices?limit=1&table=second"]), ("latest?limit=1", ["latest?limit=1&table=second"]),
                ("devices/a\(range)", ["devices/b\(range)", "devices/a\(range)&table=second"]),
                ("devices/a/latest?time=s", ["devices/b/latest?time=s", "devices/a/latest?time=s&table=second"]),
            ] {
                let first = try await bed.get("/api/v1/" + asked)
                let token = try first.json["next_page_token"]?.text
                #expect((token ?? first.headers[.eTag]) != nil, "\(asked)")
                for other in others.map({ "/api/v1/" + $0 }) {
                    if let token { try await bed.expectProblem(400, param: "page_token", other + "&page_token=\(token)") }
                    guard let tag = first.headers[.eTag] else { continue }
                    #expect(try await bed.get(other, headers: [.ifNoneMatch: tag]).status == 200, "\(other)")
                }
            }
        }
    }

    private func commit(_ bed: TestBed, _ start: Timestamp, _ number: Int) throws {
        let time = start + .seconds(Int64(number) * 5)
        try bed.commit([Reading(device: "d1", time: time, fields: ["n": .integer(Int64(number)), "all": .boolean(true)])])
    }

    /// Walks from page to page, and gives `n` of their rows.
    private struct Pages {
        let kind: String
        let order: String
        let limit: Int
        private(set) var isOver = false
        private var token: String?

        init(kind: String, order: String, limit: Int) {
            self.kind = kind
            self.order = order
            self.limit = limit
        }

        mutating func next(_ bed: TestBed) async throws -> [Int] {
            let rows: JSONValue?
            let json: JSONValue
            if kind == "range" {
                let uri = "/api/v1/devices/d1/range?fields=n&order=\(order)&limit=\(limit)&start=-1h"
                json = try await bed.get(uri + (token.map { "&page_token=\($0)" } ?? "")).json
                rows = json["rows"]
            } else {
                let condition = kind == "where" ? #","where":{"field":"all","op":"=","value":true}"# : ""
                let token = token.map { #","page_token":"\#($0)""# } ?? ""
                json = try await bed.post(
                    "/api/v1/query",
                    #"{"prefix":"d","fields":["n"],"order":"\#(order)","limit":\#(limit),"start":"-1h"\#(condition)\#(token)}"#
                ).json
                rows = json["series"]?[0]?["rows"]
            }
            token = json["next_page_token"]?.text
            isOver = token == nil
            return rows?.elements?.compactMap { Int($0[1]?.number ?? "") } ?? []
        }
    }
}

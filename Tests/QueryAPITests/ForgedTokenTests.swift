import HTTPTypes
import QueryAPI
import Telemetry
import TelemetryStore
import Testing

/// Page tokens are no secret and carry no seal: whatever a client makes of one is another page or a 400.
@Suite(.timeLimit(.minutes(2))) struct ForgedTokenTests {
    /// The token with another kind and payload, for the same query.
    private static func forged(_ token: String, kind: UInt8, _ numbers: [Int64], _ tail: String = "") throws -> String {
        let given = try #require(Base64.decode(urlSafe: token))
        var bytes = [kind] + given[1..<9]
        for number in numbers { for byte in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * Int64(byte)))) } }
        bytes += tail.utf8
        var text: [UInt8] = []
        text.append(base64: bytes, urlSafe: true)
        return String(decoding: text, as: UTF8.self)
    }

    private static let times: [Int64] = [.min, .min + 1, 0, TestBed.now.microseconds - 1_500_000, .max]

    private static func eachTimes(_ body: ([Int64]) async throws -> Void) async throws {
        for row in times { for start in times { for end in times { try await body([row, start, end]) } } }
    }

    private static func fill(_ bed: TestBed) throws {
        for device in ["a", "b"] { for age in 0..<4 { try bed.commit(device, ["x": .integer(1)], age: .seconds(Int64(age))) } }
    }

    private static let old = "1969-12-31T00:00:00Z"

    @Test(arguments: [
        "start=-3d", "start=-3d&order=asc&time=rfc3339", "start=-3d&versions=2", "start=-3d&step=1h&time=us",
        "start=-3d&step=1d&align=Europe/Berlin", "start=\(old)&step=100000000d&fill=previous",
    ]) func timesOfARangeThatNobodyGave(parameters: String) async throws {
        try await TestBed.run { bed in
            try Self.fill(bed)
            let uri = "/api/v1/devices/a/range?limit=1&\(parameters)"
            let first = try await bed.get(uri)
            let token = try #require(try first.json["next_page_token"]?.text, "\(first.text)")
            try await Self.eachTimes { times in
                let answer = try await bed.get(uri + "&page_token=\(try Self.forged(token, kind: 3, times))")
                #expect([200, 400, 422].contains(answer.status), "\(times): \(answer.text)")
            }
        }
    }

    @Test(arguments: [
        #""start":"-3d""#, #""start":"-3d","order":"asc","time":"rfc3339""#, #""start":"-3d","step":"1h","time":"us""#,
        #""start":"-3d","step":"1d","align":"Europe/Berlin""#, #""start":"\#(old)","step":"100000000d","fill":"previous""#,
    ]) func timesAndPlacesOfAQueryThatNobodyGave(members: String) async throws {
        try await TestBed.run { bed in
            try Self.fill(bed)
            for (devices, places) in [
                (#""prefix":"""#, [(5, nil, ""), (5, nil, "b")]),
                (#""devices":["a","b"]"#, [(4, 1, ""), (4, 2, ""), (4, .max, "")]),
            ] as [(String, [(UInt8, Int64?, String)])] {
                let query = #"{"limit":1,\#(devices),\#(members)"#
                let first = try await bed.post("/api/v1/query", query + "}")
                let token = try #require(try first.json["next_page_token"]?.text, "\(first.text)")
                for (kind, index, id) in places {
                    try await Self.eachTimes { times in
                        let forged = try Self.forged(token, kind: kind, times + (index.map { [$0] } ?? []), id)
                        let answer = try await bed.post("/api/v1/query", query + #","page_token":"\#(forged)"}"#)
                        #expect([200, 400, 422].contains(answer.status), "\(index ?? 0) \(id) \(times): \(answer.text)")
                    }
                }
            }
        }
    }

    @Test func positionsBehindTheEnd() async throws {
        try await TestBed.run { bed in
            try Self.fill(bed)
            for uri in ["/api/v1/devices?limit=1&sort=last_seen", "/api/v1/latest?limit=1&devices=a,b"] {
                let token = try #require(try await bed.get(uri).json["next_page_token"]?.text)
                for (position, status) in [(1, [200]), (2, [200]), (3, [200, 400]), (.max, [200, 400]), (-1, [400])] as [(Int64, [Int])] {
                    let answer = try await bed.get(uri + "&page_token=\(try Self.forged(token, kind: 2, [position]))")
                    #expect(status.contains(answer.status), "\(uri) \(position): \(answer.text)")
                }
            }
            let lists = try await bed.get("/api/v1/latest?limit=1&devices=a,b").json["next_page_token"]?.text
            let behind = try Self.forged(try #require(lists), kind: 2, [3])
            try await bed.expectProblem(400, param: "page_token", "/api/v1/latest?limit=1&devices=a,b&page_token=\(behind)")
        }
    }
}

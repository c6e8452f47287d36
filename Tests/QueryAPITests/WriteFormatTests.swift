import Dialects
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import QueryAPI
import Telemetry
import TelemetryStore
import Testing

/// Bodies of POST `/api/v1/write` other than JSON, packed or not.
@Suite struct WriteFormatTests {
    private static let plain: HTTPFields = [.contentType: "text/plain; charset=utf-8"]
    private static let csv: HTTPFields = [.contentType: "text/csv"]
    private static let lines: HTTPFields = [.contentType: "application/x-ndjson"]

    /// Errors as `index/line reason`.
    private func errors(_ answer: TestAnswer) throws -> [String] {
        try answer.json["errors"]?.elements?.map { "\($0["index"]?.number ?? "")/\($0["line"]?.number ?? "") \($0["reason"]?.text ?? "")" }
            ?? []
    }

    @Test func lineProtocolIsTakenInNanosecondsOrAsSaid() async throws {
        try await TestBed.run { bed in
            let body = "cpu,device=d1 usage=1.5,idle=98i 1764000000000000000\ncpu,device=d1,cpu=cpu0 usage=2 1763999999000000000\n"
            #expect(try await bed.post("/api/v1/write", body, headers: Self.plain).status == 204)
            let values = try await bed.get("/api/v1/devices/d1/latest").json["values"]
            #expect(values?["cpu.usage"]?["value"] == .number("1.5"))
            #expect(values?["cpu.idle"]?["value"] == .number("98"))
            #expect(try await bed.get("/api/v1/devices/d1%2Ccpu%3Dcpu0/latest").json["time"] == .number("1763999999000"))
            for (precision, time) in [
                ("n", "1763999990000000000"), ("ns", "1763999990000000000"), ("u", "1763999990000000"), ("us", "1763999990000000"),
                ("ms", "1763999990000"), ("s", "1763999990"), ("m", "29399999"), ("h", "489999"),
            ] {
                let uri = "/api/v1/write?precision=\(precision)"
                #expect(try await bed.post(uri, "m,device=\(precision) v=1 \(time)", headers: Self.plain).status == 204)
                let wanted = precision == "m" ? "1763999940000" : precision == "h" ? "1763996400000" : "1763999990000"
                #expect(try await bed.get("/api/v1/devices/\(precision)/latest").json["time"] == .number(wanted), "\(precision)")
            }
            try await bed.expectProblem(
                400, param: "precision", method: .post, "/api/v1/write?precision=d", headers: Self.plain, body: "m,device=d v=1")
        }
    }

    @Test func theGoodLinesOfAPartlyBadBodyAreStored() async throws {
        try await TestBed.run { bed in
            let body = """
                # comment
                m,device=d v=1i 1764000000000000000
                m,host=h v=1i

                m,device=d v=
                m,device=d v=2i 1000000000000000000
                m,device=d v="two
                lines" 1763999999000000000
                m,device=d v=1i noon
                """
            let answer = try await bed.post("/api/v1/write", body, headers: Self.plain)
            #expect(answer.status == 400)
            #expect(try answer.json["accepted"] == .number("2"))
            #expect(try answer.json["rejected"] == .number("4"))
            #expect(try errors(answer) == ["1/3 no-device", "2/5 undecodable", "3/6 late", "5/9 bad-time"])
            #expect(try answer.json["errors"]?[0]?["detail"]?.text?.contains("device_tag") == true)
            #expect(try await bed.get("/api/v1/devices/d/range?end=now%2B1s").json["rows"]?.elements?.count == 2)
            let metrics = try await bed.get("/metrics").text
            #expect(metrics.contains(#"gaugehouse_http_readings_rejected_total{reason="late"} 1"#))
            #expect(metrics.contains(#"gaugehouse_http_readings_rejected_total{reason="no-device"} 1"#))
        }
    }

    @Test func optionsOfLinesComeFromTheConfiguration() async throws {
        let configure: (inout QueryOptions) -> Void = { options in
            options.lines.deviceTag = "host"
            options.lines.tags = .fields
            options.lines.measurement = .drop
        }
        try await TestBed.run(configure: configure) { bed in
            #expect(try await bed.post("/api/v1/write", "cpu,host=h1,cpu=cpu0 usage=1.5", headers: Self.plain).status == 204)
            let values = try await bed.get("/api/v1/devices/h1/latest").json["values"]
            #expect(values?["usage"]?["value"] == .number("1.5"))
            #expect(values?["cpu"]?["value"] == .string("cpu0"))
        }
    }

    @Test func csvIsTakenWithItsHeading() async throws {
        try await TestBed.run { bed in
            let body =
                "device,time,temp,name\r\nd1,1764000000,21.5,\"a,b\"\r\nd1,1763999999000,7,\r\n,1764000000,1,\r\nd2,soon,1,\r\nd2,,1\r\n"
            let answer = try await bed.post("/api/v1/write?table=telemetry", body, headers: Self.csv)
            #expect(answer.status == 400)
            #expect(try answer.json["accepted"] == .number("2"))
            #expect(try errors(answer) == ["2/4 no-device", "3/5 bad-time", "4/6 undecodable"])
            let rows = try await bed.get("/api/v1/devices/d1/range?end=now%2B1s&fields=temp,name").json["rows"]
            #expect(rows?[0]?.elements?.dropFirst().map { $0 } == [.number("21.5"), .string("a,b")])
            #expect(rows?[1]?.elements?.dropFirst().map { $0 } == [.number("7"), .null])
            #expect(try await bed.post("/api/v1/write?precision=ms", "device,ts,v\nd3,1763999999123,1", headers: Self.csv).status == 204)
            #expect(try await bed.get("/api/v1/devices/d3/latest").json["time"] == .number("1763999999123"))
            try await bed.expectProblem(400, param: "body", method: .post, "/api/v1/write", headers: Self.csv, body: "time,v\n1,2")
        }
    }

    @Test func anUnclosedQuoteCountsAllLinesThatItTakes() async throws {
        try await TestBed.run { bed in
            let csv = try await bed.post(
                "/api/v1/write", "device,n,t\nd,1,a\nd,2,\"b\nd,3,c\n\nd,4,d\n", headers: Self.csv)
            #expect(try csv.json["accepted"] == .number("1") && csv.json["rejected"] == .number("3"))
            #expect(try errors(csv) == ["1/3 undecodable"])
            #expect(try csv.json["errors"]?[0]?["detail"] == .string("the quote that is opened on line 3 is never closed"))
            let lines = try await bed.post(
                "/api/v1/write", "m,device=d n=1\nm,device=d t=\"b\nm,device=d n=3\n# x\nm,device=d n=4", headers: Self.plain)
            #expect(try lines.json["accepted"] == .number("1") && lines.json["rejected"] == .number("4"))
            #expect(try errors(lines) == ["1/2 undecodable"])
        }
    }

    @Test(arguments: [
        ("", "1764000000", "1970-01-01T00:00:01.764Z, with precision=ns; with precision=s it is 2025-11-24T16:00:00Z."),
        ("?precision=ns", "1764000000000", "1970-01-01T00:29:24Z, with precision=ns; with precision=ms it is 2025-11-24T16:00:00Z."),
        ("?precision=s", "1764000000000", "57868-12-07T16:00:00Z, with precision=s; with precision=ms it is 2025-11-24T16:00:00Z."),
        ("?precision=s", "1", "1970-01-01T00:00:01Z, with precision=s."), ("?precision=h", "1", "1970-01-01T01:00:00Z, with precision=h."),
    ])
    func aTimeThatDoesNotFitIsToldAsItWasRead(_ query: String, _ time: String, _ text: String) async throws {
        try await TestBed.run { bed in
            let answer = try await bed.post("/api/v1/write\(query)", "m,device=d v=1\nm,device=d v=2 \(time)", headers: Self.plain)
            let detail = try #require(try answer.json["detail"]?.text)
            #expect(
                detail == "1 of 2 readings were rejected; the others are stored. The time of the reading on line 2 was read as \(text)")
            #expect(try answer.json["errors"]?[0]?["detail"]?.text?.hasPrefix("its time was read as ") == true)
        }
    }

    @Test func whereTheMagnitudeTellsTheUnitTheTimeAloneIsTold() async throws {
        try await TestBed.run { bed in
            let json = try await bed.post("/api/v1/write", #"[{"device":"d","time":1000000000,"fields":{"n":1}}]"#)
            #expect(try json.json["detail"]?.text?.hasSuffix("reading at index 0 was read as 2001-09-09T01:46:40Z.") == true)
            let influx = try await bed.post("/write", "m,device=d v=1 1764000000", headers: [:])
            let text = try #require(try influx.json["error"]?.text)
            #expect(
                text.hasPrefix("partial write: line 1: its time was read as 1970-01-01T00:00:01.764Z, older than the table keeps readings"))
            #expect(text.hasSuffix("with precision=s it is 2025-11-24T16:00:00Z. dropped=1"))
        }
    }

    @Test func jsonLinesAreTakenOneByOne() async throws {
        try await TestBed.run { bed in
            let body = """
                {"device":"d","time":1764000000000,"fields":{"n":1}}

                {"device":"d","time":1763999999000,"fields":{"n":
                [{"device":"d","fields":{"n":1}}]
                {"device":"d","time":1763999998000,"fields":{"n":2}}
                {"fields":{"n":2}}
                """
            for headers in [Self.lines, [.contentType: "application/ndjson"], [.contentType: "application/jsonl"]] {
                let answer = try await bed.post("/api/v1/write", body, headers: headers)
                #expect(answer.status == 400)
                #expect(try answer.json["accepted"] == .number("2"))
                #expect(try errors(answer) == ["1/3 undecodable", "2/4 undecodable", "4/6 no-device"])
            }
            #expect(try await bed.get("/api/v1/devices/d/range?end=now%2B1s").json["rows"]?.elements?.count == 2)
            try await bed.expectProblem(
                400, param: "precision", method: .post, "/api/v1/write?precision=s", headers: Self.lines, body: "{}")
            #expect(try await bed.post("/api/v1/write", "\n\n", headers: Self.lines).status == 204)
        }
    }

    @Test func onlyTheFirstFiftyBadLinesAreListedAndAllAreCounted() async throws {
        try await TestBed.run { bed in
            // Every other line is refused by the store, every fourth by the decoder.
            let body = (0..<400).map { number in
                number % 4 == 0 ? "m,device=d" : number % 2 == 1 ? "m,device=d v=1i 1000000000000000000" : "m,device=d v=\(number)i"
            }
            let answer = try await bed.post("/api/v1/write", body.joined(separator: "\n"), headers: Self.plain)
            #expect(try answer.json["accepted"] == .number("100"))
            #expect(try answer.json["rejected"] == .number("300"))
            let wanted = (0..<400).filter { $0 % 4 != 2 }.prefix(50).map { "\($0)/\($0 + 1) \($0 % 4 == 0 ? "undecodable" : "late")" }
            #expect(try errors(answer) == Array(wanted))
        }
    }

    @Test func moreRowsThanABatchTakesAreRefusedWhole() async throws {
        try await TestBed.run { bed in
            for (headers, line) in [(Self.plain, "m,device=d v=1i\n"), (Self.lines, "{\"device\":\"d\",\"fields\":{\"n\":1}}\n")] {
                let body = String(repeating: line, count: 65_537)
                try await bed.expectProblem(413, param: nil, method: .post, "/api/v1/write", headers: headers, body: body)
                #expect(bed.store.statistics.readings == 0)
            }
            #expect(
                try await bed.post("/api/v1/write", String(repeating: "m,device=d v=1i\n", count: 65_536), headers: Self.plain).status
                    == 204)
        }
    }

    @Test func packedBodiesAreUnpacked() async throws {
        try await TestBed.run { bed in
            func send(_ body: [UInt8], encoding: String = "gzip") async throws -> TestAnswer {
                var headers = Self.plain
                headers[.contentEncoding] = encoding
                let response = try await bed.client.executeRequest(
                    uri: "/api/v1/write", method: .post, headers: headers, body: ByteBuffer(bytes: body))
                return TestAnswer(response: response)
            }
            let first = Gzip.pack("m,device=d1 v=1i\n")
            let second = Gzip.pack("m,device=d2 v=2i\n")
            #expect(try await send(first).status == 204)
            // Members follow one another (RFC 1952, 2.2).
            #expect(try await send(first + second, encoding: "X-GZIP").status == 204)
            #expect(try await bed.get("/api/v1/devices/d2/latest").json["values"]?["m.v"]?["value"] == .number("2"))
            for bad in [[], Array(first.dropLast()), first + [0], Array("m,device=d v=1i".utf8), Array(first.prefix(12))] {
                let answer = try await send(bad)
                #expect(answer.status == 400, "\(bad)")
                #expect(try answer.json["param"] == .string("body"))
            }
            var flipped = first
            flipped[flipped.count - 6] ^= 1
            #expect(try await send(flipped).status == 400)
            #expect(try await send(first, encoding: "br").status == 415)
        }
    }

    @Test func aBombIsRefusedBeforeItGoesOff() async throws {
        try await TestBed.run { bed in
            // 16 KiB that unpack to 16 MiB, 128 times: 2 GiB of zeros.
            let member = Gzip.pack(String(repeating: "\0", count: 16 << 20))
            let bomb = Array(repeating: member, count: 128).flatMap { $0 }
            #expect(bomb.count < 4 << 20)
            let before = try Self.peakByteCount
            let answer = try await bed.client.executeRequest(
                uri: "/api/v1/write", method: .post, headers: [.contentType: "text/plain", .contentEncoding: "gzip"],
                body: ByteBuffer(bytes: bomb))
            #expect(answer.status == .contentTooLarge)
            #expect(try Self.peakByteCount - before < 512 << 20)
            #expect(bed.store.statistics.readings == 0)
        }
    }

    /// The most memory that this process has ever had.
    private static var peakByteCount: Int {
        get throws {
            let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
            return try #require(Int(line.filter(\.isNumber))) * 1_024
        }
    }
}

import HTTPTypes
import Hummingbird
import NIOCore
import QueryAPI
import Telemetry
import TelemetryStore
import Testing

/// `/write`, `/api/v2/write` and `/ping`, as InfluxDB's clients use them.
@Suite struct InfluxWriteTests {
    private static let tables = [TableOptions(name: "telemetry"), TableOptions(name: "metrics")]

    @Test(arguments: [
        "/write?db=metrics&rp=&consistency=one&u=a&p=b", "/api/v2/write?org=o&bucket=metrics/autogen",
        "/api/v2/write?orgID=1&bucket=metrics",
    ])
    func theDatabaseNamesTheTableWhereThereIsOne(_ uri: String) async throws {
        try await TestBed.run(tables: Self.tables) { (bed: TestBed) async throws -> Void in
            // Clients name any content type here.
            for type in ["text/plain; charset=utf-8", "application/octet-stream", "application/x-www-form-urlencoded"] {
                let body = "m,device=d v=1 1763999990000000000"
                #expect(try await bed.post(uri, body, headers: [.contentType: type]).status == 204)
            }
            #expect(try await bed.get("/api/v1/devices/d/latest?table=metrics").json["time"] == .number("1763999990000"))
            #expect(try await bed.get("/api/v1/devices/d/latest").status == 404)
            let other = uri.replacing("metrics", with: "unheard")
            #expect(try await bed.post(other + "&precision=s", "m,device=d v=2 1763999991").status == 204)
            #expect(try await bed.get("/api/v1/devices/d/latest").json["time"] == .number("1763999991000"))
        }
    }

    @Test func errorsHaveTheFormThatClientsShow() async throws {
        try await TestBed.run { bed in
            for uri in ["/write", "/api/v2/write"] {
                let partial = try await bed.post(uri, "m,device=d v=1i\nm,device=d v=\nm,host=h v=1", headers: [:])
                #expect(partial.status == 400)
                #expect(partial.headers[.contentType] == "application/json")
                let text =
                    "partial write: line 2: field \"v\": no value; line 3: no tag \"device\" names the device; "
                    + "device_tag says which tag does dropped=2"
                #expect(
                    try partial.json
                        == .object([
                            .init(name: "code", value: .string("invalid")), .init(name: "message", value: .string(text)),
                            .init(name: "error", value: .string(text)),
                        ]))
                for (query, code) in [("precision=x", 400), ("unheard=1", 400)] {
                    let answer = try await bed.post("\(uri)?\(query)", "m,device=d v=1")
                    #expect(answer.status == code)
                    #expect(try answer.json["code"] == .string("invalid"))
                    #expect(try answer.json["error"]?.text?.isEmpty == false)
                }
                let empty = try await bed.post(uri, "\n# nothing\n")
                #expect(empty.status == 204)
            }
            #expect(try await bed.get("/api/v1/devices/d/latest").json["values"]?["m.v"]?["value"] == .number("1"))
            #expect(try await bed.get("/write").status == 405)
        }
    }

    @Test func tooLargeIsSaidInTheFormThatClientsSplitOn() async throws {
        try await TestBed.run(isLive: true, configure: { $0.bodyByteLimit = 10_000 }) { bed in
            let body = String(repeating: "m,device=d v=1i\n", count: 1_000)
            let answer = try await bed.post("/api/v2/write", body)
            #expect(answer.status == 413)
            #expect(try answer.json["code"] == .string("request too large"))
        }
    }

    @Test func pingTellsTheVersionOfTheWriteAPI() async throws {
        try await TestBed.run(isLive: true) { bed in
            for method in [HTTPRequest.Method.get, .head] {
                let answer = try await bed.send(method, "/ping")
                #expect(answer.status == 204)
                #expect(answer.headers[HTTPField.Name("x-influxdb-version")!] == "1.8.0-gaugehouse-1.2.3")
            }
        }
    }
}

import Foundation
import HTTPTypes
import QueryAPI
import Telemetry
import Testing

/// The ways in which clients show a token.
@Suite struct CredentialTests {
    private static func basic(_ text: String) -> String { "Basic " + Data(text.utf8).base64EncodedString() }

    @Test func everyClientsWayOfAuthorizationIsTaken() async throws {
        try await TestBed.run(configure: { $0.askForTokens() }) { (bed: TestBed) async throws -> Void in
            let secret = Keys.reader.text
            let good = [
                "Bearer \(secret)", "bearer \(secret)", "Bearer  \(secret)", "Token \(secret)", "token \(secret)",
                Self.basic("me:\(secret)"),
                Self.basic(":\(secret)"), Self.basic("someone:\(secret)"),
            ]
            for value in good {
                #expect(try await bed.get("/api/v1/tables", headers: [.authorization: value]).status == 200, "\(value.prefix(8))")
            }
            let bad = [
                "", "Bearer", "Bearer ", secret, "Digest \(secret)", "Basic", "Basic %%%", Self.basic(secret), Self.basic("\(secret):"),
                Self.basic("me:x"), "Bearer \(secret) \(secret)", "Bearer \(secret.uppercased())",
            ]
            for value in bad {
                #expect(try await bed.get("/api/v1/tables", headers: [.authorization: value]).status == 401, "\(value.prefix(8))")
            }
            #expect(try await bed.get("/api/v1/tables?p=\(secret)").status == 401)
        }
    }

    @Test func clientsOfInfluxDBGetInAndAreToldInTheirWords() async throws {
        try await TestBed.run(configure: { $0.askForTokens() }) { (bed: TestBed) async throws -> Void in
            let line = "m,device=d x=1"
            #expect(try await bed.post("/write?db=x&u=me&p=\(Keys.writer.text)", line).status == 204)
            #expect(try await bed.post("/write", line, headers: [.authorization: Self.basic("me:\(Keys.writer.text)")]).status == 204)
            #expect(try await bed.post("/api/v2/write", line, headers: [.authorization: "Token \(Keys.writer.text)"]).status == 204)
            // The header wins.
            let both = try await bed.post("/write?p=\(Keys.writer.text)", line, headers: Keys.bearer(Keys.reader))
            #expect(both.status == 403)
            let none = try await bed.post("/write?u=me&p=", line)
            #expect(none.status == 401)
            #expect(none.headers[.contentType] == "application/json")
            #expect(none.headers[.wwwAuthenticate] == "Bearer realm=\"gaugehouse\"")
            #expect(try none.json["code"] == .string("unauthorized"))
            #expect(try none.json["error"]?.text?.hasPrefix("This needs a token") == true)
            #expect(try both.json["code"] == .string("forbidden"))
            #expect(try await bed.get("/ping").status == 204)
        }
    }

    @Test func whatAnAdminDoesAndWhoIsRefusedIsAudited() async throws {
        let lines = Lines()
        let clock = ManualClock(TestBed.now)
        let audit = AuditLog(logger: lines.logger, clock: clock)
        try await TestBed.run(configure: { $0.askForTokens(audit: audit) }) { (bed: TestBed) async throws -> Void in
            _ = try await bed.get("/api/v1/config", headers: Keys.bearer(Keys.admin))
            _ = try await bed.get("/api/v1/tables", headers: Keys.bearer(Keys.reader))
            #expect(lines.all == ["audit: token admin from local: GET /api/v1/config: 200"])
            for _ in 0..<15 { _ = try await bed.get("/api/v1/devices/%0A", headers: [.authorization: "Bearer x"]) }
            #expect(lines.all.count == 11)
            #expect(lines.all.last == "audit: local: GET /api/v1/devices/{id}: refused with 401")
            clock.advance(by: .minutes(1))
            _ = try await bed.get("/api/v1/config", headers: Keys.bearer(Keys.reader))
            #expect(
                lines.all.suffix(2) == [
                    "audit: 5 further refusals were not told", "audit: local: GET /api/v1/config: refused with 403",
                ])
        }
    }
}

import HTTPTypes
import QueryAPI
import Testing

/// Every route, with every kind of token. A route that is new fails here until it stands in the table.
@Suite struct RouteAdmissionTests {
    private static let decided: [String: Admission] = [
        "GET /": .open,
        "GET /ping": .open,
        "GET /-/healthy": .open,
        "GET /-/ready": .open,
        "GET /metrics": .readAll,
        "GET /openapi.yaml": .open,
        "GET /api/v1/tables": .read,
        "GET /api/v1/devices": .read,
        "GET /api/v1/devices/{id}": .read,
        "GET /api/v1/devices/{id}/latest": .read,
        "GET /api/v1/devices/{id}/range": .read,
        "GET /api/v1/latest": .read,
        "POST /api/v1/latest": .read,
        "POST /api/v1/query": .read,
        "GET /api/v1/live": .read,
        "GET /api/v1/partitions": .readAll,
        "GET /api/v1/dead-letters": .readAll,
        "GET /api/v1/stats": .readAll,
        "GET /api/v1/config": .admin,
        "GET /api/v1/deliveries": .readAll,
        "POST /api/v1/deliveries": .admin,
        "GET /api/v1/deliveries/{name}": .readAll,
        "DELETE /api/v1/deliveries/{name}": .admin,
        "GET /api/v1/deliveries/{name}/ddl": .readAll,
        "POST /api/v1/deliveries/{name}/pause": .admin,
        "POST /api/v1/deliveries/{name}/resume": .admin,
        "POST /api/v1/deliveries/{name}/restart": .admin,
        "POST /api/v1/write": .write,
        "POST /write": .write,
        "POST /api/v2/write": .write,
        "GET /prom/api/v1/query": .read,
        "POST /prom/api/v1/query": .read,
        "GET /prom/api/v1/query_range": .read,
        "POST /prom/api/v1/query_range": .read,
        "GET /prom/api/v1/labels": .read,
        "POST /prom/api/v1/labels": .read,
        "GET /prom/api/v1/series": .read,
        "POST /prom/api/v1/series": .read,
        "GET /prom/api/v1/label/{name}/values": .read,
        "GET /prom/api/v1/metadata": .read,
        "GET /prom/api/v1/status/buildinfo": .read,
    ]

    @Test func everyRouteIsDecidedAndNothingElse() async throws {
        try await TestBed.run { (bed: TestBed) async throws -> Void in
            let (files, others) = (
                bed.server.admissions.filter { $0.path.hasPrefix("/dashboard/") },
                bed.server.admissions.filter { !$0.path.hasPrefix("/dashboard/") }
            )
            #expect(Dictionary(others.map { ($0.route, $0.admission) }) { first, _ in first } == Self.decided)
            // The page's files hold nothing of this gateway's.
            #expect(files.allSatisfy { $0.admission == .open && $0.route.hasPrefix("GET ") })
        }
    }

    /// Who gets in shows in the answer to a parameter that no route has: 400 from behind the door, 401 or 403 from before it.
    @Test func everyRouteLetsInWhoItSaysAndNobodyElse() async throws {
        try await TestBed.run(configure: { $0.askForTokens() }) { (bed: TestBed) async throws -> Void in
            for (route, path, admission) in bed.server.admissions {
                let method = try #require(HTTPRequest.Method(String(route.prefix { $0 != " " })))
                let uri = path.replacing("{id}", with: "line1%2Fd1").replacing("{name}", with: "device") + "?no-such-parameter=1"
                func status(_ headers: HTTPFields) async throws -> Int {
                    let answer = try await bed.send(method, uri, headers: headers)
                    if answer.status == 401 { #expect(answer.headers[.wwwAuthenticate]?.hasPrefix("Bearer realm=\"gaugehouse\"") == true) }
                    // Prometheus' clients may send what is not known.
                    let isIn = ![401, 403].contains(answer.status)
                    return isIn && path.hasPrefix("/prom/") ? 400 : answer.status
                }
                let isOpen = admission == .open
                #expect(try await status([:]) == (isOpen ? 400 : 401), "\(route) without a token")
                #expect(try await status([.authorization: "Bearer x"]) == (isOpen ? 400 : 401), "\(route) with a wrong token")
                #expect(try await status(Keys.bearer(.random())) == (isOpen ? 400 : 401), "\(route) with a strange token")
                #expect(try await status(Keys.bearer(Keys.expired)) == (isOpen ? 400 : 401), "\(route) with an expired token")
                let reads = [.open, .read, .readAll].contains(admission)
                #expect(try await status(Keys.bearer(Keys.reader)) == (reads ? 400 : 403), "\(route) with scope read")
                let writes = [.open, .write].contains(admission)
                #expect(try await status(Keys.bearer(Keys.writer)) == (writes ? 400 : 403), "\(route) with scope write")
                #expect(try await status(Keys.bearer(Keys.admin)) == 400, "\(route) with scope admin")
                let isLimited = [.open, .read, .write].contains(admission)
                #expect(try await status(Keys.bearer(Keys.line1)) == (isLimited ? 400 : 403), "\(route) with a device prefix")
            }
        }
    }

    @Test func withoutTokensEveryRouteIsOpen() async throws {
        try await TestBed.run { (bed: TestBed) async throws -> Void in
            for (route, path, _) in bed.server.admissions {
                let method = try #require(HTTPRequest.Method(String(route.prefix { $0 != " " })))
                let answer = try await bed.send(method, path.replacing("{id}", with: "d") + "?no-such-parameter=1")
                if path.hasPrefix("/prom/") {
                    #expect([200, 400].contains(answer.status), "\(route)")
                } else {
                    #expect(answer.status == 400, "\(route)")
                }
            }
        }
    }

    @Test func aFileWithoutTokensLetsNobodyIn() async throws {
        try await TestBed.run(configure: { $0.security = ServerSecurity(tokens: []) }) { (bed: TestBed) async throws -> Void in
            #expect(try await bed.get("/api/v1/tables", headers: Keys.bearer(Keys.admin)).status == 401)
            #expect(try await bed.get("/-/healthy").status == 200)
        }
    }

    @Test func aDoorThatIsClosedTellsNothingOfWhatIsBehind() async throws {
        try await TestBed.run(configure: { $0.askForTokens() }) { (bed: TestBed) async throws -> Void in
            try await bed.expectProblem(401, param: "authorization", "/api/v1/devices?limit=0")
            try await bed.expectProblem(401, param: "authorization", "/api/v1/devices/%FF")
            let answer = try await bed.get("/api/v1/config", headers: Keys.bearer(Keys.reader))
            #expect(answer.status == 403)
            #expect(try answer.json["detail"]?.text == "This needs the scope admin; token reader has read.")
            #expect(answer.headers[.wwwAuthenticate] == "Bearer realm=\"gaugehouse\", error=\"insufficient_scope\", scope=\"admin\"")
        }
    }

    @Test func whatIsWrongWithATokenIsSaid() async throws {
        try await TestBed.run(configure: { $0.askForTokens() }) { (bed: TestBed) async throws -> Void in
            func detail(_ secret: String) async throws -> String? {
                try await bed.get("/api/v1/tables", headers: [.authorization: "Bearer \(secret)"]).json["detail"]?.text
            }
            #expect(try await detail(Keys.expired.text) == "The token has expired.")
            #expect(try await detail(TokenSecret.random().text) == "The token is not, or no longer, in force.")
            #expect(try await detail(String(Keys.admin.text.dropLast()))?.hasPrefix("The token is not whole") == true)
            #expect(try await bed.get("/api/v1/tables").json["detail"]?.text?.hasPrefix("This needs a token") == true)
        }
    }

    @Test func tokensThatAreReplacedHoldFromTheNextRequestOn() async throws {
        let security = ServerSecurity(tokens: Keys.tokens)
        try await TestBed.run(configure: { $0.security = security }) { (bed: TestBed) async throws -> Void in
            #expect(try await bed.get("/api/v1/tables", headers: Keys.bearer(Keys.reader)).status == 200)
            security.replace(tokens: Keys.tokens.filter { $0.name != "reader" })
            #expect(try await bed.get("/api/v1/tables", headers: Keys.bearer(Keys.reader)).status == 401)
            security.replace(tokens: nil)
            #expect(try await bed.get("/api/v1/tables").status == 200)
        }
    }
}

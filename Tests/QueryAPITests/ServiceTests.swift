import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import NIOPosix
import QueryAPI
import Telemetry
import TelemetryStore
import Testing

/// Probes, metrics, methods, headers.
@Suite struct ServiceTests {
    @Test func probesAnswer() async throws {
        try await TestBed.run { bed in
            let ping = try await bed.get("/ping")
            #expect(ping.status == 204)
            #expect(ping.headers[HTTPField.Name("x-gaugehouse-version")!] == "1.2.3")
            #expect(try await bed.get("/-/healthy").text == "ok\n")
            #expect(try await bed.get("/-/ready").json["ready"] == .boolean(true))
        }
    }

    @Test func notReadyIsA503WithTheReasons() async throws {
        var sources = QuerySources()
        sources.readiness = { [Unreadiness(part: "mqtt", reason: "MQTT: not connected"), Unreadiness(part: "store", reason: "read-only")] }
        sources.configuration = { Array(#"{"http":{"listen":"x"}}"#.utf8) }
        try await TestBed.run(sources: sources) { bed in
            try await bed.expectProblem(503, param: nil, "/-/ready")
            let answer = try await bed.get("/-/ready")
            #expect(try answer.json["detail"] == .string("MQTT: not connected; read-only"))
            #expect(answer.headers[.retryAfter] == "1")
            #expect(try await bed.get("/-/healthy").status == 200)
            #expect(try await bed.get("/api/v1/stats").json["ready"] == .boolean(false))
            #expect(try await bed.get("/api/v1/config").json["http"]?["listen"] == .string("x"))
        }
    }

    /// Brokers' addresses and filters are not for everyone; that something is wrong is for the load balancer.
    @Test func whereThereAreTokensOnlyWhoMayReadEverythingIsToldWhyItIsNotReady() async throws {
        var sources = QuerySources()
        sources.readiness = {
            ["not connected to the broker at 10.0.0.9:1883", "the broker refuses the subscription to secret/#"].map {
                Unreadiness(part: "mqtt", reason: $0)
            } + [Unreadiness(part: "store", reason: "nothing is committed")]
        }
        try await TestBed.run(sources: sources, configure: { $0.askForTokens() }) { bed in
            let anyone = "Not ready: mqtt, store. A token that may read everything is told why."
            let all = "not connected to the broker at 10.0.0.9:1883; the broker refuses the subscription to secret/#; nothing is committed"
            let cases: [(HTTPFields, String)] = [
                ([:], anyone), ([.authorization: "Bearer nonsense"], anyone), (Keys.bearer(Keys.expired), anyone),
                (Keys.bearer(Keys.writer), anyone), (Keys.bearer(Keys.line1), anyone), (Keys.bearer(Keys.reader), all),
                (Keys.bearer(Keys.admin), all),
            ]
            for (headers, detail) in cases {
                let answer = try await bed.get("/-/ready", headers: headers)
                #expect(answer.status == 503)
                #expect(answer.headers[.retryAfter] == "1")
                #expect(try answer.json["detail"] == .string(detail), "\(headers)")
            }
        }
    }

    @Test func otherPathsAndMethodsAreProblems() async throws {
        try await TestBed.run { bed in
            for path in ["/nothing", "/api/v1/devices/", "/api/v1", "/api/v2", "//"] {
                try await bed.expectProblem(404, param: nil, path)
            }
            try await bed.expectProblem(405, param: nil, method: .post, "/api/v1/devices", body: "")
            try await bed.expectProblem(405, param: nil, method: .get, "/api/v1/write")
            try await bed.expectProblem(405, param: nil, method: .delete, "/api/v1/latest")
            #expect(try await bed.send(.delete, "/api/v1/latest").headers[.allow] == "GET, HEAD, POST")
            #expect(try await bed.send(.get, "/api/v1/write").headers[.allow] == "POST")
            let options = try await bed.send(.options, "/api/v1/devices")
            #expect(options.status == 204)
            #expect(options.headers[.allow] == "GET, HEAD, OPTIONS")
        }
    }

    @Test func headAnswersLikeGetWithoutABody() async throws {
        try await TestBed.run(isLive: true) { bed in
            try bed.commit("d1", ["x": .integer(1)])
            for path in ["/", "/metrics", "/api/v1/devices", "/api/v1/devices/d1/latest", "/api/v1/devices/d1/range", "/nothing", "/ping"] {
                let get = try await bed.get(path)
                let head = try await bed.send(.head, path)
                #expect(head.status == get.status, "\(path)")
                #expect(head.text.isEmpty, "\(path)")
                #expect(head.headers[.contentType] == get.headers[.contentType], "\(path)")
                if path != "/metrics", path != "/nothing" {
                    #expect(head.headers[.contentLength] == get.headers[.contentLength], "\(path)")
                }
            }
        }
    }

    @Test func moreRequestsThanTheQueueTakesAreToldToComeBack() async throws {
        try await TestBed.run(configure: { $0.queueLimit = 0 }) { bed in
            for path in ["/api/v1/devices", "/api/v1/tables", "/api/v1/partitions"] { try await bed.expectProblem(503, param: nil, path) }
            #expect(try await bed.get("/api/v1/devices").headers[.retryAfter] == "1")
            try await bed.expectProblem(503, param: nil, method: .post, "/api/v1/write", body: "[]")
            #expect(try await bed.get("/-/healthy").status == 200)
        }
    }

    @Test func aStoreThatTakesNoCommitsIsA503() async throws {
        try await TestBed.run { bed in
            let body = #"{"device":"d","fields":{"n":1}}"#
            try bed.commit("d", ["n": .integer(0)])
            bed.clock.set(to: Timestamp(microseconds: 0))
            try await bed.expectProblem(503, param: nil, method: .post, "/api/v1/write", body: body)
            #expect(try await bed.post("/api/v1/write", body).json["type"] == .string("/problems/clock"))
            bed.clock.set(to: TestBed.now)
            #expect(try await bed.post("/api/v1/write", body).status == 204)
            try bed.store.close()
            try await bed.expectProblem(503, param: nil, method: .post, "/api/v1/write", body: body)
        }
    }

    @Test func aClientThatWaitsForLeaveToSendItsBodyGetsIt() async throws {
        try await TestBed.run(isLive: true) { bed in
            let port = try #require(bed.client.port)
            let socket = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    }
                }
            let body = #"{"device":"d","fields":{"n":1}}"#
            let head =
                "POST /api/v1/write HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: \(body.utf8.count)\r\n\r\n"
            try await socket.executeThenClose { inbound, outbound in
                var answers = inbound.makeAsyncIterator()
                try await outbound.write(ByteBuffer(string: head))
                let leave = try #require(try await answers.next())
                #expect(String(buffer: leave) == "HTTP/1.1 100 Continue\r\n\r\n")
                try await outbound.write(ByteBuffer(string: body))
                let answer = try #require(try await answers.next())
                #expect(String(buffer: answer).hasPrefix("HTTP/1.1 204 No Content\r\n"))
            }
        }
    }

    @Test func everyAnswerCarriesItsIdAndTheCommonHeaders() async throws {
        try await TestBed.run { bed in
            for path in ["/api/v1/tables", "/nothing", "/ping"] {
                let answer = try await bed.get(path)
                #expect(answer.headers[.xContentTypeOptions] == "nosniff")
                #expect(answer.headers[.cacheControl] == "no-store")
                #expect(answer.headers[.requestID]?.isEmpty == false)
                #expect(try await bed.get(path, headers: [.requestID: "my-id.1"]).headers[.requestID] == "my-id.1")
                let longest = String(repeating: "x", count: 64)
                #expect(try await bed.get(path, headers: [.requestID: longest]).headers[.requestID] == longest)
                for bad in ["bad id<", longest + "x", ""] {
                    let given = try await bed.get(path, headers: [.requestID: bad]).headers[.requestID]
                    #expect(given != bad && given?.isEmpty == false, "\(bad)")
                }
            }
        }
    }

    @Test func aSlashInADeviceIdIsHintedAt() async throws {
        try await TestBed.run { bed in
            for path in ["/api/v1/devices/a/b", "/api/v1/devices/a/b/latest", "/api/v1/devices/a/b/c/range?start=-1h"] {
                let answer = try await bed.get(path)
                #expect(answer.status == 404)
                #expect(try answer.json["detail"] == .string("There is nothing at this path. A / in a device id is written %2F."))
            }
            #expect(try await bed.get("/api/v1/nowhere").json["detail"] == .string("There is nothing at this path."))
        }
    }

    @Test func statisticsCountWhatWasWritten() async throws {
        var sources = QuerySources()
        sources.ingest = {
            var ingest = IngestSnapshot()
            ingest.messages = 12
            ingest.isConnected = true
            ingest.rejected = [.late: 3]
            ingest.lastError = "gone"
            var broker = IngestSnapshot()
            (broker.messages, broker.rejected) = (5, [.late: 3])
            ingest.brokers = [("a:1883", broker), ("b:1883", IngestSnapshot())]
            return ingest
        }
        try await TestBed.run(sources: sources) { bed in
            try bed.commit("d1", ["x": .integer(1)])
            let json = try await bed.get("/api/v1/stats").json
            #expect(json["readings"] == .number("1"))
            #expect(json["sequence"] == .number("1"))
            #expect(json["queue"] == .object(["commits", "reads", "writes"].map { .init(name: $0, value: .number("0")) }))
            #expect(json["mqtt"]?["messages"] == .number("12"))
            #expect(json["mqtt"]?["rejected"]?["late"] == .number("3"))
            #expect(json["mqtt"]?["last_error"] == .string("gone"))
            #expect(json["mqtt"]?["brokers"]?.elements?.map { $0["broker"] } == [.string("a:1883"), .string("b:1883")])
            #expect(json["mqtt"]?["brokers"]?[0]?["messages"] == .number("5"))
            #expect(json["mqtt"]?["brokers"]?[0]?["rejected"]?["late"] == .number("3"))
            #expect(json["mqtt"]?["brokers"]?[1]?["connected"] == .boolean(false))
            let metrics = try await bed.get("/metrics").lines
            for line in [
                "gaugehouse_mqtt_messages_received_total{broker=\"a:1883\"} 5", "gaugehouse_mqtt_connected{broker=\"b:1883\"} 0",
                "gaugehouse_messages_rejected_total{broker=\"a:1883\",reason=\"late\"} 3",
                "gaugehouse_messages_rejected_total{broker=\"b:1883\",reason=\"late\"} 0",
            ] { #expect(metrics.contains(line), "\(line)") }
            #expect(Int(json["storage"]?["disk_free_bytes"]?.number ?? "") ?? 0 > 0)
            #expect(json["commit"]?["groups"]?.number != nil)
        }
    }

    @Test func metricsHaveOneHelpAndTypeAFamilyAndSamplesBelow() async throws {
        var sources = QuerySources()
        sources.ingest = { IngestSnapshot() }
        sources.metrics = { $0.single("gaugehouse_extra", .gauge, "Of another part.", 7) }
        try await TestBed.run(sources: sources) { bed in
            try bed.commit("d1", ["x": .integer(1)])
            _ = try await bed.get("/api/v1/devices/d1/latest")
            let answer = try await bed.get("/metrics")
            #expect(answer.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
            var families: Set<String> = []
            var current = ""
            for line in answer.lines {
                let words = line.split(separator: " ")
                if line.hasPrefix("# HELP ") {
                    current = String(words[2])
                    #expect(families.insert(current).inserted, "\(current) twice")
                    #expect(words.count > 3)
                } else if line.hasPrefix("# TYPE ") {
                    #expect(words[2] == current)
                } else {
                    #expect(line.hasPrefix(current), "\(line) below \(current)")
                    #expect(words.last.flatMap { Double($0) } != nil, "\(line)")
                }
            }
            for expected in [
                "gaugehouse_readings_written_total 1", "gaugehouse_ready 1", "gaugehouse_devices{table=\"telemetry\"} 1",
                "gaugehouse_partitions{table=\"telemetry\",state=\"open\"} 1", "gaugehouse_extra 7",
                "gaugehouse_build_info{version=\"1.2.3\"} 1",
                "gaugehouse_http_requests_total{route=\"/api/v1/devices/{id}/latest\",code=\"200\"} 1",
            ] { #expect(answer.lines.contains(expected), "\(expected)") }
            for name in ["process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_max_fds"] {
                #expect(families.contains(name))
            }
        }
    }
}

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import NIOEmbedded
import Telemetry
import TelemetryStore
import Testing

@testable import QueryAPI

/// Answers that are made without a task: the same as those of one, in their place, and none that has to wait.
@Suite(.timeLimit(.minutes(2))) struct PromptAnswerTests {
    private func prompt(_ bed: TestBed, _ path: String, headers: HTTPFields = [:]) async throws -> WholeAnswer? {
        let responder = bed.server.application().responder
        let request = HTTPRequest(method: .get, scheme: "http", authority: "localhost", path: path, headerFields: headers)
        return responder.promptAnswer(to: request, on: EmbeddedChannel())
    }

    @Test func theyAreThoseOfATask() async throws {
        try await TestBed.run { bed in
            for number in 0..<20 {
                try bed.commit(
                    "d/1", ["t": .double(Double(number) / 8), "s": .string("\"\(number)\""), "n": .integer(-7)],
                    age: .seconds(20 - Int64(number)))
            }
            let device = "/api/v1/devices/d%2F1"
            let range = device + "/range?start=-1h"
            let first = try await bed.get(range + "&limit=7").json
            let token = try #require(first["next_page_token"]?.text)
            let whole = device + "/range?start=2025-11-24T15:00:00Z&end=2025-11-24T16:00:00Z"
            var paths = [
                device + "/latest", device + "/latest?fields=t&time=rfc3339", range, range + "&fields=n,s",
                range + "&order=asc&shape=objects",
            ]
            paths += [
                range + "&format=csv&limit=3", range + "&format=ndjson&limit=3", range + "&limit=7", range + "&limit=7&page_token=\(token)",
                whole, range + "&step=1m", range + "&step=7s&agg=min,count,last&fields=n,s&fill=previous&order=asc",
                range + "&step=1m&agg=first&format=csv&limit=2", range + "&step=10s&limit=9",
            ]
            for path in paths {
                let answer = try #require(try await prompt(bed, path), "\(path)")
                try await expectSame(answer, try await bed.get(path), path)
            }
            for path in [device + "/latest", whole] {
                let tag = try #require(try await bed.get(path).headers[.eTag])
                let answer = try #require(try await prompt(bed, path, headers: [.ifNoneMatch: tag]))
                #expect(answer.status == .notModified)
                try await expectSame(answer, try await bed.get(path, headers: [.ifNoneMatch: tag]), path)
            }
        }
    }

    private func expectSame(_ answer: WholeAnswer, _ task: TestAnswer, _ path: String) async throws {
        #expect(answer.status.code == task.status, "\(path)")
        #expect(Array(answer.body.readableBytesView) == task.bytes, "\(path)")
        for name in [
            "content-type", "etag", "vary", "cache-control", "content-security-policy", "x-content-type-options", "x-next-page-token",
        ] {
            let name = HTTPField.Name(name)!
            #expect(answer.headers[name] == task.headers[name], "\(path): \(name)")
        }
        #expect(answer.headers[.requestID] != nil)
    }

    @Test func whatHasToWaitOrToBeRefusedIsATasks() async throws {
        try await TestBed.run { bed in
            let long = String(repeating: "x", count: 2_000)
            for number in 0..<20 { try bed.commit("d", ["t": .double(1), "s": .string(long)], age: .seconds(Int64(number))) }
            let device = "/api/v1/devices/d"
            #expect(try await prompt(bed, device + "/latest") != nil)
            #expect(try await prompt(bed, device + "/latest", headers: [.acceptEncoding: "gzip"]) == nil)
            #expect(try await prompt(bed, device + "/latest?fields=t", headers: [.acceptEncoding: "gzip"]) != nil)
            for path in [
                device, device + "/latest?fields=none", "/api/v1/devices/e/latest", device + "/latest?x=1", "/nothing", "/api/v1/tables",
                device + "/range?limit=100000", device + "/range?start=-1h&step=100ms", device + "/range?step=1m",
                device + "/range?start=-1d&step=1d&align=UTC", device + "/range?versions=2",
                device + "/range?start=x",
            ] {
                #expect(try await prompt(bed, path) == nil, "\(path)")
            }
        }
    }

    /// Whatever the limit says, rows without the wanted field would be looked at.
    @Test func aLongSearchIsATasks() async throws {
        try await TestBed.run { bed in
            var readings = [Reading(device: "d", time: TestBed.now - .seconds(5_000), fields: ["rare": .integer(1)])]
            for number in (0..<3_000).reversed() {
                readings.append(Reading(device: "d", time: TestBed.now - .seconds(Int64(number)), fields: ["t": .integer(1)]))
            }
            try bed.commit(readings)
            #expect(try await prompt(bed, "/api/v1/devices/d/range?start=-2h&limit=1&fields=t") != nil)
            let path = "/api/v1/devices/d/range?start=-2h&limit=1&fields=rare"
            #expect(try await prompt(bed, path) == nil)
            #expect(try await bed.get(path).json["rows"]?.elements?.count == 1)
        }
    }

    @Test func anAggregateOfManyRowsIsATasks() async throws {
        try await TestBed.run { bed in
            let fields: [String: FieldValue] = ["t": .integer(1), "s": .string(String(repeating: "x", count: 40))]
            try bed.commit((0..<9_000).reversed().map { Reading(device: "d", time: TestBed.now - .milliseconds($0 * 100), fields: fields) })
            let range = "/api/v1/devices/d/range?step=1m&fields="
            #expect(try await prompt(bed, range + "t&start=-5m") != nil)
            #expect(try await prompt(bed, range + "t&start=-15m") == nil)
            #expect(try await prompt(bed, range + "s&agg=last&start=-5m") == nil)
            #expect(try await bed.get(range + "t&start=-15m&agg=count").json["rows"]?.elements?.count == 15)
        }
    }

    @Test func aLongAnswerIsATasks() async throws {
        try await TestBed.run { bed in
            let text = String(repeating: "x", count: 9_000)
            for number in 0..<10 { try bed.commit("d", ["s": .string(text)], age: .seconds(Int64(number))) }
            #expect(try await prompt(bed, "/api/v1/devices/d/range?start=-1h&limit=3") != nil)
            #expect(try await prompt(bed, "/api/v1/devices/d/range?start=-1h&limit=4") == nil)
        }
    }

    @Test func rowsOnTheDiskAreATasks() async throws {
        try await TestBed.run { bed in
            for number in 0..<50 { try bed.commit("d", ["t": .double(1)], age: .seconds(Int64(number))) }
            let rows = "/api/v1/devices/d/range?start=-12h"
            let minutes = "/api/v1/devices/d/range?start=-12h&step=7m&fill=none"
            for path in [rows, minutes] { #expect(try await prompt(bed, path) != nil) }
            bed.clock.advance(by: .hours(3))
            try bed.store.performMaintenance()
            for path in [rows, minutes] { #expect(try await prompt(bed, path) == nil) }
            #expect(try await bed.get(rows).json["rows"]?.elements?.count == 50)
            for path in [rows, minutes] {
                let answer = try await bed.get(path)
                // Read once, they are in the cache.
                #expect(try await prompt(bed, path).map { Array($0.body.readableBytesView) } == answer.bytes)
            }
        }
    }

    @Test func answersKeepTheOrderOfTheirRequests() async throws {
        try await TestBed.run(isLive: true, configure: { $0.lingerDuration = .milliseconds(100) }) { bed in
            try bed.commit("d", ["n": .integer(1)])
            // In turn: at once, by a task, by a task that waits for a thread, with a body.
            let targets = [
                "/api/v1/devices/d/latest", "/api/v1/tables", "/api/v1/devices/d/range?versions=2", "/api/v1/devices/d/latest?x=1",
            ]
            let text = (0..<2_000).map { "GET \(targets[$0 % targets.count]) HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: r\($0)\r\n\r\n" }
            let last = "GET /api/v1/devices/d/latest HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Request-ID: last\r\n\r\n"
            let ignored = "GET /api/v1/devices/d/latest HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: ignored\r\n\r\n"
            let heard = try await RawSocket.run(bed) { socket in
                try await socket.send(text.joined() + last + ignored)
                return await socket.hearToEnd()
            }
            let ids = heard.matches(of: #/x-request-id: (\w+)\r\n/#).map { String($0.output.1) }
            #expect(ids == (0..<2_000).map { "r\($0)" } + ["last"])
        }
    }

    /// Twenty megabytes of answers that nobody reads yet: what the sockets do not take is not made.
    @Test func aClientThatDoesNotReadGetsNoMoreThanItTakes() async throws {
        try await TestBed.run(isLive: true, configure: { $0.lingerDuration = .milliseconds(100) }) { bed in
            var readings: [Reading] = []
            for number in 0..<600 {
                let time = TestBed.now - .seconds(Int64(number))
                readings.append(Reading(device: "d", time: time, fields: ["a": .integer(1), "b": .double(0.5), "c": .boolean(true)]))
            }
            try bed.commit(readings)
            let count = 1_000
            let request = "GET /api/v1/devices/d/range?start=-1h HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let end = "GET /api/v1/devices/d/latest HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            let heard = try await RawSocket.run(bed) { socket in
                try await socket.send(String(repeating: request, count: count) + end)
                try await Task.sleep(for: .milliseconds(300))
                let metrics = try await bed.get("/metrics").text
                let made = try #require(
                    metrics.firstMatch(of: #/http_requests_total\{route="/api/v1/devices/{id}/range",code="200"} (\d+)/#))
                #expect(try #require(Int(made.output.1)) < count)
                return await socket.hearToEnd()
            }
            #expect(heard.components(separatedBy: "HTTP/1.1 200 OK").count == count + 2)
        }
    }

    @Test func answersKeepAConnectionOpenAndSilenceClosesIt() async throws {
        try await TestBed.run(isLive: true, configure: { $0.idleDuration = .seconds(2) }) { bed in
            try bed.commit("d", ["n": .integer(1)])
            let heard = try await RawSocket.run(bed) { socket in
                // Longer together than what a silent connection may last.
                for _ in 0..<6 {
                    try await socket.send("GET /api/v1/devices/d/latest HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    try await Task.sleep(for: .milliseconds(400))
                }
                return await socket.hearToEnd()
            }
            #expect(heard.components(separatedBy: "HTTP/1.1 200 OK").count == 7)
        }
    }
}

import Foundation
import HTTPTypes
import Hummingbird
import QueryAPI
import Telemetry
import TelemetryStore
import Testing

/// `/live`, over real sockets.
@Suite(.timeLimit(.minutes(2))) struct LiveTests {
    @Test func aReadingIsAnEventWithItsSequence() async throws {
        try await TestBed.run(isLive: true) { bed in
            try bed.commit("before", ["x": .integer(0)])
            try await LiveConnection.open(bed) { live in
                #expect(live.head.hasPrefix("HTTP/1.1 200 OK"))
                let head = live.head.lowercased()
                for header in ["content-type: text/event-stream", "cache-control: no-store", "x-accel-buffering: no"] {
                    #expect(head.contains("\r\n\(header)"), "\(head)")
                }
                #expect(try await live.nextBlock() == "retry: 1000")
                let stats = try #require(try await live.nextEvent())
                #expect(stats.name == "stats")
                #expect(stats.id == "1")
                #expect(try stats.json.names == ["time", "sequence", "messages_per_s", "readings_per_s", "behind"])
                #expect(try stats.json["sequence"] == .number("1"))
                #expect(try stats.json["behind"] == .number("0"))
                try bed.commit("a\"\n\r\u{2028}ü", ["temp": .double(21.5), "n": .integer(-7), "on": .boolean(true)], age: .seconds(1))
                try bed.commit("b", ["text": .string("data: x\n\nevent: y"), "raw": .binary([0xFF, 0])])
                let expected = [
                    #"{"device":"a\"\n\r"# + "\u{2028}ü"
                        + #"","table":"telemetry","time":1763999999000,"values":{"n":-7,"on":true,"temp":21.5}}"#,
                    #"{"device":"b","table":"telemetry","time":1764000000000,"values":{"raw":"/wA=","text":"data: x\n\nevent: y"}}"#,
                ]
                let events = try await live.next(2)
                #expect(events.map(\.name) == ["reading", "reading"])
                #expect(events.map(\.id) == ["2", "3"])
                for (event, text) in zip(events, expected) {
                    #expect(try event.json["device"] == JSONValue.parse(Array(text.utf8))["device"])
                    #expect(event.data.utf8.count == text.utf8.count, "\(event.data)")
                }
            }
        }
    }

    /// How soon is for the benchmarks to say; here each comes before the next is written.
    @Test func eachReadingAppearsByItself() async throws {
        try await TestBed.run(isLive: true) { bed in
            try await LiveConnection.open(bed) { live in
                for number in 0..<12 {
                    try bed.commit("d", ["n": .integer(Int64(number))], age: .seconds(Int64(number)))
                    let event = try await live.next(1)[0]
                    #expect(event.id == "\(number + 1)")
                }
            }
        }
    }

    @Test func statisticsComeEverySecondAndSayWhereToResume() async throws {
        try await TestBed.run(isLive: true) { bed in
            let start = ContinuousClock.now
            try await LiveConnection.open(bed, "?devices=watched") { live in
                _ = try await live.nextEvent()
                for number in 0..<3 { try bed.commit("other", ["n": .integer(1)], age: .seconds(Int64(number))) }
                var (ids, seconds) = ([String](), 0)
                // Nothing was shown, but it need not be looked at again. The commits may meet the next second, not many.
                while ids.last != "3" || seconds < 2, seconds < 20 {
                    let stats = try #require(try await live.nextEvent())
                    #expect(stats.name == "stats")
                    seconds += 1
                    ids.append(stats.id)
                    let elapsed = ContinuousClock.now - start
                    #expect(elapsed >= .seconds(seconds), "\(elapsed)")
                }
                #expect(ids.last == "3")
                #expect(ids == ids.sorted())
            }
        }
    }

    /// What waits for its turn is not behind the client: who resumes at the statistics must find it.
    @Test func statisticsStandBehindWhatWasShown() async throws {
        try await TestBed.run(isLive: true) { bed in
            try await LiveConnection.open(bed, "?max_hz=0.01") { live in
                try bed.commit("d", ["n": .integer(1)], age: .seconds(1))
                #expect(try await live.next(1)[0].id == "1")
                try bed.commit("d", ["n": .integer(2)])
                var stats: LiveEvent
                repeat { stats = try #require(try await live.nextEvent()) } while try stats.json["sequence"] != .number("2")
                #expect(stats.id == "1")
                #expect(try stats.json["behind"] == .number("1"))
            }
        }
    }

    /// So that proxies leave it open.
    @Test func aSilentStreamHasComments() async throws {
        try await TestBed.run(isLive: true) { bed in
            try await LiveConnection.open(bed) { live in
                while try #require(try await live.nextBlock(), "the stream ended") != ":" {}
            }
        }
    }

    @Test func tablesDevicesPrefixAndFieldsSelect() async throws {
        let tables = [TableOptions(name: "telemetry"), TableOptions(name: "events")]
        try await TestBed.run(tables: tables, isLive: true) { bed in
            try bed.commit("line1/a", ["x": .integer(1), "y": .integer(2)])
            try await LiveConnection.open(bed, "?prefix=line1/") { byPrefix in
                try await LiveConnection.open(bed, "?devices=line2%2Fa,line1%2Fb") { byList in
                    try await LiveConnection.open(bed, "?table=events&time=rfc3339") { byTable in
                        try await LiveConnection.open(bed, "?fields=y") { byField in
                            for device in ["line2/a", "line1/b", "line3/c", "line1/c"] { try bed.commit(device, ["x": .integer(1)]) }
                            try bed.commit("e", ["x": .integer(1)], table: 1)
                            try bed.commit("line1/z", ["x": .integer(1), "y": .integer(3)])
                            #expect(try await byPrefix.devices(3) == ["line1/b", "line1/c", "line1/z"])
                            #expect(try await byList.devices(2) == ["line2/a", "line1/b"])
                            let event = try await byTable.next(1)[0]
                            #expect(try event.json["table"] == .string("events"))
                            #expect(try event.json["time"] == .string("2025-11-24T16:00:00Z"))
                            #expect(try await byField.next(1)[0].json["values"]?.names == ["y"])
                        }
                    }
                }
            }
        }
    }

    @Test func aCutConnectionResumesWithoutLossOrDoubles() async throws {
        try await TestBed.run(isLive: true) { bed in
            var (seen, last): ([String], String?) = ([], nil)
            for round in 0..<5 {
                try await LiveConnection.open(bed, lastEventID: last) { live in
                    if round == 0 { _ = try await live.nextEvent() }
                    for number in 0..<10 { try bed.commit("d", ["n": .integer(1)], age: .seconds(Int64(round * 100 + number))) }
                    // The rest is found by the next connection.
                    let events = try await live.next(round == 4 ? 50 - seen.count : 7)
                    #expect(events.allSatisfy { $0.name == "reading" })
                    seen += events.map(\.id)
                    last = events.last?.id
                }
            }
            #expect(seen == (1...50).map { "\($0)" })
        }
    }

    @Test func aPlaceThatIsNotHeldIsAGap() async throws {
        try await TestBed.run(isLive: true) { bed in
            for number in 0..<5 { try bed.commit("d", ["n": .integer(1)], age: .seconds(Int64(number))) }
            func first(_ id: String) async throws -> LiveEvent {
                try await LiveConnection.open(bed, lastEventID: id) { try await $0.next(1)[0] }
            }
            #expect(try await first("2") == LiveEvent(name: "gap", id: "5", data: #"{"dropped":3,"exact":false}"#))
            // Whoever resumes at the statistics behind it was told.
            try await LiveConnection.open(bed, lastEventID: "2") { live in
                var events: [LiveEvent] = []
                for _ in 0..<2 { events.append(try #require(try await live.nextEvent())) }
                #expect(events.map(\.name) == ["gap", "stats"])
                #expect(events.map(\.id) == ["5", "5"])
            }
            for id in ["6", "18446744073709551615"] {
                #expect(try await first(id) == LiveEvent(name: "gap", id: "5", data: #"{"dropped":null,"exact":false}"#))
            }
            try await LiveConnection.open(bed, lastEventID: "5") { live in
                try bed.commit("d", ["n": .integer(9)])
                #expect(try await live.next(1)[0].id == "6")
            }
        }
    }

    @Test func everyBadParameterIsNamed() async throws {
        try await TestBed.run { bed in
            try bed.commit("d", ["x": .integer(1)])
            let long = String(repeating: "a", count: 257)
            let cases = [
                ("max_hz=0", "max_hz"), ("max_hz=51", "max_hz"), ("max_hz=-1", "max_hz"), ("max_hz=", "max_hz"), ("max_hz=fast", "max_hz"),
                ("max_hz=nan", "max_hz"), ("max_hz=inf", "max_hz"), ("max_hz=0x1p3", "max_hz"), ("max_hz=1e0", "max_hz"),
                ("max_hz=0.009", "max_hz"), ("max_hz=1..2", "max_hz"), ("max_hz=\(long.replacing("a", with: "9"))", "max_hz"),
                ("max_hz=1&max_hz=1", "max_hz"), ("fields=nope", "fields"), ("fields=", "fields"), ("fields=x,x", "fields"),
                ("fields=x,,y", "fields"), ("devices=", "devices"), ("devices=a,,b", "devices"), ("devices=a&prefix=a", "devices"),
                ("devices=\(long)", "devices"), ("prefix=\(long)", "prefix"), ("prefix=%FF", "prefix"), ("devices=%C3", "devices"),
                ("time=hours", "time"), ("limit=1", "limit"), ("page_token=x", "page_token"), ("start=now", "start"),
                ("Prefix=a", "Prefix"), ("format=csv", "format"),
            ]
            for (query, param) in cases { try await bed.expectProblem(400, param: param, "/api/v1/live?\(query)") }
            try await bed.expectProblem(404, param: "table", "/api/v1/live?table=nope")
            try await bed.expectProblem(404, param: "table", "/api/v1/live?table=")
            for id in ["x", "-1", "+1", "1.5", "18446744073709551616"] {
                try await bed.expectProblem(400, param: "last-event-id", "/api/v1/live", headers: [.lastEventID: id])
            }
            try await bed.expectProblem(406, param: "accept", "/api/v1/live", headers: [.accept: "application/json"])
            try await bed.expectProblem(406, param: "accept", "/api/v1/live", headers: [.accept: "text/event-stream;q=0, */*"])
            try await bed.expectProblem(405, param: nil, method: .post, "/api/v1/live", body: "")
            let hint = try await bed.get("/api/v1/live?max_hz=60").json["detail"]
            #expect(hint == .string("max_hz must be a number from 0.01 to 50.0, such as 1 or 0.5."))
            for accept in ["text/event-stream", "*/*", "text/*;q=0.1, application/json"] {
                let head = try await bed.send(.head, "/api/v1/live", headers: [.accept: accept, .lastEventID: ""])
                #expect(head.status == 200)
                #expect(head.headers[.contentType] == "text/event-stream")
            }
        }
    }

    @Test func withoutABufferThereIsNoLiveTail() async throws {
        try await TestBed.run(store: { $0.feedByteCount = 0 }) { bed in
            try await bed.expectProblem(404, param: nil, "/api/v1/live")
        }
    }
}

extension HTTPField.Name {
    static let lastEventID = HTTPField.Name("last-event-id")!
}

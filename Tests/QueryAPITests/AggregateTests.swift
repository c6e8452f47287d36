import HTTPTypes
import Hummingbird
import Telemetry
import TelemetryStore
import Testing

@testable import QueryAPI

/// `/devices/{id}/range` with `step`.
@Suite struct AggregateTests {
    /// Minute 0: 1, 2, 3; minute 1: nothing; minute 2: 10; minute 3: nothing; minute 4: text only, and 4.5 in another field.
    private static func fill(_ bed: TestBed) throws {
        let start = TestBed.now - .minutes(5)
        for (second, value) in [(0, 1), (20, 2), (40, 3), (120, 10)] {
            try bed.commit([Reading(device: "d1", time: start + .seconds(Int64(second)), fields: ["n": .integer(Int64(value))])])
        }
        try bed.commit([Reading(device: "d1", time: start + .seconds(240), fields: ["s": .string("x"), "f": .double(4.5)])])
    }

    /// Behind the time, by row, as JSON text.
    private func cells(_ bed: TestBed, _ query: String) async throws -> [[JSONValue]] {
        let answer = try await bed.get("/api/v1/devices/d1/range?start=-5m&order=asc&\(query)")
        #expect(answer.status == 200, "\(query): \(answer.text)")
        return try answer.json["rows"]?.elements?.map { Array($0.elements?.dropFirst() ?? []) } ?? []
    }

    @Test func anAggregateIsATableOfWindows() async throws {
        try await TestBed.run { bed in
            try Self.fill(bed)
            let answer = try await bed.get("/api/v1/devices/d1/range?start=-5m&step=1m&agg=avg,max&fields=n&order=asc&limit=2")
            #expect(
                answer.text.hasPrefix(
                    #"{"device":"d1","table":"telemetry","start":1763999700000,"end":1764000000000,"step_ms":60000,"#
                        + #""columns":[{"name":"time","type":"timestamp_ms"},{"name":"n_avg","type":"double"},"#
                        + #"{"name":"n_max","type":"integer"}],"rows":[[1763999700000,2.0,3],[1763999760000,null,null]],"#
                        + #""next_page_token":""#
                ))
            #expect(answer.text.hasSuffix("}\n"))
            let objects = try await bed.get("/api/v1/devices/d1/range?start=-5m&step=5m&agg=count&fields=n&shape=objects")
            #expect(try objects.json["rows"]?[0]?.names == ["time", "n_count"])
            #expect(try objects.json["columns"] == nil)
            let csv = try await bed.get("/api/v1/devices/d1/range?start=-5m&step=5m&agg=sum,first&fields=n,s&format=csv&time=rfc3339")
            #expect(csv.text == "time,n_sum,n_first,s_sum,s_first\r\n2025-11-24T15:55:00Z,16,1,,x\r\n")
            let lines = try await bed.get("/api/v1/devices/d1/range?start=-5m&step=2m30s&agg=last&fields=n&format=ndjson&order=asc")
            #expect(
                lines.text == #"{"time":1763999700000,"n_last":10}"# + "\n" + #"{"time":1763999850000,"n_last":null}"# + "\n")
        }
    }

    @Test func everyFunctionAnswersWithItsType() async throws {
        try await TestBed.run { bed in
            try Self.fill(bed)
            let rows = try await cells(bed, "step=5m&agg=avg,min,max,sum,count,first,last&fields=n")
            #expect(rows == [[.number("4.0"), .number("1"), .number("10"), .number("16"), .number("4"), .number("1"), .number("10")]])
            let types = try await bed.get("/api/v1/devices/d1/range?start=-5m&step=5m&agg=avg,min,count,last&fields=s").json["columns"]
            #expect(types?.elements?.map { $0["type"]?.text } == ["timestamp_ms", "double", nil, "integer", "string"])
        }
    }

    @Test func withoutFieldsThoseThatHaveAnAnswerAreGiven() async throws {
        try await TestBed.run { bed in
            try Self.fill(bed)
            func names(_ query: String) async throws -> [String?]? {
                try await bed.get("/api/v1/devices/d1/range?start=-5m&step=5m&\(query)").json["columns"]?.elements?.map { $0["name"]?.text }
            }
            #expect(try await names("") == ["time", "f_avg", "n_avg"])
            #expect(try await names("agg=min,max") == ["time", "f_min", "f_max", "n_min", "n_max"])
            #expect(try await names("agg=count") == ["time", "f_count", "n_count", "s_count"])
        }
    }

    @Test func emptyWindowsAreFilledAsAsked() async throws {
        try await TestBed.run { bed in
            try Self.fill(bed)
            func column(_ query: String) async throws -> [JSONValue] { try await cells(bed, "step=1m&fields=n&" + query).map { $0[0] } }
            #expect(try await column("fill=none") == [.number("2.0"), .number("10.0")])
            #expect(try await column("fill=null") == [.number("2.0"), .null, .number("10.0"), .null, .null])
            #expect(try await column("") == [.number("2.0"), .null, .number("10.0"), .null, .null])
            #expect(try await column("fill=previous") == ["2.0", "2.0", "10.0", "10.0", "10.0"].map { .number($0) })
            #expect(try await column("fill=linear") == [.number("2.0"), .number("6.0"), .number("10.0"), .null, .null])
            #expect(try await column("agg=count") == ["3", "0", "1", "0", "0"].map { .number($0) })
        }
    }

    @Test(arguments: ["none", "null", "previous", "linear"], ["asc", "desc"])
    func pagesOfAggregatesAddUpToTheWhole(_ fill: String, _ order: String) async throws {
        try await TestBed.run { bed in
            try Self.fill(bed)
            // An odd start: the first window begins before it.
            let uri = "/api/v1/devices/d1/range?start=-290s&step=1m&agg=avg,count&fields=n&fill=\(fill)&order=\(order)"
            let whole = try await bed.pages(uri, "rows")
            #expect(whole.count == 1 && whole[0].count == (fill == "none" ? 2 : 5))
            for limit in 1...6 {
                #expect(try await bed.pages(uri + "&limit=\(limit)", "rows").flatMap { $0 } == whole[0], "limit \(limit)")
            }
        }
    }

    @Test func withoutAStartTheWindowsBeginWithTheTable() async throws {
        try await TestBed.run { bed in
            try Self.fill(bed)
            // The partition of the oldest row begins at 15:00.
            let json = try await bed.get("/api/v1/devices/d1/range?step=1h&agg=count&fields=n").json
            #expect(json["start"] == .number("1763996400000"))
            #expect(json["rows"]?.elements?.map { $0[1] } == [.number("4")])
        }
    }

    @Test func daysOfAZoneAreAsLongAsTheyAre() async throws {
        var table = TableOptions(name: "telemetry")
        table.ttl = .days(400)
        table.partitionLength = .days(1)
        try await TestBed.run(tables: [table]) { bed in
            // One reading an hour around both changes of clocks of 2025 in Berlin: 30 March and 26 October.
            let months = [("2025-03-28T23:00:00Z", [24, 23, 24]), ("2025-10-24T22:00:00Z", [24, 25, 24])]
            for (text, counts) in months {
                let start = try #require(Timestamp(rfc3339: text))
                let hours = counts.reduce(0, +)
                try bed.commit((0..<hours).map { Reading(device: "d1", time: start + .hours(Int64($0)), fields: ["n": .integer(1)]) })
                let end = (start + .hours(Int64(hours))).rfc3339
                let answer = try await bed.get(
                    "/api/v1/devices/d1/range?start=\(text)&end=\(end)&step=1d&agg=count&align=Europe/Berlin&order=asc&time=rfc3339")
                let rows = try answer.json["rows"]?.elements
                #expect(rows?.map { $0[1] } == counts.map { .number(String($0)) }, "\(answer.text)")
                #expect(rows?.first?[0] == .string(text))
                #expect(try answer.json["align"] == .string("Europe/Berlin"))
            }
            // Weeks begin on Mondays; without a zone they count from the epoch, a Thursday.
            let week = "/api/v1/devices/d1/range?start=2025-10-24T22:00:00Z&end=2025-10-26T23:00:00Z&step=1w&agg=count&time=rfc3339"
            #expect(try await bed.get(week + "&align=Europe/Berlin").json["rows"]?[0]?[0] == .string("2025-10-19T22:00:00Z"))
            #expect(try await bed.get(week).json["rows"]?[0]?[0] == .string("2025-10-23T00:00:00Z"))
            let days = week.replacing("1w", with: "1d")
            #expect(try await bed.get(days + "&align=UTC").json["rows"] == (try await bed.get(days).json["rows"]))
        }
    }

    /// Samoa went over the date line: 29 December 2011 was followed by the 31st. Newfoundland's clocks went back at one past midnight.
    @Test(
        arguments: [
            (
                "Pacific/Apia", "1d", "2011-12-28T10:00:00Z", "2012-01-01T10:00:00Z",
                ["2011-12-28T10:00:00Z", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"]
            ),
            ("Pacific/Apia", "1d", "2011-12-30T09:59:00Z", "2011-12-30T10:01:00Z", ["2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"]),
            ("Pacific/Apia", "1d", "2011-12-30T10:00:00Z", "2011-12-30T10:01:00Z", ["2011-12-30T10:00:00Z"]),
            (
                "Pacific/Apia", "1w", "2011-12-20T00:00:00Z", "2012-01-03T00:00:00Z",
                ["2011-12-19T10:00:00Z", "2011-12-26T10:00:00Z", "2012-01-01T10:00:00Z"]
            ),
            (
                "Pacific/Kwajalein", "1d", "1993-08-19T12:00:00Z", "1993-08-22T12:00:00Z",
                ["1993-08-19T12:00:00Z", "1993-08-20T12:00:00Z", "1993-08-21T12:00:00Z"]
            ),
            ("America/St_Johns", "1d", "2010-11-06T12:00:00Z", "2010-11-07T03:00:00Z", nil),
            ("America/St_Johns", "1d", "2010-11-07T02:30:20Z", "2010-11-07T02:30:40Z", nil),
            ("America/St_Johns", "1d", "2010-11-07T03:00:00Z", "2010-11-07T03:10:00Z", nil),
        ] as [(String, String, String, String, [String]?)])
    func daysThatAZoneSkippedOrTookBackHaveWindows(
        zone: String, step: String, start: String, end: String, windows: [String]?
    ) async throws {
        try await TestBed.run { bed in
            try Self.fill(bed)
            let answer = try await bed.get(
                "/api/v1/devices/d1/range?start=\(start)&end=\(end)&step=\(step)&align=\(zone)&agg=count&fields=n&order=asc&time=rfc3339")
            #expect(answer.status == 200, "\(answer.text)")
            let times = try answer.json["rows"]?.elements?.compactMap { $0[0]?.text } ?? []
            if let windows { #expect(times == windows) }
            #expect(!times.isEmpty && times == times.sorted() && Set(times).count == times.count)
        }
    }

    /// Weeks begin on Mondays, three days before those of the epoch.
    @Test func whetherWeeksFitIsCountedFromMondays() {
        let monday: Int64 = 4
        for (first, last) in [(monday, monday + 20), (monday - 1, monday + 20), (monday, monday + 21), (monday - 4, monday + 16)] {
            let edgeCount = (last + 3).floorDivided(by: 7) - (first + 3).floorDivided(by: 7) + 1
            let fit = StepFit(start: first, last: last, limit: 3, origin: ZoneDays.origin)
            #expect(fit.windowCount(7) == Int(edgeCount), "\(first)...\(last)")
            #expect(fit.fits(7) == (edgeCount <= 3))
            let smallest = fit.smallest(unit: 1)
            #expect(fit.fits(smallest) && (smallest == 1 || !fit.fits(smallest - 1)))
        }
    }

    /// As many weeks as an answer has are answered, one more is named: never a store's error.
    @Test func asManyWeeksAsFitAreAnsweredAndOneMoreIsNamed() async throws {
        try await TestBed.run { bed in
            // 11 000 weeks do not fit into the years of zones, but columns take their share.
            try bed.commit("wide", Dictionary(uniqueKeysWithValues: (0..<300).map { ("f\($0)", FieldValue.integer(1)) }))
            let uri = "/api/v1/devices/wide/range?agg=avg,min,max,sum,count,first,last&limit=1&align=UTC&step=1w&end=2024-01-01T00:00:00Z"
            let last = Timestamp(microseconds: 1_704_067_200_000_000)
            var statuses: [Int: Int] = [:]
            for days in (498 * 7)...(501 * 7) {
                let answer = try await bed.get(uri + "&start=\((last - .days(Int64(days))).rfc3339)")
                statuses[answer.status, default: 0] += 1
                #expect(answer.status == (days <= 499 * 7 ? 200 : 422), "\(days): \(answer.text.prefix(300))")
            }
            #expect(statuses == [200: 8, 422: 14])
        }
    }

    @Test func tooManyWindowsNameTheSmallestStepThatFits() async throws {
        try await TestBed.run { bed in
            try Self.fill(bed)
            let cases: [(range: String, step: String, fits: String, tooShort: String)] = [
                ("start=-1d", "1s", "8s", "7s"), ("start=-5m", "1ms", "28ms", "27ms"), ("start=-1s", "1us", "91us", "90us"),
                ("start=-30d", "1m", "236s", "235s"), ("start=-1000d&end=now", "1h", "7856s", "7855s"),
                ("start=0&end=99999999999", "1d", "9090910s", "9090909s"),
            ]
            for (range, step, fits, tooShort) in cases {
                let uri = "/api/v1/devices/d1/range?\(range)&agg=count&fields=n&limit=1"
                try await bed.expectProblem(422, param: "step", uri + "&step=\(step)")
                let detail = try await bed.get(uri + "&step=\(step)").json["detail"]?.text ?? ""
                let named = try #require(detail.split(separator: " ").last?.dropLast())
                let expected = try #require(TimeSpan(text: fits))
                #expect(TimeSpan(text: String(named)) == expected, "\(detail)")
                #expect(try await bed.get(uri + "&step=\(fits)").status == 200, "\(range)")
                #expect(try await bed.get(uri + "&step=\(tooShort)").status == 422, "\(range)")
            }
            let years = "/api/v1/devices/d1/range?start=1900-01-02T00:00:00Z&align=UTC&fields=n&limit=1"
            try await bed.expectProblem(422, param: "step", years + "&step=1d")
            #expect(try await bed.get(years + "&step=1d").json["detail"]?.text?.hasSuffix("is 5d.") == true)
            #expect(try await bed.get(years + "&step=5d").status == 200)
            // Many columns leave room for fewer windows.
            try bed.commit("wide", Dictionary(uniqueKeysWithValues: (0..<300).map { ("f\($0)", FieldValue.integer(1)) }))
            let wide = "/api/v1/devices/wide/range?start=-1d&agg=avg,min,max,sum,count,first,last&limit=1"
            #expect(try await bed.get(wide + "&step=1m").json["detail"]?.text?.contains("at most 499") == true)
        }
    }

    @Test func extremeTimesAreAnsweredOrNamed() async throws {
        try await TestBed.run { bed in
            try Self.fill(bed)
            let (low, high) = ("-9223372036854775808", "9223372036854775807")
            for query in ["start=\(low)&end=\(high)", "start=\(low)", "end=\(high)&start=\(high)", "end=\(high)"] {
                for step in ["1us", "1d", "9223372036854775807us", "15000000w"] {
                    let answer = try await bed.get("/api/v1/devices/d1/range?\(query)&step=\(step)")
                    #expect([200, 400, 422].contains(answer.status), "\(query) \(step): \(answer.text)")
                    let days = try await bed.get("/api/v1/devices/d1/range?\(query)&step=1d&align=Asia/Kolkata")
                    #expect([200, 400, 422].contains(days.status), "\(query): \(days.text)")
                }
            }
        }
    }

    @Test func badParametersOfAggregatesAreNamed() async throws {
        try await TestBed.run { bed in
            try Self.fill(bed)
            let cases: [(String, String)] = [
                ("step=", "step"), ("step=0s", "step"), ("step=-1m", "step"), ("step=1", "step"), ("step=minute", "step"),
                ("step=99999999999999999999d", "step"), ("step=1m&step=2m", "step"), ("step=1m&agg=", "agg"), ("step=1m&agg=mean", "agg"),
                ("step=1m&agg=avg,avg", "agg"), ("step=1m&agg=avg,", "agg"), ("step=1m&fill=zero", "fill"), ("step=1m&fill=", "fill"),
                ("step=1d&align=Berlin", "align"), ("step=1d&align=", "align"), ("step=1d&align=../../etc/passwd", "align"),
                ("step=1m&align=Europe/Berlin", "align"), ("step=36h&align=Europe/Berlin", "align"), ("agg=avg", "agg"),
                ("fill=null", "fill"), ("align=UTC", "align"), ("step=1m&versions=2", "versions"), ("step=1m&Fill=null", "Fill"),
                ("step=1d&align=UTC&start=0001-01-01T00:00:00Z", "start"),
            ]
            for (query, param) in cases { try await bed.expectProblem(400, param: param, "/api/v1/devices/d1/range?\(query)") }
            try await bed.expectProblem(404, param: "id", "/api/v1/devices/none/range?step=1m")
        }
    }
}

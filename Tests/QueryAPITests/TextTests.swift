import QueryAPI
import Telemetry
import Testing

/// The pieces that answers and parameters are made of.
@Suite struct TextTests {
    private func written(_ body: (inout JSONWriter) -> Void) -> String {
        var json = JSONWriter()
        body(&json)
        return String(decoding: json.bytes, as: UTF8.self)
    }

    @Test func commasComeBetweenValuesAndMembersOnly() {
        let text = written { json in
            json.object { json in
                json.key("a")
                json.array { json in
                    json.integer(1)
                    json.null()
                    json.array { _ in }
                    json.object { _ in }
                }
                json.member("b", true)
                json.key("c")
                json.object { $0.member("d", "e") }
            }
        }
        #expect(text == #"{"a":[1,null,[],{}],"b":true,"c":{"d":"e"}}"#)
    }

    @Test func stringsAreEscapedAsJSONDemands() {
        let text = written { $0.string("a\"b\\c\nd\te\r\u{01}\u{1f}ü😀/\u{7f}") }
        #expect(text == "\"a\\\"b\\\\c\\nd\\te\\r\\u0001\\u001fü😀/\u{7f}\"")
    }

    @Test(arguments: [
        0, 0.1, -0.0, 21.5, 1e16, 1e22, .leastNonzeroMagnitude, 1.7976931348623157e308, 0.1 + 0.2, 123_456_789.123, -2.5e-7, 1.0 / 3.0,
    ])
    func doublesReadBackAsTheSameBits(_ value: Double) throws {
        let text = written { $0.double(value) }
        #expect(Double(text)?.bitPattern == value.bitPattern)
        #expect(try JSONValue.parse(Array(text.utf8)) == .number(text))
    }

    @Test func doublesHaveTheShortestText() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200_000 {
            let digits = Double(Int64.random(in: -999_999_999_999...999_999_999_999, using: &generator))
            let scale = [1, 10, 100, 1_000, 1e4, 1e5, 1e7, 1e9].randomElement(using: &generator)!
            let near = [digits / scale, digits * (1 / scale), (digits / scale).nextUp].randomElement(using: &generator)!
            #expect(written { $0.double(near) } == near.description)
        }
        for value in [0.001, 0.0009999, 0.0001, 999_999_999.9999, 1e9, 1e9 + 0.5, 4.35, 0.285, 1.005, -40, 100, 1013.25] as [Double] {
            #expect(written { $0.double(value) } == value.description)
        }
    }

    @Test func integersOfEverySizeAreWritten() {
        for value in [0, 1, -1, 9, 10, 99, 100, 1_234_567_890, Int64.max, Int64.min] {
            #expect(written { $0.integer(value) } == String(value))
        }
    }

    @Test func timesHaveAFractionOnlyWhereTheReadingHasOne() {
        func text(_ microseconds: Int64, _ format: TimeFormat) -> String {
            written { $0.time(Timestamp(microseconds: microseconds), as: format) }
        }
        #expect(text(1_764_000_000_000_000, .milliseconds) == "1764000000000")
        #expect(text(1_764_000_000_123_000, .milliseconds) == "1764000000123")
        #expect(text(1_764_000_000_123_450, .milliseconds) == "1764000000123.45")
        #expect(text(1_764_000_000_000_001, .milliseconds) == "1764000000000.001")
        #expect(text(-1_500, .milliseconds) == "-1.5")
        #expect(text(-500, .milliseconds) == "-0.5")
        #expect(text(1_764_000_000_050_000, .seconds) == "1764000000.05")
        #expect(text(1_764_000_000_000_001, .microseconds) == "1764000000000001")
        #expect(text(1_764_000_000_000_001, .nanoseconds) == "1764000000000001000")
        #expect(text(0, .nanoseconds) == "0")
        #expect(text(1_764_000_000_000_000, .rfc3339) == "\"2025-11-24T16:00:00Z\"")
        #expect(text(1_764_000_000_123_000, .rfc3339) == "\"2025-11-24T16:00:00.123Z\"")
    }

    @Test func binaryIsWrittenAsBase64() {
        let vectors = ["": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==", "fooba": "Zm9vYmE=", "foobar": "Zm9vYmFy"]
        for (text, expected) in vectors {
            let bytes = Array(text.utf8)
            #expect(written { $0.cell(.bytes(.binary, offset: 0, count: bytes.count), arena: bytes) } == "\"\(expected)\"")
        }
    }

    @Test func urlSafeBase64ReadsBackAndRefusesEverythingElse() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + count) }
            var text: [UInt8] = []
            text.append(base64: bytes, urlSafe: true)
            #expect(Base64.decode(urlSafe: String(decoding: text, as: UTF8.self)) == bytes)
        }
        for bad in ["A", "AB=", "AB+/", "A A", "AAAAA", "_x", "ü"] { #expect(Base64.decode(urlSafe: bad) == nil, "\(bad)") }
    }

    @Test func timeParametersOfEveryFormAreUnderstood() {
        let now = TestBed.now
        let forms: [(String, Timestamp)] = [
            ("now", now), ("-1h", now - .hours(1)), ("now-7d", now - .days(7)), ("now+1h", now + .hours(1)),
            ("-1h30m", now - .minutes(90)), ("1764000000", now), ("1764000000000", now), ("1764000000000000", now),
            ("1764000000000000000", now), ("1764000000.5", now + .milliseconds(500)), ("-5", Timestamp(microseconds: -5_000_000)),
            ("0", Timestamp(microseconds: 0)), ("2025-11-24T16:00:00Z", now), ("2025-11-24T18:00:00+02:00", now),
            ("2025-11-24 16:00:00.25Z", now + .milliseconds(250)),
        ]
        for (text, time) in forms { #expect(TimeParameter.parse(text, now: now) == time, "\(text)") }
    }

    @Test(arguments: [
        "", " ", "yesterday", "1h", "+1h", "now1h", "now-", "now--1h", "-1x", "2025-11-24", "2025-11-24T16:00:00", "1e9", "nan",
        "inf", "0x10", "1.2.3", "99999999999999999999", "now-99999999999999999999w", "2025-13-01T00:00:00Z", "+5", "12:00", "-1h ",
    ])
    func otherTextIsNoTime(_ text: String) {
        #expect(TimeParameter.parse(text, now: TestBed.now) == nil)
    }

    @Test func extremeSpansSaturateInsteadOfOverflowing() {
        #expect(TimeParameter.parse("now-15000000w", now: TestBed.now) != nil)
        #expect(TimeParameter.parse("-9223372036854775808", now: TestBed.now) != nil)
    }

    @Test func pageTokensReadBackForTheirQueryOnly() {
        var query = QueryHash()
        query.add("a")
        var other = QueryHash()
        other.add("b")
        let cursors: [PageToken.Cursor] = [
            .device(""), .device("line1/ü%"), .offset(0), .offset(100_000),
            .row(TestBed.now, start: .distantPast, end: .distantFuture),
            .series(.list(3, after: nil), start: .distantPast, end: TestBed.now),
            .series(.list(0, after: TestBed.now), start: .distantPast, end: TestBed.now),
            .series(.walk("", after: nil), start: .distantPast, end: TestBed.now),
            .series(.walk("line1/ü%", after: TestBed.now), start: .distantPast, end: TestBed.now),
        ]
        for cursor in cursors {
            let token = PageToken.encode(cursor, query: query)
            #expect(PageToken.decode(token, query: query) == cursor)
            #expect(PageToken.decode(token, query: other) == nil)
            #expect(PageToken.decode(String(token.dropLast()), query: query) != cursor)
        }
        for bad in ["", "x", "AAAA", "not a token", String(repeating: "A", count: 5_000)] {
            #expect(PageToken.decode(bad, query: query) == nil)
        }
    }

    @Test func partsOfAQueryHashDoNotRunTogether() {
        var (first, second) = (QueryHash(), QueryHash())
        first.add("ab")
        first.add("c")
        second.add("a")
        second.add("bc")
        #expect(first != second)
    }

    @Test func jsonTextIsParsedAndJunkIsRefused() throws {
        let text = #" {"a" : [1, -2.5e+3, "x\u00fc\ud83d\ude00\n", true, false, null], "b":{}, "c":[]} "#
        let value = try JSONValue.parse(Array(text.utf8))
        #expect(value["a"]?[1] == .number("-2.5e+3"))
        #expect(value["a"]?[2] == .string("xü😀\n"))
        #expect(value["a"]?[5] == .null)
        #expect(value["b"] == .object([]))
        let bad = [
            "", "{", "[1,]", "{\"a\"}", "{\"a\":1,}", "tru", "01", "1.", "-", "1e", "\"\\x\"", "\"\\ud83d\"", "\"a", "[1] x", "\"\u{01}\"",
            String(repeating: "[", count: 100_000), "NaN", "'a'",
        ]
        for text in bad { #expect(throws: JSONValue.SyntaxError.self, "\(text.prefix(20))") { try JSONValue.parse(Array(text.utf8)) } }
        #expect(throws: JSONValue.SyntaxError.self) { try JSONValue.parse([0x22, 0xFF, 0x22]) }
    }

    @Test func prometheusTextNamesFamiliesAndEscapesLabels() {
        var text = PrometheusText()
        text.single("a_total", .counter, "Things.\nMore \\ of them.", 3)
        text.family("b", .gauge, "B")
        text.sample(1.5, labels: ["x": "q\"\\\n"])
        text.sample(Double.infinity)
        #expect(
            String(decoding: text.bytes, as: UTF8.self) == """
                # HELP a_total Things.\\nMore \\\\ of them.
                # TYPE a_total counter
                a_total 3
                # HELP b B
                # TYPE b gauge
                b{x="q\\"\\\\\\n"} 1.5
                b +Inf

                """)
    }
}

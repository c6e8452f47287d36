import Dialects
import Telemetry
import Testing

@Suite struct JSONReadingDecoderTests {
    let time = Timestamp(microseconds: 1_764_000_000_000_000)

    @Test func aFlatObjectIsOneReadingWithATypeForEachValue() {
        let decoded = decode(#"{"ts":1764000000000,"temperature":21.5,"count":-3,"open":true,"status":"ok \u00e9","gone":null}"#)
        let fields: [String: FieldValue] = [
            "temperature": .double(21.5), "count": .integer(-3), "open": .boolean(true), "status": .string("ok é"),
        ]
        #expect(decoded.rejection == nil)
        #expect(decoded.readings == [Reading(device: "d1", time: time, fields: fields)])
    }

    @Test func nestedObjectsAndListsBecomeDottedNames() {
        let decoded = decode(#"{"Time":"2025-11-24T16:00:00Z","A":{"b":{"c":1},"n":null},"list":[1,"two",{"x":false},[9]],"e":{},"f":[]}"#)
        #expect(decoded.readings.first?.time == time)
        #expect(
            decoded.readings.first?.fields == [
                "A.b.c": .integer(1), "list.0": .integer(1), "list.1": .string("two"), "list.2.x": .boolean(false), "list.3.0": .integer(9),
            ])
    }

    @Test(arguments: [
        #"{"ts":1764000000000,"values":{"a":1}}"#, #"{"values":{"a":1},"ts":1764000000000}"#,
        #"{"device":"other","time":1764000000,"fields":{"a":1}}"#, #"{"timestamp":1764000000000000,"a":1}"#,
        #"{"TS":1764000000000000000,"a":1}"#, #"{"time":1764000000.0,"a":1}"#, #"{"time":1.764e12,"a":1}"#,
        #"[{"ts":1764000000000,"a":1}]"#, "\u{FEFF}{\"ts\":1764000000000,\"a\":1}", "{\"ts\":1764000000000,\"a\":1}\0",
        #"{"ts":null,"time":1764000000000,"a":1}"#, #"{"ts":1764000000000,"a":7,"a":1}"#,
    ])
    func everyShapeOfTheSameReadingIsTheSame(_ payload: String) {
        let decoded = decode(payload)
        #expect(decoded.rejection == nil)
        #expect(decoded.readings == [Reading(device: "d1", time: time, fields: ["a": .integer(1)])])
    }

    @Test func anObjectWithMoreThanAnEnvelopeIsFlat() {
        let decoded = decode(#"{"values":{"a":1},"b":2,"device":"not the topic's"}"#)
        let fields: [String: FieldValue] = ["values.a": .integer(1), "b": .integer(2), "device": .string("not the topic's")]
        #expect(decoded.readings == [Reading(device: "d1", time: nil, fields: fields)])
    }

    @Test func theFirstTimeKeyIsTheTimeAndTheNextIsAField() {
        let decoded = decode(#"{"ts":1764000000000,"time":"noon"}"#)
        #expect(decoded.readings == [Reading(device: "d1", time: time, fields: ["time": .string("noon")])])
    }

    @Test func aListIsManyReadings() {
        let decoded = decode(#"[{"ts":1764000000000,"values":{"a":1}},{"a":2},{"device":"x","fields":{"a":3}}]"#)
        #expect(decoded.readings.map(\.fields) == [["a": .integer(1)], ["a": .integer(2)], ["a": .integer(3)]])
        #expect(decoded.readings.map(\.time) == [time, nil, nil])
        #expect(decoded.readings.map(\.device) == ["d1", "d1", "d1"])
    }

    @Test func aMessageIsStoredWholeOrNotAtAll() {
        let decoded = decode(#"[{"a":1},{"a":18446744073709551615}]"#)
        #expect(decoded.readings.isEmpty)
        #expect(decoded.rejection == Rejection(.badValue, "field \"a\": an integer beyond 64 bits"))
    }

    @Test func withoutADeviceInTheTopicThePayloadNamesIt() {
        #expect(decode(#"{"device":"p1","a":1}"#, device: nil).readings == [Reading(device: "p1", time: nil, fields: ["a": .integer(1)])])
        #expect(decode(#"{"a":1}"#, device: nil).rejection?.reason == .noDevice)
        #expect(decode(#"{"device":"","a":1}"#, device: nil).rejection?.reason == .noDevice)
        #expect(decode(#"{"device":7,"a":1}"#, device: nil).rejection?.detail == "the key \"device\" must be text")
        #expect(decode(#"{"a":1}"#, device: "").rejection?.reason == .noDevice)
    }

    @Test func theTopicsFieldsAreInEveryReadingAndThePayloadsWin() {
        let decoded = decode(#"[{"a":1},{"site":"own"}]"#, fields: [("site", "north"), ("line", "7")])
        #expect(
            decoded.readings.map(\.fields) == [
                ["a": .integer(1), "site": .string("north"), "line": .string("7")], ["site": .string("own"), "line": .string("7")],
            ])
    }

    @Test(arguments: [
        (#""1764000000000""#, "write an epoch number without quotes"), (#""2018-03-02T18:25:03""#, "time_zone says which it is"),
        (#""yesterday""#, "write RFC 3339 with a zone"),
        ("true", "must be an epoch number"), ("{}", "must be an epoch number"), ("18446744073709551615", "must be an epoch number"),
    ])
    func aTimeThatIsNoneIsRejectedWithAdvice(_ value: String, _ advice: String) {
        let rejection = decode("{\"ts\":\(value),\"a\":1}").rejection
        #expect(rejection?.reason == .badTime)
        #expect(rejection?.detail.contains(advice) == true)
    }

    @Test(arguments: [
        ("hello", RejectReason.undecodable), ("{\"a\":NaN}", .undecodable), ("{\"a\":nan}", .undecodable), ("{\"a\":1", .undecodable),
        ("{\"a\":1}x", .undecodable), ("{\"a\":1}{\"a\":2}", .undecodable), ("21.5", .undecodable), ("\"text\"", .undecodable),
        ("null", .undecodable), ("[1,2]", .undecodable), ("[[{\"a\":1}]]", .undecodable), ("{\"\":1}", .undecodable),
        ("{\"a\":{\"\":1}}", .undecodable), ("{\"a\":\"\\ud800\"}", .undecodable), ("   ", .undecodable), ("{a:1}", .undecodable),
        ("{\"a\":1e400}", .badValue), ("{\"a\":-Infinity}", .badValue), ("{\"a\":123456789012345678901234567890}", .badValue),
        ("{\"a\":9223372036854775808}", .badValue), ("{}", .noFields), ("[]", .noFields), ("{\"ts\":1764000000000}", .noFields),
        ("{\"a\":null}", .noFields), ("{\"values\":{}}", .noFields), ("[{\"a\":1},{}]", .noFields),
    ])
    func hostilePayloadsHaveTheirReason(_ payload: String, _ reason: RejectReason) {
        let decoded = decode(payload)
        #expect(decoded.rejection?.reason == reason)
        #expect(decoded.rejection?.detail.isEmpty == false)
        #expect(decoded.readings.isEmpty)
    }

    @Test func extremeNumbersKeepTheirBits() {
        let decoded = decode(#"{"i":9223372036854775807,"j":-9223372036854775808,"d":1.7976931348623157e308,"z":5e-324,"n":-0.0}"#)
        #expect(
            decoded.readings.first?.fields == [
                "i": .integer(.max), "j": .integer(.min), "d": .double(.greatestFiniteMagnitude), "z": .double(.leastNonzeroMagnitude),
                "n": .double(-0.0),
            ])
    }

    @Test func everyLimitHoldsAtItsValueAndRejectsOneAbove() {
        func object(fields: Int) -> String { "{" + (0..<fields).map { "\"f\($0)\":1" }.joined(separator: ",") + "}" }
        func text(_ count: Int) -> String { String(repeating: "x", count: count) }
        #expect(decode(object(fields: Limits.fieldsPerReading)).readings.first?.fields.count == Limits.fieldsPerReading)
        #expect(decode(object(fields: Limits.fieldsPerReading + 1)).rejection?.reason == .tooManyFields)
        #expect(decode(object(fields: Limits.fieldsPerReading), fields: [("site", "x")]).rejection?.reason == .tooManyFields)
        #expect(decode("{\"\(text(256))\":1}").rejection == nil)
        #expect(decode("{\"\(text(257))\":1}").rejection?.reason == .fieldNameTooLong)
        #expect(decode("{\"\(text(128))\":{\"\(text(127))\":1}}").rejection == nil)
        #expect(decode("{\"\(text(128))\":{\"\(text(128))\":1}}").rejection?.reason == .fieldNameTooLong)
        #expect(decode("{\"a\":\"\(text(65_536))\"}").rejection == nil)
        #expect(decode("{\"a\":\"\(text(65_537))\"}").rejection?.reason == .valueTooLong)
        #expect(decode("{\"a\":1}", device: text(256)).rejection == nil)
        #expect(decode("{\"a\":1}", device: text(257)).rejection?.reason == .deviceTooLong)
        #expect(decode("{\"a\":1}" + String(repeating: " ", count: Limits.payloadByteCount - 7)).rejection == nil)
        #expect(decode("{\"a\":1}" + String(repeating: " ", count: Limits.payloadByteCount - 6)).rejection?.reason == .payloadTooLong)
    }

    @Test func aMessageOfTooManyReadingsIsTakenBack() {
        var limit = MessageLimit()
        limit.readingCount = 2
        #expect(decode(Array("[{\"a\":1},{\"a\":2}]".utf8), limit: limit).readings.count == 2)
        let decoded = decode(Array("[{\"a\":1},{\"a\":2},{\"a\":3}]".utf8), limit: limit)
        #expect(decoded.rejection?.reason == .payloadTooLong)
        #expect(decoded.readings.isEmpty)
    }

    @Test func manyNestedNullsDoNotDisturbTheNamesOfWhatFollows() {
        let nulls = (0..<60_000).map { "\"n\($0)\":null" }.joined(separator: ",")
        let decoded = decode("{\"a\":{\"first\":1,\(nulls),\"second\":2,\"third\":3}}")
        #expect(decoded.readings.first?.fields == ["a.first": .integer(1), "a.second": .integer(2), "a.third": .integer(3)])
    }
}

import Dialects
import Telemetry
import Testing

@Suite struct NativeBodyTests {
    @Test func oneReadingAndAListAreTaken() throws {
        let one = try decodeNative(#"{"device":"d1","time":1764000000000,"fields":{"t":21.5}}"#)
        let time = Timestamp(microseconds: 1_764_000_000_000_000)
        #expect(one.readings == [Reading(device: "d1", time: time, fields: ["t": .double(21.5)])])
        #expect(one.count == 1)
        let many = try decodeNative(#"[{"device":"d1","fields":{"t":1}},{"device":"d2","fields":{"t":{"x":2}}}]"#)
        #expect(many.readings.map(\.device) == ["d1", "d2"])
        #expect(many.readings[1].fields == ["t.x": .integer(2)])
        #expect(try decodeNative("[]").count == 0)
    }

    @Test func badReadingsAreToldByIndexAndTheGoodOnesStay() throws {
        let body = try decodeNative(
            """
            [{"device":"d0","fields":{"t":1}},{"fields":{"t":1}},{"device":"d2","time":"soon","fields":{"t":1}},7,
             {"device":"d4","fields":{}},{"device":"d5","t":1},{"device":"d6","fields":{"t":18446744073709551615}},
             {"device":"d7","fields":{"t":1},"extra":2},{"device":"d8","fields":{"t":1}}]
            """)
        #expect(body.readings.map(\.device) == ["d0", "d8"])
        #expect(body.count == 9)
        #expect(
            body.rejections == [
                1: .noDevice, 2: .badTime, 3: .undecodable, 4: .noFields, 5: .undecodable, 6: .badValue, 7: .undecodable,
            ])
    }

    @Test func aReadingThatFailsInsideAnObjectLeavesTheNextItsNames() throws {
        let body = try decodeNative(
            #"[{"device":"d0","fields":{"a":{"b":18446744073709551615}}},{"device":"d1","fields":{"c":{"d":1}}}]"#)
        #expect(body.readings == [Reading(device: "d1", time: nil, fields: ["c.d": .integer(1)])])
        #expect(body.rejections == [0: .badValue])
    }

    @Test(arguments: ["", "not json", "[{\"device\":\"d\",\"fields\":{\"t\":1}}", "7", "[{\"device\":\"d\",\"fields\":{\"t\":01}}]"])
    func aBodyThatIsNoJSONIsRejectedAsAWhole(_ text: String) {
        #expect(throws: Rejection.self) { try decodeNative(text) }
    }

    @Test func aBodyOfMoreReadingsThanABatchTakesIsRejectedAsAWhole() {
        let list = String(repeating: "{\"device\":\"d\",\"fields\":{\"t\":1}},", count: Limits.readingsPerBatch)
        #expect(throws: Rejection.self) { try decodeNative("[\(list){\"device\":\"d\",\"fields\":{\"t\":1}}]") }
        #expect(throws: Never.self) { try decodeNative("[\(list.dropLast())]") }
    }
}

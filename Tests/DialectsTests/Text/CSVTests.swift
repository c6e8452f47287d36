import Dialects
import Telemetry
import Testing

@Suite struct CSVTests {
    @Test func recordsUnderAHeadingAreRead() {
        let heard = Listener(.csv).hear(
            "device,time,temp,ok,note\r\nd1,1764000000,21.5,true,\"a, \"\"b\"\"\nc\"\r\nd2,2025-11-24T16:00:00Z,7,,\r\n")
        let time = Timestamp(microseconds: 1_764_000_000_000_000)
        #expect(
            heard.readings == [
                Reading(device: "d1", time: time, fields: ["temp": .double(21.5), "ok": .boolean(true), "note": .string("a, \"b\"\nc")]),
                Reading(device: "d2", time: time, fields: ["temp": .integer(7)]),
            ], "\(heard.outcome)")
    }

    @Test(arguments: [";", "\t", ","])
    func separatorsAreToldByTheFirstLine(_ separator: String) {
        let lines = [["Timestamp", "a", "\"x,;\ty\""], ["1764000000000", "1", "2.5"]]
        let heard = Listener(.csv).hear(lines.map { $0.joined(separator: separator) }.joined(separator: "\n"), device: "d")
        #expect(
            heard.readings == [
                Reading(device: "d", time: milliseconds(1_764_000_000_000), fields: ["a": .integer(1), "x,;\ty": .double(2.5)])
            ], "\(heard.outcome)")
    }

    @Test func columnsOfTheOptionsStandForTheHeading() {
        let listener = Listener(.csv) {
            $0.columns = ["clock", "temp", "", "unit"]
            $0.timeKey = "clock"
            $0.timeUnit = .seconds
        }
        let heard = listener.hear("1764000000;21.5;skipped;C\n;22;skipped;\"C\"", device: "d")
        #expect(
            heard.readings == [
                Reading(
                    device: "d", time: Timestamp(microseconds: 1_764_000_000_000_000),
                    fields: ["temp": .double(21.5), "unit": .string("C")]),
                Reading(device: "d", time: nil, fields: ["temp": .integer(22), "unit": .string("C")]),
            ], "\(heard.outcome)")
        #expect(Listener(.csv) { $0.columns = ["v"] }.hear("12", device: "d").readings.map(\.fields) == [["v": .integer(12)]])
    }

    @Test func anUnclosedQuoteIsToldWithTheLineThatOpensIt() {
        let heard = Listener(.csv).hear("a,b\n1,2\n\n\"x\ny\",\"z\n5,6\n", device: "d")
        #expect(heard.rejection?.detail == "line 4: the quote that is opened on line 5 is never closed", "\(heard.outcome)")
        let zone = Listener(.csv).hear("time,v\n2018-03-02 18:25:03,1", device: "d").rejection
        #expect(zone?.reason == .badTime && zone?.detail.contains("time_zone") == true)
        #expect(Listener(.csv).hear("time,v\nnoon,1", device: "d").rejection?.detail.contains("time_zone") == false)
    }

    @Test func aTimeWithoutAZoneNeedsTheOption() {
        let body = "time,v\n2018-03-02T18:25:03,1"
        #expect(Listener(.csv).hear(body, device: "d").rejection?.reason == .badTime)
        let heard = Listener(.csv) { $0.zoneOffset = 3_600 }.hear(body, device: "d")
        #expect(heard.readings.first?.time?.rfc3339 == "2018-03-02T17:25:03Z")
    }

    @Test func theTopicsDeviceMakesTheColumnAField() {
        let heard = Listener(.csv).hear("device,v\nx,1", device: "topic")
        #expect(heard.readings == [Reading(device: "topic", time: nil, fields: ["device": .string("x"), "v": .integer(1)])])
        let named = Listener(.csv) { $0.deviceTag = "sensor" }.hear("sensor,v\ns1,nan\ns2,1")
        #expect(named.rejection?.reason == .noFields)
        #expect(named.rejection?.detail.hasPrefix("line 2: ") == true)
    }

    @Test(
        arguments: [
            ("time,v\n1,2", .noDevice), ("device,v\nd,1,2", .undecodable), ("device,v\nd", .undecodable), ("device,v\n,1", .noDevice),
            ("device,v\nd,\"1", .undecodable), ("device,v\nd,\"1\"2", .undecodable), ("device,v,v\nd,1,2", .undecodable),
            ("device,v\nd,1e999", .badValue), ("device,time,v\nd,soon,1", .badTime), ("device,time,v\nd,99999999999999999999,1", .badTime),
            ("\"device,v\nd,1", .undecodable),
        ] as [(String, RejectReason)])
    func badRecordsAreRejected(_ body: String, _ reason: RejectReason) {
        let heard = Listener(.csv).hear(body)
        #expect(heard.rejection?.reason == reason, "\(body): \(heard.outcome)")
        #expect(heard.readings.isEmpty)
    }

    @Test func headingsAloneAndBlankLinesAreNoRows() {
        #expect(Listener(.csv).hear("device,v\r\n\r\n \n").isIgnored)
        #expect(Listener(.csv).hear("\u{FEFF}\n\ndevice,v\n\nd,1\n\n\nd,2\n\0").readings.count == 2)
    }

    @Test func limitsHold() {
        let wide = (0..<1_100).map { "c\($0)" }.joined(separator: ",")
        #expect(Listener(.csv).hear(wide + "\n", device: "d").rejection?.reason == .tooManyFields)
        let long = String(repeating: "n", count: 257)
        #expect(Listener(.csv).hear("\(long)\n1", device: "d").rejection?.reason == .fieldNameTooLong)
        #expect(Listener(.csv).hear([0x61, 0x0A, 0xFF], device: "d").rejection?.reason == .undecodable)
        // A character cut in two by a separator is none.
        #expect(Listener(.csv).hear([0xC3, 0x2C, 0xA9, 0x0A, 0x31, 0x2C, 0x32], device: "d").rejection?.reason == .undecodable)
    }
}

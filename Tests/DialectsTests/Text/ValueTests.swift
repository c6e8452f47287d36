import Dialects
import Telemetry
import Testing

@Suite struct ValueTests {
    /// Payloads of Shelly Gen1, Tasmota, OpenHAB and bare sensors, see docs/dialects.md.
    @Test(
        arguments: [
            ("76.2", .double(76.2)), ("1234", .integer(1_234)), ("-7", .integer(-7)), ("+5", .integer(5)), (" 21.50\n", .double(21.5)),
            (".5", .double(0.5)), ("5.", .double(5)), ("-1.5e3", .double(-1_500)), ("1E-2", .double(0.01)), ("-0", .integer(0)),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)), ("0.1", .double(0.1)),
            ("0.30000000000000004", .double(0.30000000000000004)), ("1.7976931348623157e308", .double(.greatestFiniteMagnitude)),
            ("5e-324", .double(.leastNonzeroMagnitude)), ("123456789012345678.5", .double(123456789012345678.5)),
            ("true", .boolean(true)), ("FALSE", .boolean(false)), ("ON", .boolean(true)), ("off", .boolean(false)), ("Yes", .boolean(true)),
            ("no", .boolean(false)), ("open", .string("open")), ("\"ON\"", .string("ON")), ("\"21\"", .string("21")),
            (#""a\"\\\/\u00e9\ud83d\ude00\n""#, .string("a\"\\/é😀\n")), ("3D", .string("3D")), ("0x1F", .string("0x1F")),
            ("12:30", .string("12:30")), ("1.2.3", .string("1.2.3")), ("5 minutes ago", .string("5 minutes ago")), ("e5", .string("e5")),
            ("-", .string("-")), ("21,5", .string("21,5")), ("\u{FEFF}12\u{0}", .integer(12)), ("\"\"", .string("")),
        ] as [(String, FieldValue)])
    func aScalarBecomesTheFieldValue(_ text: String, _ value: FieldValue) {
        let heard = Listener(.value).hear(text, device: "d1")
        #expect(heard.readings == [Reading(device: "d1", time: nil, fields: ["value": value])], "\(text): \(heard.outcome)")
        #expect(heard.outcome == .readings(areTimedByReceipt: false))
    }

    @Test func theTopicNamesTheFieldAndMoreFields() {
        let heard = Listener(.value).hear("76.2", device: "dev7", field: "temperature", fields: [("site", "line1")])
        #expect(heard.readings == [Reading(device: "dev7", time: nil, fields: ["temperature": .double(76.2), "site": .string("line1")])])
    }

    @Test(arguments: [("21.5 °C", "°C", 21.5), ("76.5%", "%", 76.5), ("-3.25 kWh", "kWh", -3.25), ("12.0µg/m³", "µg/m³", 12)])
    func aKnownUnitIsSplitOff(_ text: String, _ unit: String, _ value: Double) {
        let heard = Listener(.value).hear(text, device: "d", field: "f")
        #expect(heard.readings == [Reading(device: "d", time: nil, fields: ["f": .double(value), "f.unit": .string(unit)])])
    }

    @Test(arguments: ["nan", "NaN", "-nan", "inf", "-Infinity", "null", " \n", "\0"])
    func noValueIsIgnored(_ text: String) {
        #expect(Listener(.value).hear(text, device: "d").isIgnored)
    }

    @Test(
        arguments: [
            ("9223372036854775808", .badValue), ("1e999", .badValue), ("{\"a\":1}", .undecodable), ("[1]", .undecodable),
            ("\"open", .undecodable), ("\"a\"b\"", .undecodable), (#""\x""#, .undecodable), (#""\ud800""#, .undecodable),
            (#""\ud800\u0041""#, .undecodable), (#""\u12""#, .undecodable), (#""\""#, .undecodable), ("\"", .undecodable),
        ] as [(String, RejectReason)])
    func whatIsNoScalarIsRejected(_ text: String, _ reason: RejectReason) {
        let heard = Listener(.value).hear(text, device: "d")
        #expect(heard.rejection?.reason == reason, "\(text): \(heard.outcome)")
        #expect(heard.readings.isEmpty)
    }

    @Test func bytesThatAreNoTextAreRejected() {
        for bytes in [[0xFF], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0x61, 0xE2, 0x82], [0x80]] as [[UInt8]] {
            #expect(Listener(.value).hear(bytes, device: "d").rejection?.reason == .undecodable, "\(bytes)")
        }
        for text in ["é", "€", "😀", "\u{10FFFF}", "\u{D7FF}\u{E000}"] {
            #expect(Listener(.value).hear(text, device: "d").readings.first?.fields == ["value": .string(text)])
        }
    }

    @Test func aTopicWithoutADeviceIsRejected() {
        #expect(Listener(.value).hear("1").rejection?.reason == .noDevice)
    }

    @Test func longTextsAndExcludedFieldsHaveTheirRules() {
        let long = String(repeating: "x", count: Limits.valueByteCount + 1)
        #expect(Listener(.value).hear(long, device: "d").rejection?.reason == .valueTooLong)
        for digits in [String(repeating: "1", count: 513), "0." + String(repeating: "1", count: 511), String(repeating: "0", count: 513)] {
            #expect(Listener(.value).hear(digits, device: "d").rejection?.reason == .badValue)
            #expect(Listener(.csv).hear("v\n" + digits, device: "d").rejection?.reason == .badValue)
            #expect(Listener(.lineProtocol).hear("m,device=d v=" + digits).rejection?.reason == .badValue)
            #expect(Listener(.homie).hear(digits, topic: "homie/car/e/t").rejection?.reason == .badValue)
            let word = digits + "x"
            #expect(Listener(.value).hear(word, device: "d").readings.first?.fields == ["value": .string(word)])
        }
        let longest = "0." + String(repeating: "3", count: 510)
        #expect(Listener(.value).hear(longest, device: "d").readings.first?.fields == ["value": .double(1.0 / 3)])
        #expect(Listener(.value) { $0.exclude = ["value"] }.hear("1", device: "d").isIgnored)
    }
}

@Suite struct StateTests {
    @Test(
        arguments: [
            "online", "ONLINE", "Online", "true", "1", "on", "connected", "available", "ready", "up", "\"online\"", #"{"state":"online"}"#,
            #"{"version":3,"state":true}"#, #"{"state":1}"#,
        ])
    func wordsForAConnectionThatIsThere(_ text: String) {
        #expect(
            Listener(.state).hear(text, device: "d").readings == [Reading(device: "d", time: nil, fields: ["$state": .string("online")])])
    }

    @Test(
        arguments: [
            "offline", "Offline\n", "false", "0", "off", "disconnected", "unavailable", "lost", "down", #"{"state":"offline"}"#,
        ])
    func wordsForAConnectionThatIsGone(_ text: String) {
        #expect(
            Listener(.state).hear(text, device: "d").readings == [Reading(device: "d", time: nil, fields: ["$state": .string("offline")])])
    }

    @Test(arguments: ["", " ", "maybe", "2", "{}", #"{"state":"x"}"#, #"{"state":2.5}"#, "{", "[1]", "\"", "\u{0}"])
    func otherPayloadsAreRejected(_ text: String) {
        let heard = Listener(.state).hear(text, device: "d")
        #expect(heard.rejection != nil, "\(text): \(heard.outcome)")
        #expect(heard.readings.isEmpty)
    }
}

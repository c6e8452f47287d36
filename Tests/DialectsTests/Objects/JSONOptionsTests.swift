import Dialects
import Telemetry
import Testing

/// `json` with options that are not the defaults. The defaults: JSONReadingDecoderTests.
@Suite struct JSONOptionsTests {
    private let noon = time("2025-11-24T12:00:00Z")

    @Test(arguments: [
        ("at", #"{"at":1763985600000,"a":1}"#),
        ("at", #"[{"a":1,"at":"2025-11-24T12:00:00Z"}]"#), ("at", #"{"at":1763985600,"values":{"a":1}}"#),
        ("meta.ts", #"{"meta":{"ts":1763985600000},"a":1}"#), ("meta.ts", #"{"a":1,"meta":{"x":null,"ts":1763985600}}"#),
        ("meta.ts", #"{"meta.ts":1763985600000,"a":1}"#), ("l.1", #"{"l":[null,1763985600000],"a":1}"#),
        ("at", #"{"at":null,"a":1,"at":1763985600000}"#), ("ts", #"{"values":{"ts":1763985600000,"a":1}}"#),
    ])
    func theTimeKeyIsADottedName(_ key: String, _ payload: String) {
        let decoded = message(.json, payload, device: "d") { $0.timeKey = key }
        #expect(decoded.readings == [Reading(device: "d", time: noon, fields: ["a": .integer(1)])])
    }

    @Test func withATimeKeyOtherTimesAreFields() {
        let decoded = message(.json, #"{"ts":5,"Time":"x","at":1763985600000}"#, device: "d") { $0.timeKey = "at" }
        #expect(decoded.readings == [Reading(device: "d", time: noon, fields: ["ts": .integer(5), "Time": .string("x")])])
        let absent = message(.json, #"{"ts":1763985600000}"#, device: "d") { $0.timeKey = "at" }
        #expect(absent.readings == [Reading(device: "d", time: nil, fields: ["ts": .integer(1_763_985_600_000)])])
        let wrong = message(.json, #"{"a":1,"m":{"at":"noon"}}"#, device: "d") { $0.timeKey = "m.at" }
        #expect(wrong.rejection?.reason == .badTime)
    }

    @Test func aTimeOfOneReadingIsNotTheNextOnes() {
        let decoded = message(.json, #"[{"m":{"ts":1763985600},"a":1},{"a":2}]"#, device: "d") { $0.timeKey = "m.ts" }
        #expect(decoded.readings.map(\.time) == [noon, nil])
    }

    @Test(arguments: [
        (DialectOptions.TimeUnit.seconds, "1763985600"), (.seconds, "1763985600.0"), (.milliseconds, "1763985600000"),
        (.microseconds, "1763985600000000"), (.nanoseconds, "1763985600000000000"), (.auto, "1763985600"), (.auto, "1763985600000"),
    ])
    func theUnitOfBareNumbersIsTheOptions(_ unit: DialectOptions.TimeUnit, _ number: String) {
        let decoded = message(.json, "{\"ts\":\(number),\"a\":1}", device: "d") { $0.timeUnit = unit }
        #expect(decoded.readings.first?.time == noon)
    }

    @Test func aTimeBeyondAllThereAreIsRefused() {
        let decoded = message(.json, #"{"ts":9223372036854775807,"a":1}"#, device: "d") { $0.timeUnit = .seconds }
        #expect(decoded.rejection?.reason == .badTime)
        let least = message(.json, #"{"ts":-9223372036854775808,"a":1}"#, device: "d") { $0.timeUnit = .microseconds }
        #expect(least.rejection?.reason == .badTime)
    }

    @Test func aZoneMakesLocalTimesReadable() {
        let payload = #"{"ts":"2025-11-24T14:00:00","a":1}"#
        #expect(message(.json, payload, device: "d").rejection?.reason == .badTime)
        #expect(message(.json, payload, device: "d") { $0.zoneOffset = 7200 }.readings.first?.time == noon)
        let zoned = #"{"ts":"2025-11-24T12:00:00Z","a":1}"#
        #expect(message(.json, zoned, device: "d") { $0.zoneOffset = 7200 }.readings.first?.time == noon)
    }

    @Test func includeAndExcludeChooseByDottedName() {
        let payload = #"{"temp":1,"temp_max":2,"wifi":{"rssi":-60,"ssid":"x"},"uptime":3}"#
        let fields = message(.json, payload, device: "d") { options in
            options.include = ["temp*", "wifi.*"]
            options.exclude = ["*.ssid"]
        }
        #expect(fields.readings.first?.fields == ["temp": .integer(1), "temp_max": .integer(2), "wifi.rssi": .integer(-60)])
        let nothing = message(.json, payload, device: "d") { $0.include = ["other"] }
        #expect(nothing.outcome == .ignored("every field is excluded"))
        let partly = message(.json, #"[{"a":1},{"temp":2}]"#, device: "d") { $0.include = ["temp"] }
        #expect(partly.readings.map(\.fields) == [["temp": .integer(2)]])
    }

    @Test func theTimeIsReadThoughItsNameIsNotIncluded() {
        let decoded = message(.json, #"{"m":{"ts":1763985600},"a":1}"#, device: "d") { options in
            options.timeKey = "m.ts"
            options.include = ["a"]
        }
        #expect(decoded.readings == [Reading(device: "d", time: noon, fields: ["a": .integer(1)])])
    }

    @Test func aFullDecoderIsUnharmedByARefusedMessage() {
        var decoder = PayloadDecoder(DialectOptions(format: .json)) { _ in nil }
        let long = String(repeating: "n", count: 200)
        #expect(decode(Array("{\"\(long)\":{\"\(long)\":1}}".utf8), device: "d", with: &decoder).rejection?.reason == .fieldNameTooLong)
        #expect(decode(Array(#"{"a":1}"#.utf8), device: "d", with: &decoder).readings.first?.fields == ["a": .integer(1)])
    }
}

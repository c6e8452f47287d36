import Dialects
import Telemetry
import Testing

/// Nothing that a stranger sends in any of these formats may crash the decoder, be stored in part, or disturb the next message.
@Suite struct HostileMessagesTests {
    struct Sample: Sendable, CustomTestStringConvertible {
        var format: PayloadFormat
        var topic = "t"
        var device: String?
        var payload: [UInt8]

        var testDescription: String { "\(format.rawValue) \(topic)" }

        init(_ format: PayloadFormat, topic: String = "t", device: String? = nil, _ text: String) {
            (self.format, self.topic, self.device, payload) = (format, topic, device, Array(text.utf8))
        }
    }

    static let samples = [
        Sample(.json, device: "d", #"{"ts":1764000000000,"a":{"b":[1,{"c":true}]},"d":null,"e":"x"}"#),
        Sample(.thingsboard, device: "d", #"[{"ts":1451649600000,"values":{"t":22.5}},{"ts":1451649601000,"values":{"t":22.7}}]"#),
        Sample(.thingsboardGateway, #"{"Device A":[{"ts":1483228800000,"values":{"t":42}}],"B":{"values":{"x":1}}}"#),
        Sample(.senml, #"[{"bn":"u:1:","bt":1.27e9,"bver":5,"n":"v","u":"V","v":1.5,"s":1},{"n":"x","t":-5,"vd":"aGkgCg"},{"vs":"q"}]"#),
        Sample(.tasmota, topic: "tele/p/SENSOR", #"{"Time":"2018-03-02T18:25:03","A":{"T":22.6},"TempUnit":"C"}"#),
        Sample(.tasmota, topic: "stat/p/STATUS8", #"{"StatusSNS":{"Time":"2018-03-02T18:25:03Z","A":{"T":22.6}}}"#),
        Sample(.zigbee2mqtt, topic: "zigbee2mqtt/a/b", #"{"linkquality":102,"last_seen":"2019-12-14T15:38:56.796Z","color":{"x":0.4}}"#),
        Sample(.zigbee2mqtt, topic: "zigbee2mqtt/a/b/availability", #"{"state":"online"}"#),
        Sample(.shelly, topic: "p/status/switch:0", #"{"id":0,"output":true,"aenergy":{"by_minute":[1,2]}}"#),
        Sample(
            .shelly, topic: "p/events/rpc",
            #"{"method":"NotifyEvent","params":{"ts":1631266595.4,"events":[{"component":"input:0","id":0,"event":"push"}]}}"#),
        Sample(.auto, device: "d", #"[{"n":"d/a","v":1},{"n":"d/b","vb":true}]"#),
    ]

    @Test(arguments: samples) func whatIsCutOffIsNeverStored(_ sample: Sample) {
        var decoder = PayloadDecoder(DialectOptions(format: sample.format)) { _ in nil }
        let whole = decode(sample.payload, topic: sample.topic, device: sample.device, with: &decoder)
        #expect(whole.rejection == nil && !whole.readings.isEmpty)
        for count in 1..<sample.payload.count {
            let cut = decode(Array(sample.payload[..<count]), topic: sample.topic, device: sample.device, with: &decoder)
            #expect(cut.rejection != nil, "\(count) bytes")
        }
        #expect(decode(sample.payload, topic: sample.topic, device: sample.device, with: &decoder).readings == whole.readings)
    }

    @Test(arguments: samples, [UInt64(1), 2]) func mutationsDisturbNothing(_ sample: Sample, _ seed: UInt64) {
        var random = SplitMix64(state: seed)
        var decoder = PayloadDecoder(DialectOptions(format: sample.format)) { _ in nil }
        let whole = decode(sample.payload, topic: sample.topic, device: sample.device, with: &decoder)
        let values = [
            "{}", "[]", "null", "true", "-1", "1e999", "1e300", "18446744073709551615", "-9223372036854775808", "\"\"", "\"\\u0000\"",
            "[[[]]]",
            #"{"":1}"#, #"{"ts":{}}"#, #""2025-02-30T00:00:00Z""#, "\"ts\"", "\u{FEFF}", "\0",
        ].map { Array($0.utf8) }
        for round in 0..<600 {
            var payload = sample.payload
            for _ in 0..<Int.random(in: 1...4, using: &random) where !payload.isEmpty {
                let position = Int.random(in: 0..<payload.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: payload[position] = UInt8.random(in: 0...255, using: &random)
                case 1: payload.remove(at: position)
                case 2: payload.removeSubrange(position..<Int.random(in: position...payload.count, using: &random))
                default:
                    // In place of what stands between two signs of the grammar.
                    let end = payload[position...].firstIndex { [0x2C, 0x7D, 0x5D].contains($0) } ?? payload.count
                    payload.replaceSubrange(position..<end, with: values.randomElement(using: &random) ?? [])
                }
            }
            guard !payload.isEmpty else { continue }
            _ = decode(payload, topic: sample.topic, device: sample.device, with: &decoder)
            guard round % 50 == 0 else { continue }
            let again = decode(sample.payload, topic: sample.topic, device: sample.device, with: &decoder)
            #expect(again.readings == whole.readings, "seed \(seed), round \(round)")
        }
    }

    @Test(arguments: samples) func aPayloadBeyondTheLimitIsRefused(_ sample: Sample) {
        let payload = sample.payload + [UInt8](repeating: 0x20, count: Limits.payloadByteCount)
        #expect(message(sample.format, payload, topic: sample.topic, device: sample.device).rejection?.reason == .payloadTooLong)
    }

    @Test func aMessageOfTooManyReadingsOrBytesIsTakenBack() {
        let many = "[" + String(repeating: #"{"n":"d/a","t":1,"v":1},{"n":"d/a","v":1},"#, count: 20_000) + #"{"n":"d/a","v":1}]"#
        #expect(message(.senml, many).rejection?.reason == .payloadTooLong)
        let names = (0..<2_000).map { "\"\($0)\":1" }.joined(separator: ",")
        #expect(message(.shelly, "{\(names)}", topic: "p/status/switch:0").rejection?.reason == .tooManyFields)
        #expect(message(.senml, #"[{"bn":"\#(String(repeating: "d", count: 257))","v":1}]"#).rejection?.reason == .deviceTooLong)
        #expect(message(.senml, #"[{"n":"d/\#(String(repeating: "f", count: 253))","s":1}]"#).rejection?.reason == .fieldNameTooLong)
    }
}

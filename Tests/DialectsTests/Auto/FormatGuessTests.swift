import Dialects
import Telemetry
import Testing

@Suite struct FormatGuessTests {
    private func guess(_ topic: String, _ payload: [UInt8]) -> FormatGuess {
        var decoder = PayloadDecoder(DialectOptions(format: .auto)) { _ in nil }
        return Array(topic.utf8).withUnsafeBytes { topic in payload.withUnsafeBytes { decoder.guess(topic: topic, payload: $0) } }
    }

    @Test(arguments: [
        ("spBv1.0/g/NDATA/e", "\u{8}\u{1}", PayloadFormat.sparkplugB), ("homie/super-car/engine/temperature", "21.5", .homie),
        ("homie/5/super-car/$state", "ready", .homie), ("tele/TH16/SENSOR", "{}", .tasmota), ("stat/a/POWER", "ON", .tasmota),
        ("zigbee2mqtt/lamp", "{}", .zigbee2mqtt), ("shellies/a/relay/0", "on", .shelly), ("x/y/events/rpc", "{}", .shelly),
        ("a/status/switch:0", "{}", .shelly),
    ])
    func someTopicsDecide(_ topic: String, _ payload: String, _ format: PayloadFormat) {
        let guess = guess(topic, Array(payload.utf8))
        #expect(guess.format == format)
        #expect(guess.reason.description.hasPrefix("the topic"))
    }

    @Test(arguments: [
        (#"{"temperature":22.5}"#, PayloadFormat.json), ("\u{FEFF} \n{\"a\":1}\0", .json), ("[{\"a\":1}]", .json),
        ("{broken", .json), ("[]", .json),
        (#"{"ts":1451649600512,"values":{"a":1}}"#, .json), (#"{"state":{"reported":{"temp":21.3}}}"#, .json),
        (#"{"Device A":[{"ts":1483228800000,"values":{"a":1}}],"B":[{"ts":1,"values":{}}]}"#, .thingsboardGateway),
        (#"{"A":{"ts":1483228800000,"values":{"a":1}}}"#, .thingsboardGateway), (#"{"A":[]}"#, .json), ("{}", .json),
        (#"[{"bn":"urn:dev:ow:1:","n":"a","v":1}]"#, .senml), (#" [{"n":"a","vs":"x"}]"#, .senml), (#"[{"n":1,"v":1}]"#, .json),
        (#"[{"n":"a"}]"#, .json), ("21.5", .value), ("-3", .value), ("+1e-5 \r\n", .value), (".5", .value),
        ("ON", .value), ("False", .value),
        ("\"text\"", .value), ("online", .state), (" Offline\0", .state),
        ("weather,location=us-midwest temperature=82,humidity=71i 1465839830100400200", .lineProtocol), ("cpu value=1", .lineProtocol),
        ("# comment\nmy\\ name,a=b v=\"x y\"", .lineProtocol), ("time,device,temp\n1,d,2\n", .csv), ("a,b\r\n1,2", .csv),
    ])
    func otherwiseThePayloadDecides(_ payload: String, _ format: PayloadFormat) {
        #expect(guess("sensors/d1", Array(payload.utf8)).format == format)
    }

    @Test(arguments: [
        ("a16161 01", PayloadFormat.cbor), ("bf6161 01 ff", .cbor), ("d9d9f7 a16161 01", .cbor), ("81a2 00 6161 02 01", .senml),
        ("81a2 21 6161 04 f5", .senml), ("81a1 6161 01", .cbor), ("80", .cbor), ("9b", .cbor),
    ])
    func cborIsToldByItsFirstByte(_ hex: String, _ format: PayloadFormat) {
        #expect(guess("sensors/d1", bytes(hex: hex)).format == format)
    }

    @Test(arguments: ["hello", "a b", "é", "a=b", "=1", "x =1", "a,b", "12:30", " ", "\\", "a\\ b=1", "--", "#", "# x\n"])
    func whatLooksLikeNothingIsRefusedWithThatReason(_ payload: String) {
        let guess = guess("sensors/d1", Array(payload.utf8))
        #expect(guess.format == nil, "\(guess)")
        let rejection = message(.auto, payload, device: "d").rejection
        #expect(rejection == Rejection(.undecodable, guess.reason.description))
    }

    @Test func theGuessedFormatDecodes() {
        let json = message(.auto, #"{"ts":1764000000,"a":1}"#, topic: "sensors/d1", device: "d1")
        #expect(json.readings == [Reading(device: "d1", time: receiveTime, fields: ["a": .integer(1)])])
        let gateway = message(.auto, #"{"Device A":[{"ts":1764000000000,"values":{"a":1}}]}"#, topic: "v1/gateway/telemetry")
        #expect(gateway.readings == [Reading(device: "Device A", time: receiveTime, fields: ["a": .integer(1)])])
        let senml = message(.auto, bytes(hex: "81a3 21 6164 00 6161 02 01"))
        #expect(senml.readings == [Reading(device: "d", time: nil, fields: ["a": .integer(1)])])
        let tasmota = message(.auto, "Online", topic: "tele/plug/LWT")
        #expect(tasmota.readings == [Reading(device: "plug", time: nil, fields: ["$state": .string("online")])])
        let zigbee = message(.auto, #"{"a":1}"#, topic: "zigbee2mqtt/lamp")
        #expect(zigbee.readings.map(\.device) == ["lamp"])
        #expect(message(.auto, bytes(hex: "a16161 01"), device: "d").readings.map(\.device) == ["d"])
    }

    @Test func theSameMessageMeansTheSameWhateverCameBefore() {
        var decoder = PayloadDecoder(DialectOptions(format: .auto)) { _ in nil }
        let payloads = [#"{"a":1}"#, #"[{"n":"d/a","v":1}]"#, "{broken", #"{"A":[{"ts":1764000000000,"values":{"a":1}}]}"#, "hello"]
        let alone = payloads.map { message(.auto, $0).outcome }
        for _ in 0..<3 {
            for (payload, outcome) in zip(payloads, alone) { #expect(decode(Array(payload.utf8), with: &decoder).outcome == outcome) }
        }
    }
}

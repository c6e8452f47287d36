import Dialects
import Telemetry
import Testing

/// `$state` is written by births and deaths alone.
@Suite struct ReservedFieldTests {
    @Test(
        arguments: [
            (.json, #"{"t":1,"$state":"offline"}"#), (.json, #"{"$state":null,"t":1}"#), (.thingsboard, #"{"$state":1}"#),
            (.senml, #"[{"n":"$state","v":1}]"#), (.csv, "t,$state\n1,up"), (.auto, #"{"$state":"on"}"#),
        ] as [(PayloadFormat, String)])
    func aPayloadCannotWriteTheState(_ format: PayloadFormat, _ payload: String) {
        let rejection = Listener(format).hear(payload, device: "d").rejection
        #expect(rejection?.reason == .badValue)
        // Formats of several lines say before it where it stands.
        let sentence = "field \"$state\": the name is reserved for the state of the device's connection"
        #expect(rejection?.detail.hasSuffix(sentence) == true, "\(String(describing: rejection))")
    }

    @Test func norCanATopicOrALineOrAMetric() {
        #expect(Listener(.value).hear("1", device: "d", field: "$state").rejection?.reason == .badValue)
        let lines = Listener(.lineProtocol) { $0.measurement = .drop }
        #expect(lines.hear("m,device=d $state=1").rejection?.reason == .badValue)
        #expect(lines.hear("m,device=d state=1").readings.first?.fields == ["state": .double(1)])
        let metric = SparkplugPayloadText(time: birthTime, sequence: 0, metrics: [.init("$state", type: 3, .int(1))])
        #expect(Listener(.sparkplugB).hear("NDATA", metric.bytes).rejection?.reason == .badValue)
        #expect(Listener(.cbor).hear([0xA1, 0x66] + Array("$state".utf8) + [0x01], device: "d").rejection?.reason == .badValue)
    }

    @Test func partsOfNamesAreFree() {
        let fields = Listener(.json).hear(#"{"a":{"$state":1},"$states":2}"#, device: "d").readings.first?.fields
        #expect(fields == ["a.$state": .integer(1), "$states": .integer(2)])
    }
}

import Dialects
import Telemetry
import Testing

@Suite struct ThingsBoardTests {
    /// Source: https://thingsboard.io/docs/reference/mqtt-api/telemetry/
    @Test func aDeviceUploadsWithTimesOrWithout() {
        let flat = message(.thingsboard, #"{"temperature": 22.5, "humidity": 61}"#, topic: "v1/devices/7/telemetry", device: "7")
        let fields: [String: FieldValue] = ["temperature": .double(22.5), "humidity": .integer(61)]
        #expect(flat.readings == [Reading(device: "7", time: nil, fields: fields)])

        let timed = message(.thingsboard, #"{"ts": 1451649600512, "values": {"temperature": 22.5, "humidity": 61}}"#, device: "7")
        #expect(timed.readings == [Reading(device: "7", time: time("2016-01-01T12:00:00.512Z"), fields: fields)])

        let list = message(
            .thingsboard,
            """
            [ {"ts": 1451649600000, "values": {"temperature": 22.5, "humidity": 61}},
              {"ts": 1451649601000, "values": {"temperature": 22.7, "humidity": 60}}]
            """, device: "7")
        #expect(
            list.readings == [
                Reading(device: "7", time: time("2016-01-01T12:00:00Z"), fields: fields),
                Reading(device: "7", time: time("2016-01-01T12:00:01Z"), fields: ["temperature": .double(22.7), "humidity": .integer(60)]),
            ])
        #expect(message(.thingsboard, #"[{"key1":"value1"}, {"key2":true}]"#, device: "7").readings.count == 2)
        let untimed = message(.thingsboard, #"{"values": {"a": {"b": 1}}}"#, device: "7")
        #expect(untimed.readings == [Reading(device: "7", time: nil, fields: ["a.b": .integer(1)])])
    }

    @Test func keysThatMeanSomethingElsewhereAreTelemetryHere() {
        let decoded = message(.thingsboard, #"{"time":"noon","device":"x","fields":{"a":1},"values":2}"#, device: "7")
        let fields: [String: FieldValue] = [
            "time": .string("noon"), "device": .string("x"), "fields.a": .integer(1), "values": .integer(2),
        ]
        #expect(decoded.readings == [Reading(device: "7", time: nil, fields: fields)])
        #expect(message(.thingsboard, #"{"device":"x","a":1}"#).rejection?.reason == .noDevice)
    }

    /// Source: https://thingsboard.io/docs/reference/gateway-api/telemetry/
    @Test func aGatewaysKeysAreDevices() {
        let payload = """
            {
              "Device A": [
                {"ts": 1483228800000, "values": {"temperature": 42, "humidity": 80}},
                {"ts": 1483228801000, "values": {"temperature": 43, "humidity": 82}}
              ],
              "Device B": [
                {"ts": 1483228800000, "values": {"temperature": 42, "humidity": 80}}
              ]
            }
            """
        let first = time("2017-01-01T00:00:00Z")
        let fields: [String: FieldValue] = ["temperature": .integer(42), "humidity": .integer(80)]
        let expected = [
            Reading(device: "Device A", time: first, fields: fields),
            Reading(
                device: "Device A", time: time("2017-01-01T00:00:01Z"), fields: ["temperature": .integer(43), "humidity": .integer(82)]),
            Reading(device: "Device B", time: first, fields: fields),
        ]
        #expect(message(.thingsboardGateway, payload, topic: "v1/gateway/telemetry").readings == expected)
        let gateway = message(.thingsboardGateway, payload, fields: [("gateway", "g1")])
        #expect(gateway.readings.map { $0.fields["gateway"] } == Array(repeating: .string("g1"), count: 3))
    }

    @Test func aGatewaysReadingsNeedNoList() {
        let decoded = message(.thingsboardGateway, #"{"A":{"values":{"a":1}},"B":{"b":true},"C":[]}"#)
        #expect(
            decoded.readings == [
                Reading(device: "A", time: nil, fields: ["a": .integer(1)]), Reading(device: "B", time: nil, fields: ["b": .boolean(true)]),
            ])
    }

    @Test(arguments: [
        (#"{"A":5}"#, RejectReason.undecodable), (#"[{"A":[]}]"#, .undecodable), ("{}", .noFields), (#"{"A":[]}"#, .noFields),
        (#"{"":[{"a":1}]}"#, .noDevice), (#"{"A":[{"a":1}],"B":[{"ts":"x","a":1}]}"#, .badTime), (#"{"A":[{"a":1},{}]}"#, .noFields),
    ])
    func aMessageIsStoredWholeOrNotAtAll(_ payload: String, _ reason: RejectReason) {
        let decoded = message(.thingsboardGateway, payload)
        #expect(decoded.rejection?.reason == reason)
    }

    @Test func aDeviceInTheTopicOfAGatewayIsRefused() {
        let decoded = message(.thingsboardGateway, #"{"A":[{"a":1}]}"#, device: "gateway")
        #expect(decoded.rejection?.reason == .noDevice)
        #expect(decoded.rejection?.detail.contains("{gateway}") == true)
    }
}

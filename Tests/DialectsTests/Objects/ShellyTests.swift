import Dialects
import Telemetry
import Testing

@Suite struct ShellyTests {
    private func shelly(_ topic: String, _ payload: String, device: String? = nil) -> DecodedMessage {
        message(.shelly, payload, topic: topic, device: device)
    }

    /// Source: https://shelly-api-docs.shelly.cloud/gen1/#shelly1-1pm-mqtt and the pages of the other devices
    @Test(arguments: [
        ("shellies/shellyplug-s-040BAD/relay/0/energy", "1234", "relay.0.energy", FieldValue.integer(1234)),
        ("shellies/shellyem-B9F4/emeter/0/power", "56.70", "emeter.0.power", .double(56.7)),
        ("shellies/shelly1pm-84CC/relay/0", "on", "relay.0", .boolean(true)),
        ("shellies/shelly1pm-84CC/relay/0", "off", "relay.0", .boolean(false)),
        ("shellies/shelly1pm-84CC/relay/0", "overpower", "relay.0", .string("overpower")),
        ("shellies/shellyht-F3/sensor/temperature", "21.25", "sensor.temperature", .double(21.25)),
        ("shellies/shelly1pm-84CC/overtemperature", "0", "overtemperature", .integer(0)),
        ("shellies/shellydw2-73/sensor/state", "open", "sensor.state", .string("open")),
        ("shellies/shellyflood-1/sensor/flood", "true", "sensor.flood", .boolean(true)),
    ])
    func gen1SendsOneValueATopic(_ topic: String, _ payload: String, _ field: String, _ value: FieldValue) {
        let device = String(topic.split(separator: "/")[1])
        let expected = Reading(device: device, time: nil, fields: [field: value])
        #expect(shelly(topic, payload).readings == [expected])
        #expect(shelly(topic, payload, device: device).readings == [expected])
    }

    @Test func gen1SendsObjectsToo() {
        let event = shelly("shellies/shellyix3-9/input_event/0", #"{"event":"SS","event_cnt":4}"#)
        let fields: [String: FieldValue] = ["input_event.0.event": .string("SS"), "input_event.0.event_cnt": .integer(4)]
        #expect(event.readings == [Reading(device: "shellyix3-9", time: nil, fields: fields)])
    }

    @Test(arguments: [("true", "online"), ("false", "offline")])
    func onlineIsTheDevicesState(_ payload: String, _ state: String) {
        let fields: [String: FieldValue] = ["$state": .string(state)]
        #expect(shelly("shellies/shellyht-F3/online", payload).readings == [Reading(device: "shellyht-F3", time: nil, fields: fields)])
        let gen2 = shelly("house/shellypro4pm-f008d1d8b8b8/online", payload)
        #expect(gen2.readings == [Reading(device: "house/shellypro4pm-f008d1d8b8b8", time: nil, fields: fields)])
        #expect(shelly("shellies/shellyht-F3/online", "perhaps").rejection?.reason == .undecodable)
    }

    /// Source: https://shelly-api-docs.shelly.cloud/gen2/ComponentsAndServices/Switch
    @Test func gen2SendsTheStatusOfAComponent() {
        let payload = """
            {"id":0,"source":"WS_in","output":false,"apower":0,"voltage":225.9,"current":0,
             "aenergy":{"total":11.679,"by_minute":[0,0,0],"minute_ts":1654511972},"temperature":{"tC":53.3,"tF":127.9}}
            """
        let fields: [String: FieldValue] = [
            "switch.0.source": .string("WS_in"), "switch.0.output": .boolean(false), "switch.0.apower": .integer(0),
            "switch.0.voltage": .double(225.9), "switch.0.current": .integer(0), "switch.0.aenergy.total": .double(11.679),
            "switch.0.aenergy.by_minute.0": .integer(0), "switch.0.aenergy.by_minute.1": .integer(0),
            "switch.0.aenergy.by_minute.2": .integer(0), "switch.0.aenergy.minute_ts": .integer(1_654_511_972),
            "switch.0.temperature.tC": .double(53.3), "switch.0.temperature.tF": .double(127.9),
        ]
        let expected = Reading(device: "shellypro4pm-f008d1d8b8b8", time: nil, fields: fields)
        #expect(shelly("shellypro4pm-f008d1d8b8b8/status/switch:0", payload).readings == [expected])
        let named = shelly("home/plug/status/switch:0", payload, device: "plug")
        #expect(named.readings == [Reading(device: "plug", time: nil, fields: fields)])
    }

    /// Source: https://shelly-api-docs.shelly.cloud/gen2/General/Notifications
    @Test func gen2NotifiesOfAStatus() {
        let changed = shelly(
            "shellypro4pm-f008d1d8b8b8/events/rpc",
            """
            {"src":"shellypro4pm-f008d1d8b8b8","dst":"user_1","method":"NotifyStatus","params":{"ts":1631186545.04,
             "switch:0":{"id":0,"output":true,"source":"button"}}}
            """)
        let fields: [String: FieldValue] = ["switch.0.output": .boolean(true), "switch.0.source": .string("button")]
        let at = time("2021-09-09T11:22:25.040Z")
        #expect(changed.readings == [Reading(device: "shellypro4pm-f008d1d8b8b8", time: at, fields: fields)])

        let full = shelly(
            "shellyplusht-b8d61a8b17cc/events/rpc",
            """
            {"src":"shellyplusht-b8d61a8b17cc","dst":"shellyplusht-b8d61a8b17cc/events","method":"NotifyFullStatus","params":{
             "ts":1680962879.62,"temperature:0":{"id":0,"tC":19.8,"tF":67.6},"humidity:0":{"id":0,"rh":42.2},"cloud":{"connected":false}}}
            """)
        let fullFields: [String: FieldValue] = [
            "temperature.0.tC": .double(19.8), "temperature.0.tF": .double(67.6), "humidity.0.rh": .double(42.2),
            "cloud.connected": .boolean(false),
        ]
        #expect(
            full.readings == [Reading(device: "shellyplusht-b8d61a8b17cc", time: time("2023-04-08T14:07:59.620Z"), fields: fullFields)])
    }

    /// Source: https://shelly-api-docs.shelly.cloud/gen2/General/Notifications
    @Test func gen2NotifiesOfEvents() {
        let decoded = shelly(
            "shellyplusi4-1/events/rpc",
            """
            {"src":"shellyplusi4-1","dst":"x","method":"NotifyEvent","params":{"ts":1631266595.43,"events":[
             {"component":"input:0","id":0,"event":"single_push","ts":1631266595.43},{"component":"sys","event":"scheduled_restart"}]}}
            """)
        let at = time("2021-09-10T09:36:35.430Z")
        #expect(
            decoded.readings == [
                Reading(device: "shellyplusi4-1", time: at, fields: ["input.0.event": .string("single_push")]),
                Reading(device: "shellyplusi4-1", time: at, fields: ["sys.event": .string("scheduled_restart")]),
            ])
    }

    @Test(arguments: ["1.43", "null"]) func aDeviceThatDoesNotKnowTheTimeHasTheTimeOfReceipt(_ value: String) {
        let payload = "{\"method\":\"NotifyStatus\",\"params\":{\"ts\":\(value),\"sys\":{\"uptime\":1}}}"
        #expect(shelly("a/events/rpc", payload).readings == [Reading(device: "a", time: nil, fields: ["sys.uptime": .integer(1)])])
    }

    @Test(arguments: [
        ("shellies/shelly1-1/announce", #"{"id":"shelly1-1"}"#), ("shellies/announce", "{}"), ("shellies/command", "announce"),
        ("shellies/shelly1-1/relay/0/command", "on"), ("shellies/shelly1-1/info", "{}"), ("shellyplus1-1/rpc", "{}"),
        ("shellyplus1-1/command/switch:0", "on"), ("shellyplus1-1/events/ble", "{}"),
        ("shellyplus1-1/events/rpc", #"{"method":"NotifyOther","params":{}}"#), ("shellies/shellydimmer-1/light/0/set", "{}"),
    ])
    func whatIsNoTelemetryIsIgnored(_ topic: String, _ payload: String) { #expect(shelly(topic, payload).isIgnored) }

    @Test(arguments: [
        ("a/b/c", "1", RejectReason.noDevice), ("a/events/rpc", "{}", .undecodable), ("a/events/rpc", "on", .undecodable),
        ("a/events/rpc", #"{"method":"NotifyStatus","params":{"ts":"x","sys":{"a":1}}}"#, .badTime),
        ("a/events/rpc", #"{"method":"NotifyStatus","params":{"ts":1631186545.04}}"#, .noFields),
        ("a/events/rpc", #"{"method":"NotifyEvent","params":{"events":[{"event":"x"}]}}"#, .undecodable),
        ("a/status/switch:0", "{", .undecodable), ("a/status/switch:", #"{"a":1}"#, .undecodable), ("shellies/a/relay/0", "", .undecodable),
    ])
    func whatIsMalformedIsRefused(_ topic: String, _ payload: String, _ reason: RejectReason) {
        #expect(shelly(topic, payload).rejection?.reason == reason)
    }
}

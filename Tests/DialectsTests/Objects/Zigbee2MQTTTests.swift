import Dialects
import Telemetry
import Testing

/// Source: https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html
@Suite struct Zigbee2MQTTTests {
    private func zigbee(_ topic: String, _ payload: String, device: String? = nil, field: String? = nil) -> DecodedMessage {
        message(.zigbee2mqtt, payload, topic: topic, device: device, field: field)
    }

    @Test func aDevicesObjectIsAReading() {
        let sensor = zigbee("zigbee2mqtt/0x00158d0001dc126a", #"{"temperature":27.34,"humidity":44.72}"#)
        let fields: [String: FieldValue] = ["temperature": .double(27.34), "humidity": .double(44.72)]
        #expect(sensor.readings == [Reading(device: "0x00158d0001dc126a", time: nil, fields: fields)])
        let lamp = zigbee(
            "zigbee2mqtt/kitchen/floor_light",
            #"{"state":"ON","brightness":215,"color":{"x":0.45,"y":0.41},"update":{"state":"idle"},"action":null}"#)
        let lampFields: [String: FieldValue] = [
            "state": .string("ON"), "brightness": .integer(215), "color.x": .double(0.45), "color.y": .double(0.41),
            "update.state": .string("idle"),
        ]
        #expect(lamp.readings == [Reading(device: "kitchen/floor_light", time: nil, fields: lampFields)])
    }

    @Test(arguments: [#""2019-12-14T15:38:56.796Z""#, #""2019-12-14T16:38:56.796+01:00""#, "1576337936796"])
    func lastSeenIsTheTime(_ value: String) {
        let decoded = zigbee("zigbee2mqtt/lamp", "{\"linkquality\":102,\"last_seen\":\(value)}")
        let expected = Reading(device: "lamp", time: time("2019-12-14T15:38:56.796Z"), fields: ["linkquality": .integer(102)])
        #expect(decoded.readings == [expected])
    }

    @Test(arguments: ["lamp", "kitchen/floor light/left"]) func availabilityIsTheDevicesState(_ name: String) {
        for (payload, state) in [("online", "online"), (#"{"state":"online"}"#, "online"), (#"{"state":"offline"}"#, "offline")] {
            let expected = Reading(device: name, time: nil, fields: ["$state": .string(state)])
            let topic = "zigbee2mqtt/\(name)/availability"
            // Without a template's device, with {device#} and with {device}.
            for device in [nil, "\(name)/availability", name] { #expect(zigbee(topic, payload, device: device).readings == [expected]) }
        }
        #expect(zigbee("zigbee2mqtt/\(name)/availability", #"{"state":1}"#).rejection?.reason == .undecodable)
    }

    @Test func outputByAttributeIsOneFieldAMessage() {
        let brightness = Reading(device: "kitchen/lamp", time: nil, fields: ["brightness": .integer(50)])
        #expect(zigbee("zigbee2mqtt/kitchen/lamp/brightness", "50").readings == [brightness])
        #expect(zigbee("zigbee2mqtt/kitchen/lamp/brightness", "50", device: "kitchen/lamp/brightness").readings == [brightness])
        #expect(zigbee("zigbee2mqtt/kitchen/lamp/brightness", "50", device: "kitchen/lamp", field: "brightness").readings == [brightness])
        #expect(zigbee("zigbee2mqtt/lamp/state", "ON").readings == [Reading(device: "lamp", time: nil, fields: ["state": .string("ON")])])
        #expect(zigbee("zigbee2mqtt/lamp", "50").rejection?.reason == .noDevice)
    }

    @Test(arguments: [
        "zigbee2mqtt/lamp/set", "zigbee2mqtt/kitchen/lamp/set/brightness", "zigbee2mqtt/lamp/get", "zigbee2mqtt/lamp/get/state",
        "zigbee2mqtt/bridge/state", "zigbee2mqtt/bridge/response/device/rename", "zigbee2mqtt/bridge/availability",
    ])
    func commandsAndTheBridgeAreIgnored(_ topic: String) {
        #expect(zigbee(topic, #"{"state":"ON"}"#).isIgnored)
        let rest = String(topic.dropFirst("zigbee2mqtt/".count))
        #expect(zigbee(topic, #"{"state":"ON"}"#, device: rest).isIgnored)
    }
}

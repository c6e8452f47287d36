import ArgumentParser

/// What the simulated devices speak. Each case names the document its messages are modelled on.
enum Dialect: String, CaseIterable, Codable, Sendable, ExpressibleByArgument {
    /// A flat object with the time in µs; several readings are a list of such objects.
    case json
    /// ThingsBoard's device API, "Telemetry upload": `{"ts":ms,"values":{…}}`.
    case thingsboard
    /// ThingsBoard's gateway API: `{"device":[{"ts":ms,"values":{…}}]}`.
    case thingsboardGateway = "thingsboard-gateway"
    /// InfluxDB line protocol, times in ns; a line a reading.
    case lineProtocol = "line-protocol"
    /// RFC 8428, JSON.
    case senml
    /// One number a topic: the counter of an energy meter, kWh. No time.
    case value
    /// A heading line and a line a reading, times in ms.
    case csv
    /// The object of `json` in CBOR (RFC 8949).
    case cbor
    /// Tasmota `tele/…/SENSOR` of an AM2301 and a battery.
    case tasmota
    /// Zigbee2MQTT's object of a temperature and humidity sensor.
    case zigbee2mqtt
    /// Shelly Gen2 `NotifyStatus` of an H&T.
    case shelly
    /// Homie 4: one property a topic, retained, announced before.
    case homie
    /// Sparkplug B 3.0: each connection is an edge node with births, aliases, sequence numbers and a death certificate.
    case sparkplugB = "sparkplug-b"

    /// What such devices publish to; `{device}` and `{connection}` are replaced. The presets in `configs/mappings` take these.
    var topic: String {
        switch self {
        case .json: "devices/{device}/telemetry"
        case .thingsboard: "v1/devices/{device}/telemetry"
        case .thingsboardGateway: "v1/gateway/telemetry"
        case .lineProtocol: "telegraf/{device}/environment"
        case .senml: "senml/{device}"
        case .value: "sensors/{device}/energy"
        case .csv: "logger/{device}/csv"
        case .cbor: "devices/{device}/cbor"
        case .tasmota: "tele/{device}/SENSOR"
        case .zigbee2mqtt: "zigbee2mqtt/{device}"
        case .shelly: "{device}/events/rpc"
        case .homie: "homie/{device}/climate/temperature"
        case .sparkplugB: "spBv1.0/gaugehouse-load/DDATA/edge-{connection}/{device}"
        }
    }

    /// Whether the payload names the device, so that the topic need not.
    var namesDevice: Bool { self == .thingsboardGateway || self == .lineProtocol || self == .senml }

    /// Whether a topic of these devices is fixed by the specification.
    var hasFixedTopic: Bool { self == .sparkplugB || self == .homie }

    /// Whether a message may carry more than one reading.
    var allowsSeveralReadings: Bool {
        switch self {
        case .json, .thingsboard, .thingsboardGateway, .lineProtocol, .senml, .csv, .cbor, .sparkplugB: true
        case .value, .tasmota, .zigbee2mqtt, .shelly, .homie: false
        }
    }

    /// Whether the payload carries its reading's time, so that the same message twice is one reading.
    var isTimed: Bool { self != .value && self != .homie }

    /// Whether a reading says its sequence number, from which all of it can be made again.
    var isVerifiable: Bool {
        switch self {
        case .json, .thingsboard, .thingsboardGateway, .lineProtocol, .senml, .value, .csv, .cbor: true
        case .tasmota, .zigbee2mqtt, .shelly, .homie, .sparkplugB: false
        }
    }

    /// Finest step of the payload's times, µs. Every reading of a device has a time of its own in this step.
    var granularity: Int64 {
        switch self {
        case .json, .lineProtocol, .cbor, .value, .homie: 1
        case .thingsboard, .thingsboardGateway, .senml, .csv, .zigbee2mqtt, .sparkplugB: 1_000
        case .shelly: 10_000
        case .tasmota: 1_000_000
        }
    }

    var isRetained: Bool { self == .homie }
}

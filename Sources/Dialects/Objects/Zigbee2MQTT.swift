import Telemetry

/// `zigbee2mqtt`: `zigbee2mqtt/<friendly name>` with an object or, with output by attribute, `…/<attribute>` with a value.
///
/// `last_seen` is the time. Friendly names may have several levels: the template is `zigbee2mqtt/{device#}`, and what is behind the name
/// is taken off here. Without a device in the template it is all behind the first level.
/// Source: https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html
extension ObjectReader {
    private static let zigbee2mqtt = ObjectShape.flat(timeKey: "last_seen")

    mutating func zigbee2mqtt(_ message: InboundMessage, into batch: inout ReadingBatch) throws(Rejection) -> DecodeOutcome {
        let topic = TopicPath(message.topic)
        var origin = message.origin
        var device = TopicPath(origin.device ?? topic.rest.bytes)
        if device.first == "bridge" { return .ignored("a message of the bridge") }
        if Self.isCommand(topic.last) || Self.isCommand(topic.parent.last) { return .ignored("a command to the device") }
        let payload = message.payload.trimmed
        if topic.last == "availability" {
            if device.last == "availability" { device = device.parent }
            origin.device = device.bytes
            start(origin, in: batch)
            return try appendState(isOnline: isOnline(payload), device: nil, into: &batch)
        }
        if payload.first == UInt8(ascii: "{") {
            let root = try jsonParser.parse(message.payload, isPadded: true)
            origin.device = device.bytes
            start(origin, in: batch)
            try read(root, as: Self.zigbee2mqtt, into: &batch)
            return try builder.outcome(in: batch)
        }
        let field = origin.field ?? topic.last
        if origin.field == nil, device.last.elementsEqual(field) { device = device.parent }
        origin.device = device.bytes
        start(origin, in: batch)
        try builder.begin(device: nil, time: nil, in: &batch)
        try push(field)
        try appendLoneValue(payload, into: &batch)
        try builder.end(in: &batch)
        return try builder.outcome(in: batch)
    }

    private static func isCommand(_ level: UnsafeRawBufferPointer) -> Bool { level == "set" || level == "get" }

    /// `online`, or `{"state":"online"}`.
    private mutating func isOnline(_ payload: UnsafeRawBufferPointer) throws(Rejection) -> Bool {
        var word = payload
        if payload.first == UInt8(ascii: "{") {
            word = try jsonParser.parse(payload, isPadded: true).member("state")?.text ?? payload
        }
        if word == "online" { return true }
        guard word == "offline" else { throw Rejection(.undecodable, "\"\(excerpt(word))\": neither online nor offline") }
        return false
    }
}

import Telemetry

/// `tasmota`: `tele/<device>/SENSOR`, `STATE`, `LWT`, and the answers below `stat/<device>/`.
///
/// Times are local and mostly carry no zone: without the subscription's `time_zone` they are left out, as are those of a clock that has
/// not been set. Where the topic template names no device it is the level before the last.
/// Source: https://tasmota.github.io/docs/MQTT/ and https://tasmota.github.io/docs/JSON-Status-Responses/
extension ObjectReader {
    private static let tasmota = ObjectShape.flat(timeKey: "Time", hasDoubtfulTimes: true)

    mutating func tasmota(_ message: InboundMessage, into batch: inout ReadingBatch) throws(Rejection) -> DecodeOutcome {
        let topic = TopicPath(message.topic)
        if topic.hasLevel("cmnd") { return .ignored("a command to the device") }
        if topic.first == "tasmota", topic.rest.first == "discovery" { return .ignored("a description of the device") }
        let kind = topic.last
        if kind.starts(with: "INFO") { return .ignored("a description of the device") }
        let device = Self.tasmotaDevice(topic)
        let payload = message.payload.trimmed
        start(message.origin, in: batch)
        if kind == "LWT" {
            let isOnline = payload.equalsIgnoringCase("online")
            guard isOnline || payload.equalsIgnoringCase("offline") else {
                throw Rejection(.undecodable, "\"\(excerpt(payload))\": neither Online nor Offline")
            }
            return try appendState(isOnline: isOnline, device: device, into: &batch)
        }
        guard payload.first == UInt8(ascii: "{") else {
            // stat/<device>/POWER: ON
            try builder.begin(device: device, time: nil, in: &batch)
            try push(kind)
            try appendLoneValue(payload, into: &batch)
            try builder.end(in: &batch)
            return try builder.outcome(in: batch)
        }
        let root = try jsonParser.parse(message.payload, isPadded: true)
        guard kind.starts(with: "STATUS") else {
            try read(root, as: Self.tasmota, device: device, into: &batch)
            return try builder.outcome(in: batch)
        }
        // The answer to a query of sensors or state is what the device would have sent by itself.
        let answers = [root.member("StatusSNS"), root.member("StatusSTS")]
        for answer in answers { if let answer { try read(answer, as: Self.tasmota, device: device, into: &batch) } }
        return answers.allSatisfy { $0 == nil } ? .ignored("an answer about the device's settings") : try builder.outcome(in: batch)
    }

    /// `tele/<device>/SENSOR` or `<device>/tele/SENSOR`.
    private static func tasmotaDevice(_ topic: TopicPath) -> UnsafeRawBufferPointer? {
        var path = topic.parent
        if path.last == "tele" || path.last == "stat" { path = path.parent }
        return path.isEmpty ? nil : path.last
    }
}

import Telemetry

/// `thingsboard` and `thingsboard-gateway`: telemetry as ThingsBoard's devices and gateways upload it.
/// Source: https://thingsboard.io/docs/reference/mqtt-api/telemetry/ and https://thingsboard.io/docs/reference/gateway-api/telemetry/
extension ObjectReader {
    private static let thingsboard = ObjectShape(timeKey: .named("ts"), envelope: .values, hasDeviceKey: false)

    /// `{"ts":…,"values":{…}}`, a flat object, or a list of these.
    mutating func thingsboard(_ message: InboundMessage, into batch: inout ReadingBatch) throws(Rejection) -> DecodeOutcome {
        let root = try jsonParser.parse(message.payload, isPadded: true)
        start(message.origin, in: batch)
        try readAll(root, as: Self.thingsboard, into: &batch)
        return try builder.outcome(in: batch)
    }

    /// `{"Device A":[{"ts":…,"values":{…}}],"Device B":{…}}`: the keys name the devices.
    ///
    /// A device in the topic would be the gateway; were it to win as it does everywhere else, all devices would become one, so that such a
    /// message is refused.
    mutating func thingsboardGateway(_ message: InboundMessage, into batch: inout ReadingBatch) throws(Rejection) -> DecodeOutcome {
        guard message.origin.device == nil else {
            throw Rejection(.noDevice, "the payload names the devices: take {device} out of the topic template, or call it {gateway}")
        }
        let root = try jsonParser.parse(message.payload, isPadded: true)
        guard root.kind == .object else { throw Rejection(.undecodable, "not an object of devices") }
        start(message.origin, in: batch)
        for (device, readings) in root.members {
            try readAll(readings, as: Self.thingsboard, device: device.text, into: &batch)
        }
        return try builder.outcome(in: batch)
    }

    /// Whether an object looks like a gateway's: each key has a list of, or is, `{"ts":…,"values":{…}}`.
    static func isThingsBoardGateway(_ root: TapeValue) -> Bool {
        var deviceCount = 0
        for (_, value) in root.members {
            let reading = value.kind == .array ? value.elements.first { _ in true } : value
            guard let reading, reading.member("values")?.kind == .object, reading.member("ts")?.number != nil else { return false }
            deviceCount += 1
        }
        return deviceCount > 0
    }
}

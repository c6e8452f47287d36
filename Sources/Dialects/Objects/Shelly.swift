import Telemetry

/// `shelly`: Gen1 below `shellies/<device>/`, one value a topic; Gen2 and later below `<device>/`, status and RPC notifications.
///
/// The levels behind the device name the field, joined by dots, and so do component and number: `relay/0/power` is `relay.0.power`,
/// `switch:0` with `apower` is `switch.0.apower`. Without a device in the topic template it is found by these rules.
/// Source: https://shelly-api-docs.shelly.cloud/gen1/#mqtt and https://shelly-api-docs.shelly.cloud/gen2/General/Notifications
extension ObjectReader {
    /// Of notifications. A device that has not been told the time counts from its start.
    private static let notification = ObjectShape.flat(timeKey: "ts", hasDoubtfulTimes: true)

    mutating func shelly(_ message: InboundMessage, into batch: inout ReadingBatch) throws(Rejection) -> DecodeOutcome {
        let topic = TopicPath(message.topic)
        let (device, path) = try Self.shellyParts(of: topic, device: message.origin.device)
        let payload = message.payload.trimmed
        start(message.origin, in: batch)
        if path.isEmpty { return .ignored("a message to or from all devices") }
        if path.bytes == "online" {
            let isOnline = payload == "true" || payload == "online"
            guard isOnline || payload == "false" || payload == "offline" else {
                throw Rejection(.undecodable, "\"\(excerpt(payload))\": neither true nor false")
            }
            return try appendState(isOnline: isOnline, device: device, into: &batch)
        }
        if path.bytes == "events/rpc" { return try shellyNotification(message, device: device, into: &batch) }
        if Self.isNoTelemetry(path) { return .ignored("a command, an answer, or a description of the device") }
        if path.first == "status", !path.rest.isEmpty {
            let root = try jsonParser.parse(message.payload, isPadded: true)
            try builder.begin(device: device, time: nil, in: &batch)
            try appendComponent(path.rest.bytes, root, into: &batch)
        } else {
            try builder.begin(device: device, time: nil, in: &batch)
            try appendShellyValue(path, field: message.origin.field, payload, into: &batch)
        }
        try builder.end(in: &batch)
        return try builder.outcome(in: batch)
    }

    /// The device, and the levels behind it.
    private static func shellyParts(
        of topic: TopicPath, device: UnsafeRawBufferPointer?
    ) throws(Rejection) -> (device: UnsafeRawBufferPointer, path: TopicPath) {
        if let device { return (device, topic.rest(behind: device) ?? topic.rest) }
        if topic.first == "shellies" { return (topic.rest.first, topic.rest.rest) }
        var path = topic.rest
        while !path.isEmpty {
            let level = path.first
            if level == "status" || level == "events" || level == "online" || isNoTelemetry(path) {
                return (topic.prefix(before: path).bytes, path)
            }
            path = path.rest
        }
        throw Rejection(.noDevice, "the topic is none that a Shelly sends to")
    }

    private static func isNoTelemetry(_ path: TopicPath) -> Bool {
        switch path.first {
        case let level where level == "announce" || level == "info" || level == "settings": true
        case let level where level == "command" || level == "rpc" || level == "events": true
        default: path.last == "command" || path.last == "set"
        }
    }

    /// Gen1: a number, `on` or `off`, another word, or an object.
    private mutating func appendShellyValue(
        _ path: TopicPath, field: UnsafeRawBufferPointer?, _ payload: UnsafeRawBufferPointer, into batch: inout ReadingBatch
    ) throws(Rejection) {
        if let field {
            try push(field)
        } else {
            var path = path
            while !path.isEmpty {
                try push(path.first)
                path = path.rest
            }
        }
        // Gen2 says the same with true and false.
        if payload == "on" || payload == "off" {
            try builder.append(pathName, boolean: payload == "on", in: &batch)
        } else {
            try appendLoneValue(payload, into: &batch)
        }
    }

    /// `{"src":…,"method":"NotifyStatus","params":{"ts":…,"switch:0":{…}}}`, or `NotifyEvent` with a list of events.
    private mutating func shellyNotification(
        _ message: InboundMessage, device: UnsafeRawBufferPointer, into batch: inout ReadingBatch
    ) throws(Rejection) -> DecodeOutcome {
        let root = try jsonParser.parse(message.payload, isPadded: true)
        guard let method = root.member("method")?.text, let params = root.member("params"), params.kind == .object else {
            throw Rejection(.undecodable, "a notification has a method and params")
        }
        if method == "NotifyStatus" || method == "NotifyFullStatus" {
            try builder.begin(device: device, time: shellyTime(params.member("ts")), in: &batch)
            for (key, value) in params.members {
                guard let name = key.text, !(name == "ts") else { continue }
                try appendComponent(name, value, into: &batch)
                removePath()
            }
            try builder.end(in: &batch)
            return try builder.outcome(in: batch)
        }
        guard method == "NotifyEvent", let events = params.member("events") else { return .ignored("a notification of another kind") }
        for event in events.elements {
            guard let component = event.member("component")?.text else { throw Rejection(.undecodable, "an event without a component") }
            let ownTime = try shellyTime(event.member("ts"))
            let time = try ownTime == nil ? shellyTime(params.member("ts")) : ownTime
            try builder.begin(device: device, time: time, in: &batch)
            try pushComponent(component)
            for (key, value) in event.members {
                guard let name = key.text, !(name == "ts"), !(name == "component"), !(name == "id") else { continue }
                try append(key, value, into: &batch)
            }
            removePath()
            try builder.end(in: &batch)
        }
        return try builder.outcome(in: batch)
    }

    private func shellyTime(_ value: TapeValue?) throws(Rejection) -> Timestamp? {
        guard let value, value.kind != .null else { return nil }
        return try timestamp(value, Self.notification)
    }

    /// The status of a component without its `id`, which its name ends in.
    private mutating func appendComponent(
        _ name: UnsafeRawBufferPointer, _ status: TapeValue, into batch: inout ReadingBatch
    ) throws(Rejection) {
        try pushComponent(name)
        guard status.kind == .object else { return try appendBelow(status, into: &batch) }
        for (key, value) in status.members where key.text.map({ $0 == "id" }) != true {
            try append(key, value, into: &batch)
        }
    }

    /// `switch:0` as `switch.0`.
    private mutating func pushComponent(_ name: UnsafeRawBufferPointer) throws(Rejection) {
        guard let colon = name.firstIndex(of: UInt8(ascii: ":")) else { return try push(name) }
        try push(UnsafeRawBufferPointer(rebasing: name[..<colon]))
        try push(UnsafeRawBufferPointer(rebasing: name[(colon + 1)...]))
    }
}

/// What a connection says before its readings, and what the broker is to say when it is gone.
struct Announcement: Equatable, Sendable {
    var topic: String
    var payload: [UInt8]
    var isRetained: Bool
}

extension PayloadEncoder {
    /// The connection's will, published by the broker at QoS 1 when the connection breaks.
    /// - Parameter session: how many sessions the connection has had before.
    func will(connection: Int, session: Int, time: Int64) -> Announcement? {
        guard dialect == .sparkplugB, template == nil else { return nil }
        var payload: [UInt8] = []
        appendSparkplugNodeDeath(birthNumber: session, time: time, to: &payload)
        return Announcement(topic: Self.sparkplugTopic("NDEATH", connection), payload: payload, isRetained: false)
    }

    /// In the order they are to be sent; Sparkplug's sequence numbers count them.
    func announcements(connection: Int, session: Int, time: Int64) -> [Announcement] {
        guard template == nil else { return [] }
        let devices = stride(from: connection, to: fleet.deviceCount, by: fleet.connectionCount)
        switch dialect {
        case .sparkplugB:
            var payload: [UInt8] = []
            appendSparkplugNodeBirth(birthNumber: session, time: time, to: &payload)
            let node = Announcement(topic: Self.sparkplugTopic("NBIRTH", connection), payload: payload, isRetained: false)
            return [node]
                + devices.enumerated().map { position, device in
                    var payload: [UInt8] = []
                    let readings = MessageReadings(device: device, sequence: 0, count: 1, time: time, step: 0)
                    appendSparkplugBirth(readings, ordinal: position + 1, to: &payload)
                    let topic = Self.sparkplugTopic("DBIRTH", connection) + "/" + naming.name(of: device)
                    return Announcement(topic: topic, payload: payload, isRetained: false)
                }
        case .homie: return devices.flatMap { homie(naming.name(of: $0)) }
        default: return []
        }
    }

    /// What the connection says before it closes in order: the broker then keeps its will to itself.
    func farewells(connection: Int, session: Int, time: Int64) -> [Announcement] {
        guard template == nil, dialect == .homie else {
            return will(connection: connection, session: session, time: time).map { [$0] } ?? []
        }
        return stride(from: connection, to: fleet.deviceCount, by: fleet.connectionCount).map { device in
            Announcement(topic: "homie/\(naming.name(of: device))/$state", payload: Array("disconnected".utf8), isRetained: true)
        }
    }

    private static func sparkplugTopic(_ type: String, _ connection: Int) -> String {
        "spBv1.0/gaugehouse-load/\(type)/edge-\(connection)"
    }

    /// Source: homieiot.github.io/specification/spec-core-v4_0_0. The will (`$state` lost) is missing: a connection has one will and
    /// many devices.
    private func homie(_ name: String) -> [Announcement] {
        let properties = [
            ("$homie", "4.0.0"), ("$name", name), ("$nodes", "climate"), ("$extensions", ""), ("climate/$name", "Climate"),
            ("climate/$type", "sensor"), ("climate/$properties", "temperature"), ("climate/temperature/$name", "Temperature"),
            ("climate/temperature/$datatype", "float"), ("climate/temperature/$unit", "°C"), ("$state", "ready"),
        ]
        return properties.map { Announcement(topic: "homie/\(name)/\($0.0)", payload: Array($0.1.utf8), isRetained: true) }
    }
}

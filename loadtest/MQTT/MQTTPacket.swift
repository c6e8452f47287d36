/// The few MQTT 3.1.1 packets a publisher sends. Source: OASIS MQTT 3.1.1, sections 2 and 3.
enum MQTTPacket {
    struct Credentials: Sendable {
        var username: String
        var password: String?
    }

    /// Largest body the remaining-length field can tell.
    static let maximumRemainingLength = 268_435_455

    static func appendConnect(
        clientID: String, keepAliveSeconds: UInt16, credentials: Credentials?, will: Announcement? = nil, to bytes: inout [UInt8]
    ) {
        var body: [UInt8] = []
        append(string: "MQTT", to: &body)
        body.append(4)  // protocol level of 3.1.1
        // Clean session: a QoS 1 receiver keeps no state per packet id, so a republish with DUP needs no session, and none is left behind.
        var flags: UInt8 = 0b0000_0010
        if let credentials { flags |= credentials.password == nil ? 0b1000_0000 : 0b1100_0000 }
        if will != nil { flags |= 0b0000_1100 }  // a will, at QoS 1
        body.append(flags)
        body.append(bigEndian: keepAliveSeconds)
        append(string: clientID, to: &body)
        if let will {
            append(string: will.topic, to: &body)
            body.append(bigEndian: UInt16(will.payload.count))
            body.append(contentsOf: will.payload)
        }
        if let credentials {
            append(string: credentials.username, to: &body)
            if let password = credentials.password { append(string: password, to: &body) }
        }
        bytes.append(0x10)
        append(remainingLength: body.count, to: &bytes)
        bytes.append(contentsOf: body)
    }

    /// - Parameter packetID: nil for QoS 0, 1...65535 for QoS 1.
    static func appendPublish(
        topic: TopicTemplate, naming: DeviceNaming, device: Int, packetID: UInt16?, isDuplicate: Bool, isRetained: Bool = false,
        payload: [UInt8], to bytes: inout [UInt8]
    ) {
        let topicByteCount = topic.byteCount(naming)
        bytes.append(0x30 | (isDuplicate ? 0x08 : 0) | (packetID == nil ? 0 : 0x02) | (isRetained ? 0x01 : 0))
        append(remainingLength: 2 + topicByteCount + (packetID == nil ? 0 : 2) + payload.count, to: &bytes)
        bytes.append(bigEndian: UInt16(topicByteCount))
        topic.append(device: device, naming: naming, to: &bytes)
        if let packetID { bytes.append(bigEndian: packetID) }
        bytes.append(contentsOf: payload)
    }

    /// QoS 0.
    static func appendPublish(_ announcement: Announcement, to bytes: inout [UInt8]) {
        bytes.append(0x30 | (announcement.isRetained ? 0x01 : 0))
        append(remainingLength: 2 + announcement.topic.utf8.count + announcement.payload.count, to: &bytes)
        append(string: announcement.topic, to: &bytes)
        bytes.append(contentsOf: announcement.payload)
    }

    static func appendPing(to bytes: inout [UInt8]) {
        bytes.append(0xC0)
        bytes.append(0)
    }

    static func appendDisconnect(to bytes: inout [UInt8]) {
        bytes.append(0xE0)
        bytes.append(0)
    }

    static func append(remainingLength: Int, to bytes: inout [UInt8]) {
        var rest = remainingLength
        repeat {
            let digit = UInt8(rest & 0x7F)
            rest >>= 7
            bytes.append(rest > 0 ? digit | 0x80 : digit)
        } while rest > 0
    }

    private static func append(string: String, to bytes: inout [UInt8]) {
        bytes.append(bigEndian: UInt16(string.utf8.count))
        bytes.append(contentsOf: string.utf8)
    }
}

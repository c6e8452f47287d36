/// Cuts the broker's byte stream into the packets a publisher may receive. Bytes come in any portions.
struct MQTTFrameReader {
    enum Frame: Equatable {
        case connectAcknowledged(returnCode: UInt8)
        case published(packetID: UInt16)
        case pong
    }

    /// Nothing a broker sends a publisher is longer; more is a peer that does not speak MQTT.
    private static let maximumFrameByteCount = 5

    private var bytes: [UInt8] = []
    private var head = 0

    mutating func feed(_ portion: UnsafeRawBufferPointer) {
        if head == bytes.count {
            bytes.removeAll(keepingCapacity: true)
            head = 0
        }
        bytes.append(contentsOf: portion)
    }

    /// The next whole packet; nil when more bytes are needed.
    /// - Throws: `.badPeer` for a packet that no publisher may be sent.
    mutating func next() throws(LoadError) -> Frame? {
        let available = bytes.count - head
        guard available >= 2 else { return nil }
        let (type, length) = (bytes[head], Int(bytes[head + 1]))
        guard length + 2 <= Self.maximumFrameByteCount, let frame = Self.shape(of: type), length == frame else {
            throw LoadError(
                .badPeer, "the broker sent an unexpected packet (type byte \(type), length \(length)): is this an MQTT 3.1.1 port?")
        }
        guard available >= 2 + length else { return nil }
        let body = head + 2
        head = body + length
        return switch type {
        case 0x20: .connectAcknowledged(returnCode: bytes[body + 1])
        case 0x40: .published(packetID: UInt16(bytes[body]) << 8 | UInt16(bytes[body + 1]))
        default: .pong
        }
    }

    mutating func reset() {
        bytes.removeAll(keepingCapacity: true)
        head = 0
    }

    /// Body length of CONNACK, PUBACK and PINGRESP; nil for anything else.
    private static func shape(of type: UInt8) -> Int? {
        switch type {
        case 0x20, 0x40: 2
        case 0xD0: 0
        default: nil
        }
    }

    /// What CONNACK return codes 1...5 mean.
    static func refusal(_ returnCode: UInt8) -> String {
        switch returnCode {
        case 1: "protocol version 3.1.1 not accepted"
        case 2: "client id rejected"
        case 3: "server unavailable"
        case 4: "bad user name or password"
        case 5: "not authorised"
        default: "return code \(returnCode)"
        }
    }
}

import Testing

@testable import gaugehouse_load

@Suite("MQTT 3.1.1 packets")
struct MQTTPacketTests {
    @Test("CONNECT carries client id, keep-alive, user and password")
    func connect() {
        var bytes: [UInt8] = []
        MQTTPacket.appendConnect(
            clientID: "ab", keepAliveSeconds: 60, credentials: MQTTPacket.Credentials(username: "u", password: "p"), to: &bytes)
        #expect(bytes == [0x10, 20, 0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 0xC2, 0, 60, 0, 2, 0x61, 0x62, 0, 1, 0x75, 0, 1, 0x70])
    }

    @Test("CONNECT without credentials asks for a clean session only")
    func anonymousConnect() {
        var bytes: [UInt8] = []
        MQTTPacket.appendConnect(clientID: "ab", keepAliveSeconds: 0, credentials: nil, to: &bytes)
        #expect(bytes[9] == 0b0000_0010)
    }

    @Test("PUBLISH carries topic, packet id at QoS 1, and DUP")
    func publish() throws {
        let topic = try #require(TopicTemplate("a/{device}/b"))
        let naming = DeviceNaming(prefix: "d", deviceCount: 100)
        var bytes: [UInt8] = []
        MQTTPacket.appendPublish(
            topic: topic, naming: naming, device: 7, packetID: 0x0102, isDuplicate: true, payload: [1, 2, 3], to: &bytes)
        #expect(bytes == [0x3A, 14, 0, 7] + Array("a/d07/b".utf8) + [1, 2, 1, 2, 3])
        bytes = []
        MQTTPacket.appendPublish(topic: topic, naming: naming, device: 42, packetID: nil, isDuplicate: false, payload: [], to: &bytes)
        #expect(bytes == [0x30, 9, 0, 7] + Array("a/d42/b".utf8))
    }

    @Test("a topic without a device, with the connection in it, and the retain flag")
    func connectionTopic() throws {
        let topic = try #require(TopicTemplate("a/{connection}/c")).resolved(connection: 12)
        var bytes: [UInt8] = []
        MQTTPacket.appendPublish(
            topic: topic, naming: DeviceNaming(prefix: "d", deviceCount: 100), device: 7, packetID: nil, isDuplicate: false,
            isRetained: true, payload: [9], to: &bytes)
        #expect(bytes == [0x31, 9, 0, 6] + Array("a/12/c".utf8) + [9])
        #expect(!topic.hasDevice)
    }

    @Test("CONNECT carries a will at QoS 1")
    func will() {
        var bytes: [UInt8] = []
        let will = Announcement(topic: "w", payload: [1, 2], isRetained: false)
        MQTTPacket.appendConnect(clientID: "c", keepAliveSeconds: 1, credentials: nil, will: will, to: &bytes)
        #expect(bytes[9] == 0b0000_1110)
        #expect(Array(bytes[12...]) == [0, 1, 0x63, 0, 1, 0x77, 0, 2, 1, 2])
    }

    @Test(
        "remaining length takes one to four bytes",
        arguments: [
            (0, [0x00]), (127, [0x7F]), (128, [0x80, 0x01]), (16_383, [0xFF, 0x7F]), (2_097_152, [0x80, 0x80, 0x80, 0x01]),
            (MQTTPacket.maximumRemainingLength, [0xFF, 0xFF, 0xFF, 0x7F]),
        ] as [(Int, [UInt8])])
    func remainingLength(length: Int, expected: [UInt8]) {
        var bytes: [UInt8] = []
        MQTTPacket.append(remainingLength: length, to: &bytes)
        #expect(bytes == expected)
    }

    @Test("frames are cut the same whatever the portions", arguments: 1...9)
    func frames(portion: Int) throws {
        let stream: [UInt8] = [0x20, 2, 0, 0, 0x40, 2, 0x01, 0x02, 0xD0, 0, 0x40, 2, 0xFF, 0xFF]
        var reader = MQTTFrameReader()
        var frames: [MQTTFrameReader.Frame] = []
        for start in stride(from: 0, to: stream.count, by: portion) {
            stream[start..<min(start + portion, stream.count)].withUnsafeBytes { reader.feed($0) }
            while let frame = try reader.next() { frames.append(frame) }
        }
        #expect(frames == [.connectAcknowledged(returnCode: 0), .published(packetID: 0x0102), .pong, .published(packetID: 0xFFFF)])
    }

    @Test("a peer that does not speak MQTT is named", arguments: [Array("HTTP/1.1".utf8), [0x40, 3, 0, 0, 0], [0x30, 0]])
    func badPeer(bytes: [UInt8]) {
        var reader = MQTTFrameReader()
        bytes.withUnsafeBytes { reader.feed($0) }
        let error = #expect(throws: LoadError.self) { try reader.next() }
        #expect(error?.code == .badPeer)
    }

    @Test(
        "a topic template has its device once at most, and no wildcard",
        arguments: ["", "{device}/{device}", "a/+/{device}", "{device}/#"])
    func badTopic(text: String) {
        #expect(TopicTemplate(text) == nil)
    }
}

@Suite("In-flight window")
struct InFlightWindowTests {
    private func message(_ number: Int) -> InFlightMessage {
        InFlightMessage(number: number, time: Int64(number), startNanoseconds: 0, step: 1, isRepeat: false)
    }

    @Test("it is bounded, gives ids back, and knows no foreign id")
    func bounds() {
        var window = InFlightWindow(capacity: 2)
        let (first, second, third) = (window.insert(message(0)), window.insert(message(1)), window.insert(message(2)))
        #expect(first == 1 && second == 2 && third == nil)
        let removed = [1, 1, 60_000, 0].map { window.remove($0) }
        #expect(removed == [message(0), nil, nil, nil])
        let again = window.insert(message(2))
        #expect(again == 1)
        #expect(window.messagesInOrder.map(\.packetID) == [2, 1])
        #expect(window.count == 2)
    }
}

import Foundation
import Synchronization

/// A broker that does what a test says and keeps every byte it gets: for what a real one would never show.
final class ScriptedBroker: Sendable {
    let port: Int
    private let listener: TestSocket
    private let state = Mutex(State())

    private struct State {
        var connection: TestSocket?
        var packets: [[UInt8]] = []
        var segments: [[UInt8]] = []
        var connectVersions: [UInt8] = []
    }

    /// - Parameter acceptsV5: otherwise CONNECT with version 5 is refused as a 3.1.1 broker refuses it.
    /// - Parameter refused: a filter that nobody may subscribe to.
    init(acceptsV5: Bool = true, refused: String? = nil, grantedQoS: UInt8 = 1) throws {
        (listener, port) = try TestSocket.listening()
        Thread.detachNewThread { [listener, weak self] in
            while let connection = listener.accept() {
                self?.serve(connection, acceptsV5: acceptsV5, refused: refused, grantedQoS: grantedQoS)
            }
        }
    }

    deinit { listener.close() }

    /// Protocol versions of the CONNECT packets so far.
    var connectVersions: [UInt8] { state.withLock { $0.connectVersions } }
    /// Packets that have come on the newest connection, without the CONNECT.
    var packets: [[UInt8]] { state.withLock { $0.packets } }
    /// The same as they came out of the socket.
    var segments: [[UInt8]] { state.withLock { $0.segments } }
    var pubacks: [UInt16] { packets.filter { $0[0] == 0x40 }.map { UInt16($0[2]) << 8 | UInt16($0[3]) } }

    /// What was subscribed to on the newest connection, of v5: the identifiers, one of at most four bytes each.
    var subscriptions: [(packet: [UInt8], identifier: Int?)] {
        packets.filter { $0[0] == 0x82 }.map { packet in
            // Type, length, packet id, length of the properties; then the one property.
            guard packet[4] > 0, packet[5] == 0x0B else { return (packet, nil) }
            return (packet, packet[6..<5 + Int(packet[4])].reversed().reduce(0) { $0 << 7 | Int($1 & 127) })
        }
    }

    /// Sends QoS 1 messages with the packet ids from `firstID` in one write.
    func publish(_ payloads: [String], topic: String, firstID: Int = 1, isV5: Bool = true) {
        var bytes: [UInt8] = []
        for (index, payload) in payloads.enumerated() {
            let id = firstID + index
            let body = Self.text(topic) + [UInt8(id >> 8), UInt8(id & 255)] + (isV5 ? [0] : []) + Array(payload.utf8)
            bytes += [0x32] + Self.length(body.count) + body
        }
        state.withLock { $0.connection }?.send(bytes)
    }

    private func serve(_ connection: TestSocket, acceptsV5: Bool, refused: String?, grantedQoS: UInt8) {
        var pending: [UInt8] = []
        state.withLock {
            $0.connection = connection
            $0.packets = []
            $0.segments = []
        }
        defer { connection.close() }
        while let bytes = connection.receive(timeout: 60_000), !bytes.isEmpty {
            state.withLock { $0.segments.append(bytes) }
            pending += bytes
            while let packet = Self.takePacket(&pending) {
                if packet[0] == 0x10 {
                    // Remaining length is one byte here; then the protocol's name and its version.
                    let version = packet[8]
                    state.withLock { $0.connectVersions.append(version) }
                    if version == 5, !acceptsV5 {
                        connection.send([0x20, 2, 0, 1])
                        return
                    }
                    connection.send(version == 5 ? [0x20, 3, 0, 0, 0] : [0x20, 2, 0, 0])
                } else {
                    state.withLock { $0.packets.append(packet) }
                }
                if packet[0] == 0x82 {
                    let isV5 = connectVersions.last == 5
                    let isRefused = refused.map { String(decoding: packet, as: UTF8.self).contains($0) } ?? false
                    let code: UInt8 = isRefused ? (isV5 ? 0x87 : 0x80) : grantedQoS
                    connection.send([0x90, isV5 ? 4 : 3, packet[2], packet[3]] + (isV5 ? [0, code] : [code]))
                }
            }
        }
    }

    private static func takePacket(_ bytes: inout [UInt8]) -> [UInt8]? {
        guard bytes.count >= 2, bytes.count >= 2 + Int(bytes[1]) else { return nil }
        defer { bytes.removeFirst(2 + Int(bytes[1])) }
        return Array(bytes[..<(2 + Int(bytes[1]))])
    }

    private static func text(_ text: String) -> [UInt8] { [UInt8(text.utf8.count >> 8), UInt8(text.utf8.count & 255)] + Array(text.utf8) }

    private static func length(_ count: Int) -> [UInt8] { count < 128 ? [UInt8(count)] : [UInt8(count & 127 | 128), UInt8(count >> 7)] }
}

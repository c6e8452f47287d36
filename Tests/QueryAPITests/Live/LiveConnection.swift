import HummingbirdTesting
import NIOCore
import NIOPosix
import QueryAPI
import Testing

/// One event of a stream of server-sent events.
struct LiveEvent: Equatable {
    var name = ""
    var id = ""
    var data = ""

    var json: JSONValue { get throws { try JSONValue.parse(Array(data.utf8)) } }
}

/// A live client on a socket of its own that reads when it is told to, and understands as much HTTP as it takes.
struct LiveConnection {
    private var parts: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private var raw = ""
    private var text = ""
    private(set) var head = ""
    /// True once the server has sent the end mark.
    private(set) var hasEnded = false

    /// Connects, and hands `body` the connection when the answer's head has come.
    static func open<Result: Sendable>(
        _ bed: TestBed, _ query: String = "", lastEventID: String? = nil,
        _ body: (inout LiveConnection) async throws -> Result
    ) async throws -> Result {
        let port = try #require(bed.client.port)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            // So that a client that does not read is felt soon.
            .channelOption(.socketOption(.so_rcvbuf), value: 4_096)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let resume = lastEventID.map { "last-event-id: \($0)\r\n" } ?? ""
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: "GET /api/v1/live\(query) HTTP/1.1\r\nhost: localhost\r\n\(resume)\r\n"))
            var connection = LiveConnection(parts: inbound.makeAsyncIterator())
            try await connection.readHead()
            return try await body(&connection)
        }
    }

    private init(parts: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator) { self.parts = parts }

    private mutating func readHead() async throws {
        while true {
            if let end = raw.firstRange(of: "\r\n\r\n") {
                head = String(raw[..<end.lowerBound])
                raw = String(raw[end.upperBound...])
                return
            }
            guard try await readMore() else { throw Cut() }
        }
    }

    struct Cut: Error {}

    private mutating func readMore() async throws -> Bool {
        guard let part = try await parts.next(isolation: #isolation) else { return false }
        raw += String(buffer: part)
        return true
    }

    /// Takes whole chunks out of `raw` (RFC 9112 §7.1).
    private mutating func dechunk() {
        while let line = raw.utf8.firstRange(of: "\r\n".utf8) {
            guard let size = Int(raw[..<line.lowerBound], radix: 16) else { return }
            guard size > 0 else {
                hasEnded = true
                return
            }
            let rest = raw.utf8[line.upperBound...]
            guard rest.count >= size + 2 else { return }
            let end = rest.index(rest.startIndex, offsetBy: size)
            text += String(rest[..<end]) ?? ""
            raw = String(raw[raw.utf8.index(end, offsetBy: 2)...])
        }
    }

    /// The next block of lines, without the blank line behind it; nil at the end of the stream.
    mutating func nextBlock() async throws -> String? {
        while true {
            if let end = text.firstRange(of: "\n\n") {
                defer { text = String(text[end.upperBound...]) }
                return String(text[..<end.lowerBound])
            }
            dechunk()
            if text.contains("\n\n") { continue }
            if hasEnded { return nil }
            guard try await readMore() else { return nil }
        }
    }

    /// The next event that has a name; comments and `retry` are passed over.
    mutating func nextEvent() async throws -> LiveEvent? {
        while let block = try await nextBlock() {
            var event = LiveEvent()
            for line in block.split(separator: "\n") {
                if line.hasPrefix("event: ") { event.name = String(line.dropFirst(7)) }
                if line.hasPrefix("id: ") { event.id = String(line.dropFirst(4)) }
                if line.hasPrefix("data: ") { event.data = String(line.dropFirst(6)) }
            }
            if !event.name.isEmpty { return event }
        }
        return nil
    }

    /// The next readings and gaps.
    mutating func next(_ count: Int) async throws -> [LiveEvent] {
        var events: [LiveEvent] = []
        while events.count < count {
            let event = try #require(try await nextEvent(), "the stream ended")
            if event.name != "stats" { events.append(event) }
        }
        return events
    }

    /// The devices of the next readings.
    mutating func devices(_ count: Int) async throws -> [String?] { try await next(count).map { try $0.json["device"]?.text } }
}

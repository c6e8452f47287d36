import Glibc

/// One HTTP connection of the run: what is due goes out as one request, and the next request when that is answered.
struct HTTPWriteConnection: LoadConnection {
    private static let connectTimeoutSeconds = 5
    private static let retryNanoseconds: UInt64 = 200_000_000
    private static let readByteCount = 16 << 10

    let index: Int
    private let target: HTTPWriteTarget
    private let encoder: PayloadEncoder
    private(set) var feed: MessageFeed

    private var socket: Socket?
    private var reader: HTTPResponseReader
    /// The request in flight, kept until it is answered.
    private var request: [UInt8] = []
    private var requestHead = 0
    private var body: [UInt8] = []
    private var messages: [InFlightMessage] = []
    private var retryAt: UInt64 = 0
    private var isRestSent = false

    private(set) var republishedCount = 0
    private(set) var reconnectCount = 0

    init(index: Int, options: LoadOptions) {
        guard let target = options.writeTarget else { preconditionFailure("an HTTP run has a server to write to") }
        self.index = index
        self.target = target
        encoder = options.encoder
        feed = MessageFeed(connection: index, options: options)
        reader = HTTPResponseReader(peer: target.endpoint.name)
    }

    var descriptor: Int32? { socket?.descriptor }
    var hasOutgoing: Bool { requestHead < request.count }
    var isIdle: Bool { messages.isEmpty && (isRestSent || !feed.isOpenLoop || !feed.hasDue) }
    var isWorthFilling: Bool { messages.isEmpty }
    var unacknowledged: [InFlightMessage] { messages }
    var repeatCount: Int { 0 }

    mutating func connect() throws(LoadError) {
        let socket = try Socket.connect(
            host: target.endpoint.host, port: target.endpoint.port, timeoutSeconds: Self.connectTimeoutSeconds)
        socket.setNonBlocking()
        self.socket = socket
        reader.reset()
        requestHead = 0
    }

    mutating func advance(elapsed: UInt64) { feed.advance(elapsed: elapsed) }

    mutating func disconnect(now: UInt64, retryAtOnce: Bool) {
        socket = nil
        retryAt = retryAtOnce ? now : now + Self.retryNanoseconds
    }

    mutating func reconnectIfDue(now: UInt64) throws(LoadError) {
        guard socket == nil, now >= retryAt else { return }
        do {
            try connect()
        } catch {
            guard error.code == .unavailable else { throw error }
            retryAt = Clock.nanoseconds() + Self.retryNanoseconds
            return
        }
        reconnectCount += 1
        republishedCount += messages.count
    }

    mutating func publish(start: UInt64, now: UInt64) throws(LoadError) {
        guard socket != nil, messages.isEmpty else { return feed.noteOverrun() }
        guard feed.hasDue else { return }
        fillBody(start: start, now: now)
        let head = target.endpoint.requestHead(
            "POST", target.path, token: target.token, content: (target.format.contentType, body.count))
        request.removeAll(keepingCapacity: true)
        request.append(contentsOf: head.utf8)
        request.append(contentsOf: body)
        requestHead = 0
        try flush(now: now)
        feed.noteOverrun()
    }

    /// As many messages as are due and fit into one request.
    private mutating func fillBody(start: UInt64, now: UInt64) {
        let separator = UInt8(ascii: target.format == .json ? "," : "\n")
        body.removeAll(keepingCapacity: true)
        if target.format == .json { body.append(UInt8(ascii: "[")) }
        let wallTime = Clock.epochMicroseconds()
        while feed.hasDue, messages.count < target.batchLimit {
            let message = feed.take(wallTime: wallTime, start: start, now: now)
            let readings = feed.stream.readings(of: message.number, time: message.time, step: message.step)
            if !messages.isEmpty { body.append(separator) }
            switch target.format {
            case .lineProtocol: encoder.appendLines(readings, tag: "device", to: &body)
            case .ndjson, .json: encoder.appendNative(readings, separator: separator, to: &body)
            }
            messages.append(message)
        }
        body.append(UInt8(ascii: target.format == .json ? "]" : "\n"))
    }

    /// What fell due while the last request of the run was in flight. One request: a server that is behind does not get more time.
    mutating func publishRest(start: UInt64, now: UInt64) throws(LoadError) {
        guard !isRestSent else { return }
        isRestSent = true
        if feed.isOpenLoop { try publish(start: start, now: now) }
    }

    mutating func flush(now: UInt64) throws(LoadError) {
        guard let socket else { return }
        try socket.writeRest(of: request, from: &requestHead)
    }

    mutating func receive(into recorder: inout AckRecorder, now: UInt64) throws(LoadError) {
        guard let socket else { return }
        while true {
            let progress = try withUnsafeTemporaryAllocation(byteCount: Self.readByteCount, alignment: 1) { (buffer) throws(LoadError) in
                let progress = try socket.readSome(into: buffer)
                if case .bytes(let count) = progress { reader.feed(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
                return progress
            }
            switch progress {
            case .wouldBlock: return
            case .endOfStream: throw LoadError(.unavailable, "\(target.endpoint.name) closed the connection")
            case .bytes:
                guard let response = try reader.next() else { continue }
                return try take(response, into: &recorder, now: now)
            }
        }
    }

    private mutating func take(_ response: HTTPResponse, into recorder: inout AckRecorder, now: UInt64) throws(LoadError) {
        guard (200..<300).contains(response.status) else {
            throw HTTPWriteTarget.refusal("POST \(target.path)", response)
        }
        for message in messages { recorder.record(message, of: feed.stream, now: now) }
        messages.removeAll(keepingCapacity: true)
        request.removeAll(keepingCapacity: true)
        requestHead = 0
        if response.isLast { disconnect(now: now, retryAtOnce: true) }
    }

    mutating func setWaitsForAcksInBulk(_ isOn: Bool) {}

    mutating func keepAlive(now: UInt64) {}

    mutating func close() { socket = nil }
}

import Glibc

/// One MQTT session of the generator: batches PUBLISH packets into few writes and takes PUBACKs by the hundred.
///
/// A value owned by its worker's thread; every method that touches the socket throws `.unavailable` when the connection broke,
/// after which `disconnect` and `reconnect` bring it back with everything unacknowledged sent again.
struct PublisherConnection: LoadConnection {
    /// Bytes waiting for the socket at most; more would only sit in memory.
    private static let outgoingLimit = 256 << 10
    private static let connectTimeoutSeconds = 5
    private static let farewellNanoseconds: UInt64 = 2_000_000_000
    /// Back-off between attempts to reconnect: doubles from the first to the last.
    private static let retryNanoseconds: ClosedRange<UInt64> = 100_000_000...5_000_000_000

    let index: Int
    private let options: LoadOptions
    private let naming: DeviceNaming
    private let topic: TopicTemplate
    private let isRetained: Bool

    private var socket: Socket?
    private var frames = MQTTFrameReader()
    private var outgoing: [UInt8] = []
    private var outgoingHead = 0
    private var payload: [UInt8] = []
    private(set) var feed: MessageFeed
    private var window: InFlightWindow
    /// The second copy of a message, for which the window had no room.
    private var pendingRepeat: InFlightMessage?
    /// Sessions the broker has accepted.
    private var sessionCount = 0
    /// Messages of this session, announcements counted.
    private var ordinal = 0
    private var lastWriteNanoseconds: UInt64 = 0
    private var isPingUnanswered = false
    private var waitsForAcksInBulk = false
    private var retryAt: UInt64 = 0
    private var retryDelay = Self.retryNanoseconds.lowerBound

    private(set) var repeatCount = 0
    private(set) var republishedCount = 0
    private(set) var reconnectCount = 0

    init(index: Int, options: LoadOptions) {
        self.index = index
        self.options = options
        naming = options.description.naming
        topic = options.topic.resolved(connection: index)
        isRetained = options.isRetained
        feed = MessageFeed(connection: index, options: options)
        window = InFlightWindow(capacity: options.window)
    }

    var descriptor: Int32? { socket?.descriptor }
    var hasOutgoing: Bool { outgoingHead < outgoing.count }
    var isIdle: Bool { window.isEmpty && !hasOutgoing && pendingRepeat == nil }
    var unacknowledged: [InFlightMessage] { window.messagesInOrder.map(\.message).filter { !$0.isRepeat } }

    /// True once so many packet ids are free that a refill is worth a write; always true in open loop, where ticks make the batches.
    var isWorthFilling: Bool {
        options.qualityOfService == 0 || feed.isOpenLoop || window.freeCount >= max(1, window.capacity / 4)
    }

    // MARK: Session

    /// Connects and waits for the CONNACK; blocking.
    /// - Throws: `.unavailable`, `.refused`, or `.badPeer` when the port does not speak MQTT.
    mutating func connect() throws(LoadError) {
        let socket = try Socket.connect(host: options.host, port: options.port, timeoutSeconds: Self.connectTimeoutSeconds)
        var packet: [UInt8] = []
        MQTTPacket.appendConnect(
            clientID: options.clientID(connection: index), keepAliveSeconds: options.keepAliveSeconds, credentials: options.credentials,
            will: options.encoder.will(connection: index, session: sessionCount, time: Clock.epochMicroseconds()), to: &packet)
        try socket.writeAll(packet)
        frames.reset()
        while true {
            if let frame = try frames.next() {
                guard case .connectAcknowledged(let code) = frame else {
                    throw LoadError(.badPeer, "the broker's first packet is no CONNACK")
                }
                guard code == 0 else { throw LoadError(.refused, "the broker refused the connection: \(MQTTFrameReader.refusal(code))") }
                break
            }
            switch try read(socket) {
            case .bytes: continue
            case .wouldBlock: throw LoadError(.unavailable, "\(options.host):\(options.port) does not answer CONNECT")
            case .endOfStream:
                throw LoadError(
                    .unavailable, "\(options.host):\(options.port) closed the connection before answering CONNECT; does it want TLS?")
            }
        }
        try announce(socket)
        socket.setNonBlocking()
        self.socket = socket
        sessionCount += 1
        lastWriteNanoseconds = Clock.nanoseconds()
        isPingUnanswered = false
        waitsForAcksInBulk = false
        retryDelay = Self.retryNanoseconds.lowerBound
    }

    /// Births and descriptions, for the dialects that have them; blocking.
    private mutating func announce(_ socket: Socket) throws(LoadError) {
        let announcements = options.encoder.announcements(connection: index, session: sessionCount, time: Clock.epochMicroseconds())
        var packets: [UInt8] = []
        for announcement in announcements {
            MQTTPacket.appendPublish(announcement, to: &packets)
            guard packets.count >= Self.outgoingLimit else { continue }
            try socket.writeAll(packets)
            packets.removeAll(keepingCapacity: true)
        }
        try socket.writeAll(packets)
        ordinal = announcements.count
    }

    mutating func disconnect(now: UInt64, retryAtOnce: Bool) {
        socket = nil
        outgoing.removeAll(keepingCapacity: true)
        outgoingHead = 0
        retryAt = retryAtOnce ? now : now + retryDelay
    }

    /// Tries again when its time has come, and sends everything unacknowledged again, in order, with DUP.
    mutating func reconnectIfDue(now: UInt64) throws(LoadError) {
        guard socket == nil, now >= retryAt else { return }
        do {
            try connect()
        } catch {
            guard error.code == .unavailable else { throw error }
            retryDelay = min(retryDelay * 2, Self.retryNanoseconds.upperBound)
            retryAt = Clock.nanoseconds() + retryDelay
            return
        }
        reconnectCount += 1
        for (packetID, message) in window.messagesInOrder {
            republishedCount += 1
            append(message, packetID: packetID, isDuplicate: true)
        }
    }

    /// Sends farewells and DISCONNECT, so that the broker logs no error and publishes no will. Waits for a socket that is full.
    mutating func close() throws(LoadError) {
        guard socket != nil else { return }
        let time = Clock.epochMicroseconds()
        for farewell in options.encoder.farewells(connection: index, session: sessionCount - 1, time: time) {
            MQTTPacket.appendPublish(farewell, to: &outgoing)
        }
        MQTTPacket.appendDisconnect(to: &outgoing)
        let deadline = Clock.nanoseconds() + Self.farewellNanoseconds
        try flush(now: Clock.nanoseconds())
        while hasOutgoing, Clock.nanoseconds() < deadline {
            Clock.sleep(nanoseconds: 1_000_000)
            try flush(now: Clock.nanoseconds())
        }
        socket = nil
    }

    // MARK: Publishing

    mutating func advance(elapsed: UInt64) { feed.advance(elapsed: elapsed) }

    mutating func publish(start: UInt64, now: UInt64) throws(LoadError) {
        guard socket != nil else { return feed.noteOverrun() }
        while feed.hasDue, !hasOutgoing {
            fill(start: start, now: now)
            if outgoing.isEmpty { break }
            try flush(now: now)
        }
        feed.noteOverrun()
    }

    mutating func publishRest(start: UInt64, now: UInt64) throws(LoadError) {
        guard socket != nil, !hasOutgoing else { return }
        appendRepeat()
        try flush(now: now)
    }

    private mutating func appendRepeat() {
        guard let message = pendingRepeat else { return }
        var packetID: UInt16?
        if options.qualityOfService == 1 {
            packetID = window.insert(message)
            if packetID == nil { return }
        }
        append(message, packetID: packetID, isDuplicate: false)
        pendingRepeat = nil
        repeatCount += 1
    }

    private mutating func fill(start: UInt64, now: UInt64) {
        let wallTime = Clock.epochMicroseconds()
        let isAcknowledged = options.qualityOfService == 1
        while outgoing.count < Self.outgoingLimit {
            appendRepeat()
            guard feed.hasDue, !isAcknowledged || window.freeCount > 0 else { return }
            var message = feed.take(wallTime: wallTime, start: start, now: now)
            append(message, packetID: isAcknowledged ? window.insert(message) : nil, isDuplicate: false)
            if feed.stream.isDuplicated(message.number) {
                message.isRepeat = true
                pendingRepeat = message
            }
        }
    }

    private mutating func append(_ message: InFlightMessage, packetID: UInt16?, isDuplicate: Bool) {
        let readings = feed.stream.readings(of: message.number, time: message.time, step: message.step)
        payload.removeAll(keepingCapacity: true)
        feed.stream.appendPayload(readings, number: message.number, ordinal: ordinal, to: &payload)
        MQTTPacket.appendPublish(
            topic: topic, naming: naming, device: readings.device, packetID: packetID, isDuplicate: isDuplicate, isRetained: isRetained,
            payload: payload, to: &outgoing)
        ordinal += 1
    }

    /// Writes what is waiting until it is gone or the socket is full.
    mutating func flush(now: UInt64) throws(LoadError) {
        guard let socket else { return }
        let head = outgoingHead
        try socket.writeRest(of: outgoing, from: &outgoingHead)
        if outgoingHead > head { lastWriteNanoseconds = now }
        guard !hasOutgoing else { return }
        outgoing.removeAll(keepingCapacity: true)
        outgoingHead = 0
    }

    // MARK: Acknowledgements

    /// Takes every PUBACK that has arrived.
    mutating func receive(into recorder: inout AckRecorder, now: UInt64) throws(LoadError) {
        guard let socket else { return }
        while true {
            switch try read(socket) {
            case .wouldBlock: return
            case .endOfStream: throw LoadError(.unavailable, "the broker closed the connection")
            case .bytes(let count):
                try acknowledge(into: &recorder, now: now)
                if count < Self.readByteCount { return }
            }
        }
    }

    private mutating func acknowledge(into recorder: inout AckRecorder, now: UInt64) throws(LoadError) {
        while let frame = try frames.next() {
            switch frame {
            case .published(let packetID):
                guard let message = window.remove(packetID) else {
                    throw LoadError(.badPeer, "the broker acknowledged packet \(packetID), which is not in flight")
                }
                recorder.record(message, of: feed.stream, now: now)
            case .pong: isPingUnanswered = false
            case .connectAcknowledged: throw LoadError(.badPeer, "the broker sent a second CONNACK")
            }
        }
    }

    private static let readByteCount = 16 << 10

    private mutating func read(_ socket: Socket) throws(LoadError) -> Socket.Progress {
        try withUnsafeTemporaryAllocation(byteCount: Self.readByteCount, alignment: 1) { (buffer) throws(LoadError) in
            let progress = try socket.readSome(into: buffer)
            if case .bytes(let count) = progress { frames.feed(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
            return progress
        }
    }

    /// Whether poll(2) is to wake us only for a quarter of a window of PUBACKs: waking for each one costs more than the message.
    mutating func setWaitsForAcksInBulk(_ isOn: Bool) {
        let isOn = isOn && options.qualityOfService == 1
        guard let socket, waitsForAcksInBulk != isOn else { return }
        waitsForAcksInBulk = isOn
        socket.setReceiveLowWater(isOn ? max(1, window.capacity / 4) * 4 : 1)
    }

    /// Keeps a quiet connection open and finds a dead one.
    mutating func keepAlive(now: UInt64) throws(LoadError) {
        guard socket != nil, options.keepAliveSeconds > 0 else { return }
        guard now > lastWriteNanoseconds, now - lastWriteNanoseconds > UInt64(options.keepAliveSeconds) * 500_000_000 else { return }
        guard !isPingUnanswered else { throw LoadError(.unavailable, "the broker does not answer PINGREQ") }
        isPingUnanswered = true
        MQTTPacket.appendPing(to: &outgoing)
        try flush(now: now)
    }
}

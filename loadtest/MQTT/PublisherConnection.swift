import Glibc

/// One MQTT session of the generator: batches PUBLISH packets into few writes and takes PUBACKs by the hundred.
///
/// A value owned by its worker's thread; every method that touches the socket throws `.unavailable` when the connection broke,
/// after which `disconnect` and `reconnect` bring it back with everything unacknowledged sent again.
struct PublisherConnection {
    /// Bytes waiting for the socket at most; more would only sit in memory.
    private static let outgoingLimit = 256 << 10
    private static let connectTimeoutSeconds = 5
    /// Back-off between attempts to reconnect: doubles from the first to the last.
    private static let retryNanoseconds: ClosedRange<UInt64> = 100_000_000...5_000_000_000

    let index: Int
    private let options: LoadOptions
    private let fleet: Fleet
    private let naming: DeviceNaming
    private let generator: ReadingGenerator
    private let schedule: Schedule?

    private var socket: Socket?
    private var frames = MQTTFrameReader()
    private var outgoing: [UInt8] = []
    private var outgoingHead = 0
    private var payload: [UInt8] = []
    private(set) var window: InFlightWindow
    /// Time of each device's newest reading, by position on this connection.
    private var newestTimes: [Int64]
    private var lastWriteNanoseconds: UInt64 = 0
    private var isPingUnanswered = false
    private var waitsForAcksInBulk = false
    private var retryAt: UInt64 = 0
    private var retryDelay = Self.retryNanoseconds.lowerBound
    /// Messages below this number could not be sent when they were due.
    private var overdueLimit = 0

    /// Messages given to the socket so far; the number of the next one.
    private(set) var sentCount = 0
    private(set) var overrunCount = 0
    private(set) var republishedCount = 0
    private(set) var reconnectCount = 0

    init(index: Int, options: LoadOptions) {
        self.index = index
        self.options = options
        fleet = options.description.fleet
        naming = options.description.naming
        generator = options.description.generator
        schedule = options.schedule
        window = InFlightWindow(capacity: options.window)
        newestTimes = Array(repeating: 0, count: fleet.deviceCount(on: index))
    }

    var descriptor: Int32? { socket?.descriptor }
    var hasOutgoing: Bool { outgoingHead < outgoing.count }
    var isIdle: Bool { window.isEmpty && !hasOutgoing }
    var newestTime: Int64 { newestTimes.max() ?? 0 }

    /// How many of the fleet's first `total` messages are this connection's.
    func share(ofFirst total: Int) -> Int { fleet.messageCount(on: index, ofFirst: total) }

    /// True once so many packet ids are free that a refill is worth a write; always true in open loop, where ticks make the batches.
    var isWorthFilling: Bool {
        options.qualityOfService == 0 || schedule != nil || window.freeCount >= max(1, window.capacity / 4)
    }

    // MARK: Session

    /// Connects and waits for the CONNACK; blocking.
    /// - Throws: `.unavailable`, `.refused`, or `.badPeer` when the port does not speak MQTT.
    mutating func connect() throws(LoadError) {
        let socket = try Socket.connect(host: options.host, port: options.port, timeoutSeconds: Self.connectTimeoutSeconds)
        var packet: [UInt8] = []
        MQTTPacket.appendConnect(
            clientID: options.clientID(connection: index), keepAliveSeconds: options.keepAliveSeconds, credentials: options.credentials,
            to: &packet)
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
                throw LoadError(.unavailable, "\(options.host):\(options.port) closed the connection before answering CONNECT")
            }
        }
        socket.setNonBlocking()
        self.socket = socket
        lastWriteNanoseconds = Clock.nanoseconds()
        isPingUnanswered = false
        waitsForAcksInBulk = false
        retryDelay = Self.retryNanoseconds.lowerBound
    }

    /// Forgets the broken socket; what is in flight stays in the window.
    mutating func disconnect(now: UInt64) {
        socket = nil
        outgoing.removeAll(keepingCapacity: true)
        outgoingHead = 0
        retryAt = now + retryDelay
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
            append(message: message.number, time: message.time, packetID: packetID, isDuplicate: true)
        }
    }

    /// Sends DISCONNECT, so that the broker logs no error.
    mutating func close() throws(LoadError) {
        guard socket != nil else { return }
        MQTTPacket.appendDisconnect(to: &outgoing)
        try flush(now: Clock.nanoseconds())
        socket = nil
    }

    // MARK: Publishing

    /// Sends what is due as far as window and socket let it.
    /// - Parameter limit: messages of this connection that are due by now.
    /// - Parameter start: start of the run, ns on the monotonic clock.
    mutating func publish(upTo limit: Int, start: UInt64, now: UInt64) throws(LoadError) {
        guard socket != nil else { return noteOverrun(limit) }
        while sentCount < limit, !hasOutgoing {
            let before = sentCount
            fill(limit: limit, start: start, now: now)
            if sentCount == before { break }
            try flush(now: now)
        }
        noteOverrun(limit)
    }

    /// Remembers that messages up to `limit` were due and could not all be sent. Flat out nothing is ever due.
    private mutating func noteOverrun(_ limit: Int) {
        if schedule != nil, sentCount < limit { overdueLimit = max(overdueLimit, limit) }
    }

    private mutating func fill(limit: Int, start: UInt64, now: UInt64) {
        let wallTime = Clock.epochMicroseconds()
        while sentCount < limit, outgoing.count < Self.outgoingLimit {
            let number = sentCount
            let position = number % newestTimes.count
            // Two readings of a device in one µs would be one reading to the store.
            let time = max(wallTime, newestTimes[position] + 1)
            var packetID: UInt16?
            if options.qualityOfService == 1 {
                let due = schedule.map { start + $0.dueTime(ofFleetMessage: fleet.fleetMessage(number, on: index)) }
                packetID = window.insert(InFlightWindow.Message(number: number, time: time, startNanoseconds: due ?? now))
                if packetID == nil { return }
            }
            append(message: number, time: time, packetID: packetID, isDuplicate: false)
            newestTimes[position] = time
            if number < overdueLimit { overrunCount += 1 }
            sentCount += 1
        }
    }

    private mutating func append(message: Int, time: Int64, packetID: UInt16?, isDuplicate: Bool) {
        let reading = fleet.reading(of: message, on: index)
        payload.removeAll(keepingCapacity: true)
        generator.appendPayload(device: reading.device, sequence: reading.sequence, time: time, to: &payload)
        MQTTPacket.appendPublish(
            topic: options.topic, naming: naming, device: reading.device, packetID: packetID, isDuplicate: isDuplicate, payload: payload,
            to: &outgoing)
    }

    /// Writes what is waiting until it is gone or the socket is full.
    mutating func flush(now: UInt64) throws(LoadError) {
        guard let socket else { return }
        while hasOutgoing {
            let head = outgoingHead
            let progress = try outgoing.withUnsafeBufferPointer { (bytes) throws(LoadError) in
                try socket.writeSome(from: UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[head...])))
            }
            guard case .bytes(let count) = progress else { return }
            outgoingHead += count
            lastWriteNanoseconds = now
        }
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
                recorder.record(message, connection: index, now: now)
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
        guard let socket, waitsForAcksInBulk != isOn else { return }
        waitsForAcksInBulk = isOn
        socket.setReceiveLowWater(isOn ? max(1, window.capacity / 4) * 4 : 1)
    }

    /// Keeps a quiet connection open and finds a dead one.
    mutating func pingIfQuiet(now: UInt64) throws(LoadError) {
        guard socket != nil, options.keepAliveSeconds > 0 else { return }
        guard now > lastWriteNanoseconds, now - lastWriteNanoseconds > UInt64(options.keepAliveSeconds) * 500_000_000 else { return }
        guard !isPingUnanswered else { throw LoadError(.unavailable, "the broker does not answer PINGREQ") }
        isPingUnanswered = true
        MQTTPacket.appendPing(to: &outgoing)
        try flush(now: now)
    }
}

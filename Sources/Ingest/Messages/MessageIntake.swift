import Dialects
import Telemetry

/// The messages in hand of one connection: read from the broker, not yet committed, not yet acked. Reused from batch to batch.
struct MessageIntake: ~Copyable {
    struct Message {
        var packetID: UInt16
        /// Slices of the arena. The payload of a message that was refused for its size is cut at `keptPayloadByteCount`.
        var topic: Range<Int>
        var payload: Range<Int>
        var payloadByteCount: Int
        var rows: Range<Int>
    }

    /// A message with readings that carry no time.
    struct TimelessMessage {
        var packetID: UInt16
        var hash: UInt64
        /// Slice of `timelessRows`.
        var rows: Range<Int>
    }

    /// A row whose time is that of receipt, or was computed from it.
    struct TimelessRow {
        var row: Int
        /// The row has its time: because the message was redelivered, the one that it had before.
        var isTimed = false
    }

    /// Bounds of a batch. One message more than these still fits `Limits`: see `MessageLimit`. Notes of formats count as the readings'
    /// bytes do: one log record has both.
    ///
    /// 2 048 messages already share the cost of one sync so widely that more would only delay their acks.
    static let messageLimit = 2_048
    static let rowLimit = 16_384
    static let byteLimit = 4 << 20
    /// Of an oversized payload, what the dead letter gets.
    static let keptPayloadByteCount = 65_536

    private(set) var messages: [Message] = []
    private(set) var rejected: [(message: Int, rejection: Rejection)] = []
    private(set) var timeless: [TimelessMessage] = []
    private(set) var timelessRows: [TimelessRow] = []
    private(set) var payloadByteCount = 0
    /// Of the notes that the messages in hand ask for, at most.
    private var noteByteCount = 0
    private(set) var retainedDropped = 0
    private(set) var emptyIgnored = 0
    /// Copies of messages that an earlier subscription takes.
    private(set) var overlapsIgnored = 0
    /// Messages that their format does not store: commands, attributes.
    private(set) var ignored = 0
    private(set) var lastIgnored: StaticText?
    /// Messages whose ack the library has queued since the last `removeAll`.
    private(set) var receivedCount = 0
    var batch = ReadingBatch()
    /// What the broker said besides messages.
    var events = BrokerEvents()
    /// Nil while it is not certain that the broker sends a message for each of them that it fits.
    var subscriptionIdentifiers: SubscriptionIdentifiers?
    /// Of the message that is received next.
    var messageIdentifiers: [UInt32] = []

    private(set) var routes: [TopicRoute]
    private var arena = MessageArena()
    private let clock: any WallClock
    private let state: (TableNumber, _ device: String) -> FieldValue?
    /// Of the newest message.
    private var receiveTime = Timestamp.distantPast

    /// - Parameter state: of a device, as it is stored.
    init(
        routes: [TopicRoute], clock: any WallClock, state: @escaping (TableNumber, _ device: String) -> FieldValue? = { _, _ in nil }
    ) {
        self.routes = routes
        self.clock = clock
        self.state = state
    }

    var isEmpty: Bool { receivedCount == 0 }

    var isFull: Bool {
        receivedCount >= Self.messageLimit || batch.count >= Self.rowLimit || arena.count >= Self.byteLimit
            || batch.bytes.count + noteByteCount >= Self.byteLimit
    }

    func topic(of message: Message) -> UnsafeRawBufferPointer { arena[message.topic] }
    func payload(of message: Message) -> UnsafeRawBufferPointer { arena[message.payload] }

    mutating func removeAll() {
        messages.removeAll(keepingCapacity: true)
        rejected.removeAll(keepingCapacity: true)
        timeless.removeAll(keepingCapacity: true)
        timelessRows.removeAll(keepingCapacity: true)
        (payloadByteCount, retainedDropped, emptyIgnored, overlapsIgnored, ignored, receivedCount) = (0, 0, 0, 0, 0, 0)
        noteByteCount = 0
        batch.removeAll()
        arena.removeAll()
    }

    /// The messages in hand come again: forgets them, and what was learnt from them.
    mutating func abandon() {
        removeAll()
        for route in routes { route.decoder.forget() }
    }

    /// What the messages in hand ask for besides their readings.
    mutating func takeEffects() -> DialectEffects {
        var effects = DialectEffects()
        for route in routes { effects.merge(route.decoder.takeEffects()) }
        return effects
    }

    /// From now on these subscriptions decide.
    /// - Precondition: nothing is in hand.
    mutating func setRoutes(_ routes: [TopicRoute]) {
        precondition(isEmpty, "routes change between batches")
        self.routes = routes
    }

    /// Takes one message in: copied once, decoded into the batch, or noted as rejected.
    mutating func receive(topic: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer, packetID: UInt16, isRetained: Bool) {
        // Comes at QoS 0: no ack waits for it.
        if topic.first == UInt8(ascii: "$"), takeBrokerStatus(topic, payload) { return }
        tick()
        receivedCount += 1
        payloadByteCount += payload.count
        // The MQTT way to clear a retained message: says nothing about the device.
        guard payload.count > 0 else {
            emptyIgnored += 1
            return
        }
        guard !isForAnotherSubscription(topic) else {
            overlapsIgnored += 1
            return
        }
        let topicRange = arena.append(topic)
        let keptCount = payload.count <= Limits.payloadByteCount ? payload.count : Self.keptPayloadByteCount
        let payloadRange = arena.append(UnsafeRawBufferPointer(rebasing: payload[..<keptCount]))
        let firstRow = batch.count
        var message = Message(
            packetID: packetID, topic: topicRange, payload: payloadRange, payloadByteCount: payload.count, rows: firstRow..<firstRow)
        switch decode(message, isRetained: isRetained) {
        case .readings(let areTimedByReceipt):
            message.rows = firstRow..<batch.count
            noteTimelessRows(of: message, all: areTimedByReceipt)
        case .ignored(let why):
            ignored += 1
            lastIgnored = why
        case .rejected(let rejection): rejected.append((messages.count, rejection))
        }
        messages.append(message)
    }

    /// Whether the first subscription that the topic fits gets the message by itself. See `SubscriptionIdentifiers`.
    private func isForAnotherSubscription(_ topic: UnsafeRawBufferPointer) -> Bool {
        guard let subscriptionIdentifiers, !messageIdentifiers.isEmpty, let first = routes.firstIndex(where: { $0.fits(topic) }) else {
            return false
        }
        return subscriptionIdentifiers.isForOthers(than: first, messageIdentifiers)
    }

    /// No two messages are received at the same time: times that are computed from it must not meet.
    private mutating func tick() {
        let now = clock.now()
        let isJump = receiveTime > now + .seconds(1)
        receiveTime = isJump ? now : max(now, receiveTime + TimeSpan(microseconds: 1))
    }

    /// - Returns: whether the message is the broker's about itself.
    private mutating func takeBrokerStatus(_ topic: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer) -> Bool {
        guard topic.elementsEqual(ConnectionSettings.droppedTopic.utf8) else { return false }
        if let count = Int(String(decoding: payload, as: UTF8.self)), count >= 0 { events.brokerDropped = count }
        // Unless somebody wants to have it stored.
        return !routes.contains { $0.fits(topic) }
    }

    /// Gives a redelivered message's rows the times they had.
    mutating func setKnownTimes(_ times: [Timestamp], of message: TimelessMessage) {
        for (index, time) in zip(message.rows, times) {
            timelessRows[index].isTimed = true
            batch.setRedelivered(time, row: timelessRows[index].row)
        }
    }

    /// Takes receive times back that were assigned for a commit that failed.
    mutating func clearAssignedTimes() {
        for row in timelessRows where !row.isTimed { batch.setTime(.distantPast, row: row.row) }
    }

    /// The message that a row of the batch came with.
    func message(ofRow row: Int) -> Int {
        var (low, high) = (0, messages.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if messages[middle].rows.upperBound > row { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private mutating func decode(_ message: Message, isRetained: Bool) -> DecodeOutcome {
        let topic = arena[message.topic]
        do throws(Rejection) {
            for route in routes {
                guard let origin = try route.origin(of: topic) else { continue }
                guard message.payloadByteCount <= Limits.payloadByteCount else { throw .payloadTooLong(message.payloadByteCount) }
                let inbound = InboundMessage(topic: topic, payload: arena[message.payload], origin: origin, receiveTime: receiveTime)
                let noteByteCountBefore = route.decoder.noteByteCount
                let outcome = route.decoder.decode(inbound, into: &batch)
                noteByteCount += route.decoder.noteByteCount - noteByteCountBefore
                guard isRetained else { return outcome }
                let mayCount = isState(message, of: route) ? !isKnownState : route.keepsRetained
                if mayCount { return outcome }
                batch.removeRows(from: message.rows.lowerBound)
                retainedDropped += 1
                return .readings(areTimedByReceipt: false)
            }
            throw Rejection(.unmatchedTopic, "the topic fits no subscription's template")
        } catch {
            return .rejected(error)
        }
    }

    /// Whether the message just decoded told a device's connection state. That of a retained one still holds, its readings are old.
    private func isState(_ message: Message, of route: TopicRoute) -> Bool {
        guard batch.count == message.rows.lowerBound + 1, let field = batch.fields.last,
            batch.rows[batch.count - 1].fieldCount == Int32(route.topicFieldCount) + 1
        else { return false }
        let name = ReservedField.state
        return batch.bytes[field.name.range].elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }

    /// Whether the state of the last row, a retained one, says what the store has already. MQTT 3.1.1 sends retained messages again with
    /// each subscription; they are no news, and the device was not heard.
    private var isKnownState: Bool {
        let row = batch.rows[batch.count - 1]
        guard let field = batch.fields.last, case .string(let told) = field.cell.value(in: batch.bytes) else { return false }
        let device = batch.bytes[row.device.range]
        // What is in hand may say otherwise, and is newer than what is stored.
        for other in batch.rows.dropLast() where other.table == row.table && batch.bytes[other.device.range] == device { return false }
        return state(row.table, String(decoding: device, as: UTF8.self)) == .string(told)
    }

    /// - Parameter all: also the rows that have a time got it from the time of receipt.
    private mutating func noteTimelessRows(of message: Message, all: Bool) {
        let first = timelessRows.count
        for row in message.rows {
            let isTimed = batch.rows[row].time != .distantPast
            if all || !isTimed { timelessRows.append(TimelessRow(row: row, isTimed: isTimed)) }
        }
        // At QoS 0 there is no packet id and no redelivery.
        guard timelessRows.count > first, message.packetID != 0 else { return }
        let hash = messageHash(topic: arena[message.topic], payload: arena[message.payload])
        timeless.append(TimelessMessage(packetID: message.packetID, hash: hash, rows: first..<timelessRows.count))
    }
}

/// What the library's callbacks, other than a message's, have reported since it was last looked at.
struct BrokerEvents {
    struct Connected {
        /// 0: accepted.
        var reasonCode: Int32
        var isSessionPresent: Bool
        /// Whether subscriptions may have identifiers.
        var takesIdentifiers = false
    }

    /// To SUBSCRIBE or UNSUBSCRIBE.
    struct Answer {
        var packetID: Int32
        /// Granted QoS or failure code; 0 of an UNSUBACK.
        var code: Int32
        /// The QoS is what was asked for; nil: nobody minds.
        var isFull: Bool?
    }

    var connected: Connected?
    /// Reason of the broker's DISCONNECT, or of the library's own.
    var disconnectReason: Int32?
    /// Of the subscriptions whose messages are wanted, by packet id, until they are answered.
    var askedQoS: [Int32: Int32] = [:]
    var answers: [Answer] = []
    /// What the broker says of itself: messages dropped since it started.
    var brokerDropped: Int?
    /// Packet id and reason code of each PUBLISH that is over; nil: nobody asks.
    var published: [(packetID: Int32, code: Int32)]?
}

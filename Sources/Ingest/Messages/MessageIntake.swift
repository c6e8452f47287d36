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

    /// A row that came without a time.
    struct TimelessRow {
        var row: Int
        /// The message was redelivered: the row has the time it had before.
        var isKnown = false
    }

    /// Bounds of a batch. One message more than these still fits `Limits`: see `MessageLimit`.
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
    private(set) var retainedDropped = 0
    private(set) var emptyIgnored = 0
    /// Messages whose ack the library has queued since the last `removeAll`.
    private(set) var receivedCount = 0
    var batch = ReadingBatch()
    /// What the broker said besides messages.
    var events = BrokerEvents()

    private let routes: [TopicRoute]
    private var arena = MessageArena()
    private var decoder = JSONReadingDecoder()

    init(routes: [TopicRoute]) { self.routes = routes }

    var isEmpty: Bool { receivedCount == 0 }

    var isFull: Bool {
        receivedCount >= Self.messageLimit || batch.count >= Self.rowLimit || arena.count >= Self.byteLimit
            || batch.bytes.count >= Self.byteLimit
    }

    func topic(of message: Message) -> UnsafeRawBufferPointer { arena[message.topic] }
    func payload(of message: Message) -> UnsafeRawBufferPointer { arena[message.payload] }

    mutating func removeAll() {
        messages.removeAll(keepingCapacity: true)
        rejected.removeAll(keepingCapacity: true)
        timeless.removeAll(keepingCapacity: true)
        timelessRows.removeAll(keepingCapacity: true)
        (payloadByteCount, retainedDropped, emptyIgnored, receivedCount) = (0, 0, 0, 0)
        batch.removeAll()
        arena.removeAll()
    }

    /// Takes one message in: copied once, decoded into the batch, or noted as rejected.
    mutating func receive(topic: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer, packetID: UInt16, isRetained: Bool) {
        receivedCount += 1
        payloadByteCount += payload.count
        // The MQTT way to clear a retained message: says nothing about the device.
        guard payload.count > 0 else {
            emptyIgnored += 1
            return
        }
        let topicRange = arena.append(topic)
        let keptCount = payload.count <= Limits.payloadByteCount ? payload.count : Self.keptPayloadByteCount
        let payloadRange = arena.append(UnsafeRawBufferPointer(rebasing: payload[..<keptCount]))
        let firstRow = batch.count
        var message = Message(
            packetID: packetID, topic: topicRange, payload: payloadRange, payloadByteCount: payload.count, rows: firstRow..<firstRow)
        guard let rejection = decode(message, isRetained: isRetained) else {
            message.rows = firstRow..<batch.count
            messages.append(message)
            noteTimelessRows(of: message)
            return
        }
        rejected.append((messages.count, rejection))
        messages.append(message)
    }

    /// Gives a redelivered message's rows the times they had.
    mutating func setKnownTimes(_ times: [Timestamp], of message: TimelessMessage) {
        for (index, time) in zip(message.rows, times) {
            timelessRows[index].isKnown = true
            batch.setTime(time, row: timelessRows[index].row)
        }
    }

    /// Takes receive times back that were assigned for a commit that failed.
    mutating func clearAssignedTimes() {
        for row in timelessRows where !row.isKnown { batch.setTime(.distantPast, row: row.row) }
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

    private mutating func decode(_ message: Message, isRetained: Bool) -> Rejection? {
        let topic = arena[message.topic]
        for route in routes {
            guard let origin = route.origin(of: topic) else { continue }
            if isRetained, !route.keepsRetained {
                retainedDropped += 1
                return nil
            }
            guard message.payloadByteCount <= Limits.payloadByteCount else { return .payloadTooLong(message.payloadByteCount) }
            return decoder.decode(arena[message.payload], isPadded: true, origin: origin, into: &batch)
        }
        return Rejection(.unmatchedTopic, "the topic fits no subscription's template")
    }

    private mutating func noteTimelessRows(of message: Message) {
        let first = timelessRows.count
        for row in message.rows where batch.rows[row].time == .distantPast { timelessRows.append(TimelessRow(row: row)) }
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
    }

    var connected: Connected?
    /// Reason of the broker's DISCONNECT, or of the library's own.
    var disconnectReason: Int32?
    /// Granted QoS or failure code of each SUBACK, by packet id.
    var subscriptions: [(packetID: Int32, code: Int32)] = []
}

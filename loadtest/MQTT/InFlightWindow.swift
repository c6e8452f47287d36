/// The QoS 1 messages of one connection that are sent and not yet acknowledged: a slot for each packet id in use.
struct InFlightWindow {
    private var slots: [InFlightMessage?]
    private var freePacketIDs: [UInt16]

    /// - Parameter capacity: 1...65535, as many as there are packet ids.
    init(capacity: Int) {
        slots = Array(repeating: nil, count: capacity + 1)
        freePacketIDs = (1...capacity).reversed().map { UInt16($0) }
    }

    var capacity: Int { slots.count - 1 }
    var freeCount: Int { freePacketIDs.count }
    var count: Int { capacity - freeCount }
    var isEmpty: Bool { freeCount == capacity }

    /// Takes a free packet id for a message; nil when the window is full.
    mutating func insert(_ message: InFlightMessage) -> UInt16? {
        guard let packetID = freePacketIDs.popLast() else { return nil }
        slots[Int(packetID)] = message
        return packetID
    }

    /// Gives the packet id back; nil when no message is in flight under it.
    mutating func remove(_ packetID: UInt16) -> InFlightMessage? {
        guard Int(packetID) < slots.count, let message = slots[Int(packetID)] else { return nil }
        slots[Int(packetID)] = nil
        freePacketIDs.append(packetID)
        return message
    }

    /// Everything in flight, in the order it was sent first, as a republish must keep it (MQTT-4.6.0-1).
    var messagesInOrder: [(packetID: UInt16, message: InFlightMessage)] {
        slots.indices.compactMap { index in slots[index].map { (UInt16(index), $0) } }.sorted { $0.message.number < $1.message.number }
    }
}

import Dialects
import Telemetry

/// One subscription as its connection uses it: from a message to readings. Not shared between threads.
final class TopicRoute {
    let filter: String
    let keepsRetained: Bool
    var decoder: PayloadDecoder
    private let template: TopicTemplate
    private let table: TableNumber
    private let tables: TableNames
    private let parts: UnsafeMutablePointer<Range<Int>>
    /// Positions of the parts with a meaning; nil: the template has none.
    private let tableIndex, fieldIndex: Int?
    /// Of the parts that become fields.
    private let fieldIndices: [Int]
    /// Bytes of the fields' names; `fields` point into them.
    private let nameBytes: UnsafeMutableRawBufferPointer
    private let fields: UnsafeMutableBufferPointer<MessageOrigin.Field>

    /// - Parameter note: durable notes, see `PayloadDecoder`.
    init(
        _ subscription: SubscriptionOptions, table: TableNumber, tables: TableNames, note: @escaping (String) -> [UInt8]?
    ) throws(TopicTemplate.Invalid) {
        template = try TopicTemplate(subscription.topic, filter: subscription.filter)
        filter = subscription.filter
        keepsRetained = subscription.keepsRetained
        decoder = PayloadDecoder(subscription.dialect, note: note)
        self.table = table
        self.tables = tables
        parts = .allocate(capacity: TopicTemplate.nameLimit)
        parts.initialize(repeating: 0..<0, count: TopicTemplate.nameLimit)
        tableIndex = template.names.firstIndex(of: "table")
        fieldIndex = template.names.firstIndex(of: "field")
        let meaningful = [template.deviceIndex, tableIndex, fieldIndex]
        fieldIndices = template.names.indices.filter { !meaningful.contains($0) }
        let names = fieldIndices.map { [template] in template.names[$0] }
        nameBytes = .allocate(byteCount: names.reduce(0) { $0 + $1.utf8.count }, alignment: 1)
        fields = .allocate(capacity: names.count)
        var offset = 0
        for (index, name) in names.enumerated() {
            let slot = UnsafeMutableRawBufferPointer(rebasing: nameBytes[offset..<offset + name.utf8.count])
            slot.copyBytes(from: name.utf8)
            offset += name.utf8.count
            let none = UnsafeRawBufferPointer(start: nil, count: 0)
            fields.initializeElement(at: index, to: MessageOrigin.Field(name: UnsafeRawBufferPointer(slot), value: none))
        }
    }

    deinit {
        parts.deallocate()
        nameBytes.deallocate()
        fields.deallocate()
    }

    /// Fields that each reading gets from the topic.
    var topicFieldCount: Int { fieldIndices.count }

    func fits(_ topic: UnsafeRawBufferPointer) -> Bool { template.match(topic, parts: parts) }

    /// Nil when the topic does not fit. The origin points into `topic` and into this object, until the next call.
    /// - Throws: the topic fits, and names a table that does not exist.
    func origin(of topic: UnsafeRawBufferPointer) throws(Rejection) -> MessageOrigin? {
        guard template.match(topic, parts: parts) else { return nil }
        func part(_ index: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: topic[parts[index]]) }
        for (slot, index) in fieldIndices.enumerated() { fields[slot].value = part(index) }
        var table = table
        if let tableIndex {
            guard let named = tables.number(of: part(tableIndex)) else {
                throw Rejection(.unknownTable, "there is no table \"\(String(decoding: part(tableIndex).prefix(64), as: UTF8.self))\"")
            }
            table = named
        }
        return MessageOrigin(
            table: table, device: template.deviceIndex.map(part), field: fieldIndex.map(part), fields: UnsafeBufferPointer(fields))
    }
}

/// The tables that a topic may name.
struct TableNames: Sendable {
    private let names: [(bytes: [UInt8], number: TableNumber)]

    init(_ tables: [(name: String, number: TableNumber)]) { names = tables.map { (Array($0.name.utf8), $0.number) } }

    func number(of name: UnsafeRawBufferPointer) -> TableNumber? {
        names.first { $0.bytes.count == name.count && name.elementsEqual($0.bytes) }?.number
    }
}

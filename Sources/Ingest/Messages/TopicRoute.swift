import Dialects
import Telemetry

/// One subscription as its connection uses it: from a topic to the origin of readings. Not shared between threads.
final class TopicRoute {
    let filter: String
    let keepsRetained: Bool
    private let template: TopicTemplate
    private let table: TableNumber
    private let parts: UnsafeMutablePointer<Range<Int>>
    /// Bytes of the fields' names; `fields` point into them.
    private let nameBytes: UnsafeMutableRawBufferPointer
    private let fields: UnsafeMutableBufferPointer<MessageOrigin.Field>

    init(_ subscription: SubscriptionOptions, table: TableNumber) throws(TopicTemplate.Invalid) {
        template = try TopicTemplate(subscription.topic, filter: subscription.filter)
        filter = subscription.filter
        keepsRetained = subscription.retained == .store
        self.table = table
        parts = .allocate(capacity: TopicTemplate.nameLimit)
        parts.initialize(repeating: 0..<0, count: TopicTemplate.nameLimit)
        let names = template.names.filter { $0 != "device" }
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

    /// Nil when the topic does not fit. The origin points into `topic` and into this object, until the next call.
    func origin(of topic: UnsafeRawBufferPointer) -> MessageOrigin? {
        guard template.match(topic, parts: parts) else { return nil }
        var field = 0
        for index in template.names.indices where index != template.deviceIndex {
            fields[field].value = UnsafeRawBufferPointer(rebasing: topic[parts[index]])
            field += 1
        }
        let device = template.deviceIndex.map { UnsafeRawBufferPointer(rebasing: topic[parts[$0]]) }
        return MessageOrigin(table: table, device: device, fields: UnsafeBufferPointer(fields))
    }
}

import Telemetry

/// What a topic of the Homie convention is about, versions 4 (`homie/<device>/…`) and 5 (`homie/5/<device>/…`).
struct HomieTopic {
    enum Subject {
        /// The device's `$state`.
        case state
        /// Version 5: the device's `$description`.
        case description
        /// Version 4: `$datatype` of a property.
        case datatype
        /// A property's value.
        case value
        case command
        /// `$name`, `$unit`, `$nodes` and all others.
        case attribute
        /// `$broadcast`.
        case broadcast
    }

    let subject: Subject
    let device: UnsafeRawBufferPointer
    /// The topic up to the device, that included.
    let root: UnsafeRawBufferPointer
    /// `node/property`, of values and datatypes; empty for all others.
    let property: UnsafeRawBufferPointer

    /// - Parameter device: where the subscription's template says which level is the device.
    /// - Returns: nil when it is no topic of the convention.
    init?(_ topic: UnsafeRawBufferPointer, device named: UnsafeRawBufferPointer?) {
        var levels = Levels(topic)
        guard var level = levels.next() else { return nil }
        if let named {
            while !level.equals(named) {
                guard let next = levels.next() else { return nil }
                level = next
            }
        } else {
            // The domain, then perhaps the version, then the device.
            guard var next = levels.next() else { return nil }
            if next == "5" {
                guard let third = levels.next() else { return nil }
                next = third
            }
            level = next
        }
        guard !level.isEmpty else { return nil }
        device = level
        root = topic.slice(0..<levels.end)
        let start = levels.position
        guard let node = levels.next(), !node.isEmpty else { return nil }
        let name = levels.next()
        let nameEnd = levels.end
        let last = levels.next()
        if device == "$broadcast" {
            (subject, property) = (.broadcast, topic.slice(0..<0))
        } else if node[0] == Self.attributeMark {
            subject = node == "$state" && name == nil ? .state : node == "$description" && name == nil ? .description : .attribute
            property = topic.slice(0..<0)
        } else {
            guard let name, !name.isEmpty else { return nil }
            guard let subject = Self.subject(name: name, last: last, isDeeper: levels.next() != nil) else { return nil }
            self.subject = subject
            property = topic.slice(start..<nameEnd)
        }
    }

    private static let attributeMark = UInt8(ascii: "$")

    /// Of what stands below a node; nil: not of the convention.
    private static func subject(name: UnsafeRawBufferPointer, last: UnsafeRawBufferPointer?, isDeeper: Bool) -> Subject? {
        if name[0] == attributeMark { return .attribute }
        guard let last else { return .value }
        if last == "set" { return isDeeper ? nil : .command }
        guard last.first == attributeMark else { return nil }
        return last == "$datatype" && !isDeeper ? .datatype : .attribute
    }

    /// The parts of a topic between its slashes.
    private struct Levels {
        let topic: UnsafeRawBufferPointer
        /// Where the next level begins; behind the topic's end once the last was given.
        var position = 0
        /// Where the level given last ends.
        var end = 0

        init(_ topic: UnsafeRawBufferPointer) { self.topic = topic }

        mutating func next() -> UnsafeRawBufferPointer? {
            guard position <= topic.count else { return nil }
            let start = position
            end = start
            while end < topic.count, topic[end] != UInt8(ascii: "/") { end += 1 }
            position = end + 1
            return topic.slice(start..<end)
        }
    }
}

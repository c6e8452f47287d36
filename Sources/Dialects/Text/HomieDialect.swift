import Telemetry

/// `homie`: the Homie convention, versions 4 and 5. The device is the topic's; `<node>.<property>` is the field.
///
/// A property's datatype comes from its retained `$datatype` (4) or the device's `$description` (5), and is kept in a note; before it is
/// known the value's text tells its type (`Scalar`). `$state` becomes the device's state. Needs `retained = "store"`: everything in Homie
/// is retained.
/// Source: https://homieiot.github.io/specification/
struct HomieDialect: ~Copyable {
    /// Devices of one subscription.
    private static let deviceLimit = 65_536

    private var builder: ReadingBuilder
    private let storedNote: (String) -> [UInt8]?
    private var devices = NameIndex()
    private var types: [HomieTypes] = []
    private var name = ScratchBytes()
    /// Of descriptions.
    private var parser = JSONTapeParser()

    init(_ options: DialectOptions, note: @escaping (String) -> [UInt8]?) {
        builder = ReadingBuilder(filter: FieldFilter(include: options.include, exclude: options.exclude))
        storedNote = note
    }

    mutating func forget() {
        devices = NameIndex()
        types = []
    }

    mutating func decode(_ message: InboundMessage, into batch: inout ReadingBatch, effects: inout DialectEffects) -> DecodeOutcome {
        guard let topic = HomieTopic(message.topic, device: message.origin.device) else {
            return .rejected(Rejection(.unmatchedTopic, "not a topic of the Homie convention: \(excerpt(message.topic))"))
        }
        let firstRow = batch.count
        do throws(Rejection) {
            return try decode(message, topic, into: &batch, effects: &effects)
        } catch {
            batch.removeRows(from: firstRow)
            return .rejected(error)
        }
    }

    private mutating func decode(
        _ message: InboundMessage, _ topic: HomieTopic, into batch: inout ReadingBatch, effects: inout DialectEffects
    ) throws(Rejection) -> DecodeOutcome {
        // Before anything is remembered of a device that no reading can have.
        guard topic.device.count <= Limits.deviceByteCount else { throw .deviceTooLong(topic.device.count) }
        let firstRow = batch.count
        builder.start(message.origin, in: batch)
        switch topic.subject {
        case .command: return .ignored("a command")
        case .attribute: return .ignored("an attribute")
        case .broadcast: return .ignored("a broadcast")
        case .datatype:
            if let type = HomieType(message.payload.trimmed) { try remember(type, topic, in: &effects) }
            return .ignored("a datatype")
        case .description:
            try remember(description: message.payload, topic, in: &effects)
            return .ignored("a description")
        case .state:
            guard let isOnline = try Self.isOnline(message.payload.trimmed) else { return .ignored("a state without meaning here") }
            try builder.appendState(isOnline: isOnline, device: topic.device, in: &batch)
        case .value:
            guard try append(message.payload, topic, to: &batch) else { return .ignored("no value: empty, null, nan or infinite") }
        }
        return batch.count > firstRow ? .readings(areTimedByReceipt: false) : .allExcluded
    }

    /// `sleeping` and `lost` are gone; `init` has come, though not with all it has to say.
    private static func isOnline(_ state: UnsafeRawBufferPointer) throws(Rejection) -> Bool? {
        if state == "ready" || state == "init" || state == "alert" { return true }
        if state == "disconnected" || state == "sleeping" || state == "lost" { return false }
        if state.isEmpty { return nil }
        throw Rejection(.badValue, "\"\(excerpt(state))\" is no state of a Homie device")
    }

    /// - Returns: false when there is no value.
    private mutating func append(_ payload: UnsafeRawBufferPointer, _ topic: HomieTopic, to batch: inout ReadingBatch) throws(Rejection)
        -> Bool
    {
        guard payload.isValidUTF8 else { throw .notText }
        let type = types[try number(of: topic)][topic.property]
        let text = payload.trimmed
        if type != .text, Scalar(text) == .missing { return false }
        name.removeAll()
        for byte in topic.property { name.append(byte == UInt8(ascii: "/") ? UInt8(ascii: ".") : byte) }
        try builder.begin(device: topic.device, time: nil, in: &batch)
        switch type {
        case nil: try builder.append(name.bytes, scalar: text, in: &batch)
        case .integer:
            guard let value = NumberText.integer(text) else { throw Self.mistyped(text, topic, "integer") }
            try builder.append(name.bytes, integer: value, in: &batch)
        case .float:
            guard let value = NumberText.double(text) else { throw Self.mistyped(text, topic, "float") }
            try builder.append(name.bytes, double: value, in: &batch)
        case .boolean:
            guard let value = Scalar.boolean(text) else { throw Self.mistyped(text, topic, "boolean") }
            try builder.append(name.bytes, boolean: value, in: &batch)
        case .text:
            // Version 5 writes the empty text as one NUL, since an empty payload would clear the topic.
            let isEmpty = payload.count == 1 && payload[0] == 0
            try builder.append(name.bytes, string: isEmpty ? payload.slice(0..<0) : payload, in: &batch)
        }
        try builder.end(in: &batch)
        return true
    }

    private static func mistyped(_ text: UnsafeRawBufferPointer, _ topic: HomieTopic, _ type: String) -> Rejection {
        Rejection(.badValue, "property \"\(excerpt(topic.property))\" is declared \(type), which \"\(excerpt(text))\" is not")
    }

    private mutating func remember(_ type: HomieType, _ topic: HomieTopic, in effects: inout DialectEffects) throws(Rejection) {
        let number = try number(of: topic)
        if try types[number].set(topic.property, type) { write(number, topic, to: &effects) }
    }

    /// Members `nodes/<node>/properties/<property>/datatype` of the description, however much else there is in it: all of them, or none.
    private mutating func remember(
        description: UnsafeRawBufferPointer, _ topic: HomieTopic, in effects: inout DialectEffects
    ) throws(Rejection) {
        let number = try number(of: topic)
        let description = try parser.parse(description.trimmed, isPadded: false)
        guard description.kind == .object else { throw Rejection(.undecodable, "a description is an object") }
        guard let nodes = description.member("nodes") else { return }
        var declared = types[number]
        var hasNews = false
        for (node, about) in nodes.members where Self.isID(node.bytes) {
            guard let properties = about.member("properties") else { continue }
            for (property, about) in properties.members where Self.isID(property.bytes) {
                guard let word = about.member("datatype")?.text, let type = HomieType(word) else { continue }
                name.removeAll()
                name.append(node.bytes)
                name.append(UInt8(ascii: "/"))
                name.append(property.bytes)
                let isNew = try declared.set(name.bytes, type)
                hasNews = hasNews || isNew
            }
        }
        guard hasNews else { return }
        types[number] = declared
        write(number, topic, to: &effects)
    }

    /// Of a level of a topic.
    private static func isID(_ text: UnsafeRawBufferPointer) -> Bool { !text.isEmpty && !text.contains(UInt8(ascii: "/")) }

    private func write(_ number: Int, _ topic: HomieTopic, to effects: inout DialectEffects) {
        effects.set(DialectEffects.Note(source: Self.source(topic), bytes: types[number].note))
    }

    /// The device's number, its note read when it is new.
    private mutating func number(of topic: HomieTopic) throws(Rejection) -> Int {
        if let known = devices.find(topic.root) { return known }
        guard devices.count < Self.deviceLimit else {
            throw Rejection(.deviceLimit, "more than \(Self.deviceLimit) Homie devices in one subscription")
        }
        types.append(storedNote(Self.source(topic))?.withUnsafeBytes { HomieTypes(note: $0) } ?? HomieTypes())
        return devices.insert(topic.root)
    }

    private static func source(_ topic: HomieTopic) -> String { "homie/" + String(decoding: topic.root, as: UTF8.self) }
}

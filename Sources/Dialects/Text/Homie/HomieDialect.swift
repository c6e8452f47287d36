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
    /// Memory for their names and types.
    private static let byteLimit = 256 << 20

    private var builder: ReadingBuilder
    private let storedNote: (String) -> [UInt8]?
    private var devices = NameIndex()
    private var types: [HomieTypes] = []
    private var byteCount = 0
    /// Devices whose notes are to be kept with the next commit.
    private var changed: Set<Int> = []
    /// At most what these notes take together.
    private(set) var changedByteCount = 0
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
        byteCount = 0
        changed = []
        changedByteCount = 0
    }

    /// Adds the notes that the messages since the last call ask for.
    mutating func writeNotes(to effects: inout DialectEffects) {
        for number in changed.sorted() {
            let source = devices.name(number).withUnsafeBytes { Self.source($0) }
            effects.set(DialectEffects.Note(source: source, bytes: types[number].note))
        }
        changed = []
        changedByteCount = 0
    }

    mutating func decode(_ message: InboundMessage, into batch: inout ReadingBatch) -> DecodeOutcome {
        guard let topic = HomieTopic(message.topic, device: message.origin.device) else {
            return .rejected(Rejection(.unmatchedTopic, "not a topic of the Homie convention: \(excerpt(message.topic))"))
        }
        let firstRow = batch.count
        do throws(Rejection) {
            return try decode(message, topic, into: &batch)
        } catch {
            batch.removeRows(from: firstRow)
            return .rejected(error)
        }
    }

    private mutating func decode(
        _ message: InboundMessage, _ topic: HomieTopic, into batch: inout ReadingBatch
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
            if let type = HomieType(message.payload.trimmed) { try remember(type, topic) }
            return .ignored("a datatype")
        case .description:
            try remember(description: message.payload, topic)
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

    private mutating func remember(_ type: HomieType, _ topic: HomieTopic) throws(Rejection) {
        let number = try number(of: topic)
        var declared = types[number]
        if try declared.set(topic.property, type) { try replace(number, by: declared) }
    }

    /// Members `nodes/<node>/properties/<property>/datatype` of the description, however much else there is in it: all of them, or none.
    private mutating func remember(
        description: UnsafeRawBufferPointer, _ topic: HomieTopic
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
        if hasNews { try replace(number, by: declared) }
    }

    /// Of a level of a topic.
    private static func isID(_ text: UnsafeRawBufferPointer) -> Bool { !text.isEmpty && !text.contains(UInt8(ascii: "/")) }

    private mutating func replace(_ number: Int, by declared: HomieTypes) throws(Rejection) {
        let byteCount = byteCount - types[number].byteCount + declared.byteCount
        try Self.check(byteCount)
        self.byteCount = byteCount
        let before = changed.insert(number).inserted ? 0 : types[number].noteByteCount
        changedByteCount += declared.noteByteCount - before
        types[number] = declared
    }

    private static func check(_ byteCount: Int) throws(Rejection) {
        guard byteCount <= byteLimit else {
            throw Rejection(.fieldLimit, "the Homie devices of this subscription have more names than \(byteLimit >> 20) MiB hold")
        }
    }

    /// The device's number, its note read when it is new.
    private mutating func number(of topic: HomieTopic) throws(Rejection) -> Int {
        if let known = devices.find(topic.root) { return known }
        guard devices.count < Self.deviceLimit else {
            throw Rejection(.deviceLimit, "more than \(Self.deviceLimit) Homie devices in one subscription")
        }
        let known = storedNote(Self.source(topic.root))?.withUnsafeBytes { HomieTypes(note: $0) } ?? HomieTypes()
        let added = known.byteCount + 2 * topic.root.count + 96
        try Self.check(byteCount + added)
        byteCount += added
        types.append(known)
        return devices.insert(topic.root)
    }

    /// - Parameter root: the topic up to the device.
    private static func source(_ root: UnsafeRawBufferPointer) -> String { "homie/" + String(decoding: root, as: UTF8.self) }
}

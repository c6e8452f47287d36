import Telemetry

/// `state`: topics of births and last wills. A word, or JSON with a member `state`, becomes a reading of `ReservedField.state` at the time
/// of receipt.
struct StateDialect: ~Copyable {
    private var builder: ReadingBuilder
    /// For JSON; made when the first message needs it.
    private var object: ObjectFields?

    init(_ options: DialectOptions) {
        builder = ReadingBuilder(filter: FieldFilter(include: options.include, exclude: options.exclude))
    }

    mutating func decode(_ message: InboundMessage, into batch: inout ReadingBatch) -> DecodeOutcome {
        let firstRow = batch.count
        do throws(Rejection) {
            let isOnline = try isOnline(message.payload.trimmed)
            builder.start(message.origin, in: batch)
            try builder.appendState(isOnline: isOnline, device: nil, in: &batch)
            return batch.count > firstRow ? .readings(areTimedByReceipt: false) : .allExcluded
        } catch {
            batch.removeRows(from: firstRow)
            return .rejected(error)
        }
    }

    private mutating func isOnline(_ text: UnsafeRawBufferPointer) throws(Rejection) -> Bool {
        if let state = DeviceState.isOnline(text) { return state }
        guard text.first == UInt8(ascii: "{") || text.first == UInt8(ascii: "\"") else { throw .noState(text) }
        if text.first == UInt8(ascii: "\"") {
            guard text.count >= 2, let state = DeviceState.isOnline(text.slice(1..<text.count - 1)) else { throw .noState(text) }
            return state
        }
        if object == nil { object = ObjectFields() }
        guard let state = try object?.state(of: text) else { throw Rejection(.undecodable, "no member \"state\" in the object") }
        return state
    }
}

/// The words for a connection that is there, or gone.
enum DeviceState {
    /// Nil: neither.
    static func isOnline(_ word: UnsafeRawBufferPointer) -> Bool? {
        guard (1...16).contains(word.count) else { return nil }
        if online.contains(where: { word.equalsIgnoringCase($0) }) { return true }
        return offline.contains { word.equalsIgnoringCase($0) } ? false : nil
    }

    private static let online: [StaticString] = [
        "online", "true", "1", "on", "yes", "up", "connected", "available", "ready", "alive", "running", "birth",
    ]
    private static let offline: [StaticString] = [
        "offline", "false", "0", "off", "no", "down", "disconnected", "unavailable", "lost", "dead", "stopped", "death",
    ]
}

extension ObjectFields {
    /// What the member `state` says; nil: there is none.
    fileprivate mutating func state(of text: UnsafeRawBufferPointer) throws(Rejection) -> Bool? {
        try read(text)
        guard let value = value(of: "state") else { return nil }
        switch value {
        case .boolean(let state): return state
        case .integer(0): return false
        case .integer(1): return true
        case .string(let bytes):
            guard let state = bytes.withUnsafeBytes({ DeviceState.isOnline($0) }) else { throw Rejection.noState(text) }
            return state
        default: throw .noState(text)
        }
    }
}

extension ReadingBuilder {
    /// A reading of a device's connection, at the time of receipt.
    mutating func appendState(isOnline: Bool, device: UnsafeRawBufferPointer?, in batch: inout ReadingBatch) throws(Rejection) {
        try begin(device: device, time: nil, in: &batch)
        appendState(isOnline: isOnline, in: &batch)
        try end(in: &batch)
    }
}

extension DecodeOutcome {
    static let allExcluded = DecodeOutcome.ignored("every field is excluded")
}

extension Rejection {
    fileprivate static func noState(_ text: UnsafeRawBufferPointer) -> Rejection {
        Rejection(.badValue, "\"\(excerpt(text))\" means neither online nor offline")
    }
}

import Telemetry

/// What the dialects of home devices share: states of a connection, and values that stand alone.
extension ObjectReader {
    /// Call before the first reading of each message.
    mutating func start(_ origin: MessageOrigin, in batch: borrowing ReadingBatch) {
        builder.start(origin, in: batch)
        removePath()
    }

    /// Appends the reading of a device's state, with the time of receipt. The message has been started.
    mutating func appendState(
        isOnline: Bool, device: UnsafeRawBufferPointer?, into batch: inout ReadingBatch
    ) throws(Rejection) -> DecodeOutcome {
        try builder.begin(device: device, time: nil, in: &batch)
        builder.appendState(isOnline: isOnline, in: &batch)
        try builder.end(in: &batch)
        return try builder.outcome(in: batch)
    }

    /// Appends a payload that is one value, by the name on the path: a JSON scalar, or else a text.
    mutating func appendLoneValue(_ text: UnsafeRawBufferPointer, into batch: inout ReadingBatch) throws(Rejection) {
        guard text.count > 0 else { throw Rejection(.undecodable, "empty") }
        var root: TapeValue?
        // Whatever JSON does not take is a text; why it does not is of no interest.
        do throws(Rejection) { root = try jsonParser.parse(text, isPadded: true) } catch { root = nil }
        if let root { return try appendBelow(root, into: &batch) }
        guard isUTF8(text) else { throw Rejection(.undecodable, "neither JSON nor UTF-8 text") }
        try builder.append(pathName, string: text, in: &batch)
    }
}

import Telemetry

/// Turns the messages of one subscription into readings. One thread at a time; owns all memory that decoding needs.
package struct PayloadDecoder: ~Copyable {
    private let options: DialectOptions
    private var json = JSONReadingDecoder()
    /// What the messages decoded since the last `takeEffects` ask for.
    private var effects = DialectEffects()

    /// - Parameter note: the newest durable note of a source, see `DialectEffects.Note`; asked when a dialect first needs it.
    package init(_ options: DialectOptions, note: @escaping (String) -> [UInt8]?) {
        self.options = options
    }

    /// Appends the readings of one message: all of them, or none.
    package mutating func decode(_ message: InboundMessage, into batch: inout ReadingBatch) -> DecodeOutcome {
        let rejection = json.decode(message.payload, isPadded: true, origin: message.origin, into: &batch)
        return rejection.map { .rejected($0) } ?? .readings(areTimedByReceipt: false)
    }

    /// The effects of all messages since this was called last.
    package mutating func takeEffects() -> DialectEffects {
        defer { effects = DialectEffects() }
        return effects
    }

    /// The messages since the last commit come again: forgets what was learnt from them.
    package mutating func forget() {
        effects = DialectEffects()
    }
}

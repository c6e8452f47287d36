import Telemetry

/// `json` and `cbor`: readings as flat or nested objects, in envelopes or not, and lists of them.
extension ObjectReader {
    mutating func json(_ message: InboundMessage, into batch: inout ReadingBatch) throws(Rejection) -> DecodeOutcome {
        try plain(jsonParser.parse(message.payload, isPadded: true), message.origin, into: &batch)
    }

    mutating func cbor(_ message: InboundMessage, into batch: inout ReadingBatch) throws(Rejection) -> DecodeOutcome {
        try plain(cborParser.parse(message.payload), message.origin, into: &batch)
    }

    mutating func plain(_ root: TapeValue, _ origin: MessageOrigin, into batch: inout ReadingBatch) throws(Rejection) -> DecodeOutcome {
        start(origin, in: batch)
        try readAll(root, as: .plain, into: &batch)
        return try builder.outcome(in: batch)
    }
}

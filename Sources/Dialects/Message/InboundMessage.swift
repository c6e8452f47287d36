import Telemetry

/// One message as a dialect sees it. All pointers outlive the decoding, nothing more.
package struct InboundMessage {
    package var topic: UnsafeRawBufferPointer
    /// Not empty, at most `Limits.payloadByteCount`; followed by `JSONReadingDecoder.padding` readable bytes.
    package var payload: UnsafeRawBufferPointer
    package var origin: MessageOrigin
    package var receiveTime: Timestamp

    package init(topic: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer, origin: MessageOrigin, receiveTime: Timestamp) {
        self.topic = topic
        self.payload = payload
        self.origin = origin
        self.receiveTime = receiveTime
    }
}

/// What became of a message.
package enum DecodeOutcome: Sendable, Equatable {
    /// All its readings are in the batch. `areTimedByReceipt`: times were computed from the time of receipt, so that the same message
    /// delivered again would get others.
    case readings(areTimedByReceipt: Bool)
    /// It says nothing that is to be stored, for this reason: a command, an attribute, fields that are all excluded.
    case ignored(StaticText)
    /// Nothing of it is in the batch.
    case rejected(Rejection)
}

/// A text that costs nothing to hand over.
package struct StaticText: Sendable, Equatable, ExpressibleByStringLiteral, CustomStringConvertible {
    private let text: StaticString

    package init(stringLiteral text: StaticString) { self.text = text }

    package var description: String { text.description }

    package static func == (a: StaticText, b: StaticText) -> Bool { a.description == b.description }
}

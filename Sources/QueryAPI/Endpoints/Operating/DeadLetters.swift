import HTTPTypes
import Hummingbird
import Telemetry

/// A message that was refused, as the API shows it.
package struct DeadLetterSample: Sendable {
    package var time: Timestamp
    /// HOST:PORT; nil: not known.
    package var broker: String?
    package var topic: String
    package var reason: String
    package var detail: String
    /// Its beginning.
    package var payload: [UInt8]
    /// Of the message.
    package var payloadByteCount: Int

    package init(
        time: Timestamp, broker: String?, topic: String, reason: String, detail: String, payload: [UInt8], payloadByteCount: Int
    ) {
        self.time = time
        self.broker = broker
        self.topic = topic
        self.reason = reason
        self.detail = detail
        self.payload = payload
        self.payloadByteCount = payloadByteCount
    }
}

/// `/api/v1/dead-letters`: the newest messages that were refused, newest first.
extension API {
    /// Bytes of a payload in the answer: enough to see what is wrong with it.
    private static let shownPayloadByteCount = 2 << 10
    private static let letterLimit = 1_000

    func deadLetters(_ request: APIRequest) async throws -> Response {
        let reason: RejectReason? = try request.parameters.choice("reason")
        let limit = try request.parameters.integer("limit", in: 1...Self.letterLimit, default: 100)
        let format = try timeFormat(of: request)
        let letters = try await readers.perform { [sources] in
            do {
                return try sources.deadLetters(reason, limit)
            } catch {
                throw Problem(.internalServerError, "dead-letters", "Dead letters cannot be read", "\(error)")
            }
        }
        return json { json in
            json.key("dead_letters")
            json.array { json in
                for letter in letters { json.deadLetter(letter, payloadLimit: Self.shownPayloadByteCount, time: format) }
            }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func deadLetter(_ letter: DeadLetterSample, payloadLimit: Int, time format: TimeFormat) {
        object { json in
            json.member("time", letter.time, as: format)
            json.key("broker")
            if let broker = letter.broker { json.string(broker) } else { json.null() }
            json.member("topic", letter.topic)
            json.member("reason", letter.reason)
            json.member("detail", letter.detail)
            json.member("payload_bytes", letter.payloadByteCount)
            json.payload(letter.payload, limit: payloadLimit)
        }
    }

    /// Text as `payload`, anything else as `payload_base64`. A cut goes through no character.
    private mutating func payload(_ bytes: [UInt8], limit: Int) {
        var shown = bytes.prefix(limit)
        if shown.count < bytes.count {
            while let next = bytes[shown.endIndex...].first, next & 0xC0 == 0x80, shown.count > limit - 4 { shown.removeLast() }
        }
        if let text = String(validating: shown, as: UTF8.self) {
            member("payload", text)
        } else {
            key("payload_base64")
            base64(shown)
        }
    }
}

import Dialects
import Telemetry

/// One letter as a line: `{"time","broker","topic","reason","detail","payload"}`. A payload that is no UTF-8 stands in
/// `payload_base64` instead; one that was cut has its true size in `payload_bytes`. See docs/format/dead-letters.md.
package struct DeadLetterLine: Sendable, Equatable {
    /// Payload bytes in a line.
    static let payloadLimit = MessageIntake.keptPayloadByteCount

    package var time: Timestamp
    /// Whom it came from, HOST:PORT; nil: written before that was noted.
    package var broker: String?
    package var topic: String
    package var reason: String
    package var detail: String
    package var payload: [UInt8]
    /// Of the message; above `payload.count`: the payload was cut.
    package var payloadByteCount: Int

    package var isCut: Bool { payloadByteCount > payload.count }

    static func encode(_ letter: DeadLetter, time: String, into line: inout [UInt8]) {
        let payload = UnsafeRawBufferPointer(rebasing: letter.payload.prefix(payloadLimit))
        line.append(text: "{\"time\":\"\(time)\",\"broker\":")
        line.append(jsonString: letter.broker)
        line.append(text: ",\"topic\":")
        line.append(jsonString: letter.topic)
        line.append(text: ",\"reason\":\"\(letter.rejection.reason.rawValue)\",\"detail\":")
        line.append(jsonString: letter.rejection.detail)
        if payload.count < letter.payloadByteCount { line.append(text: ",\"payload_bytes\":\(letter.payloadByteCount)") }
        if String(validating: payload, as: UTF8.self) != nil {
            line.append(text: ",\"payload\":")
            line.append(jsonString: payload)
        } else {
            line.append(text: ",\"payload_base64\":\"")
            line.append(base64: payload)
            line.append(UInt8(ascii: "\""))
        }
        line.append(text: "}\n")
    }

    /// Nil: no line of this form. Keys may come in any order; unknown ones are passed over.
    init?(_ line: ArraySlice<UInt8>) {
        var cursor = JSONLineCursor(line)
        var (time, topic, reason, detail): (Timestamp?, String?, String?, String?)
        var (payload, byteCount): ([UInt8]?, Int?)
        guard cursor.take("{") else { return nil }
        repeat {
            guard let key = cursor.string(), cursor.take(":") else { return nil }
            if String(decoding: key, as: UTF8.self) == "payload_bytes" {
                byteCount = cursor.number()
                guard byteCount != nil else { return nil }
                continue
            }
            guard let value = cursor.string() else { return nil }
            switch String(decoding: key, as: UTF8.self) {
            case "time": time = Timestamp(rfc3339: String(decoding: value, as: UTF8.self))
            case "broker": broker = String(decoding: value, as: UTF8.self)
            case "topic": topic = String(decoding: value, as: UTF8.self)
            case "reason": reason = String(decoding: value, as: UTF8.self)
            case "detail": detail = String(decoding: value, as: UTF8.self)
            case "payload": payload = value
            case "payload_base64": payload = [UInt8](base64: value)
            default: continue
            }
        } while cursor.take(",")
        guard cursor.take("}"), cursor.isAtEnd, let time, let topic, let reason, let detail, let payload else { return nil }
        (self.time, self.topic, self.reason, self.detail, self.payload) = (time, topic, reason, detail, payload)
        payloadByteCount = max(byteCount ?? 0, payload.count)
    }
}

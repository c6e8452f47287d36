import CSimdjson
import Telemetry

// From the C parser's tokens to the vocabulary's values and reasons.

extension reading_json_value {
    /// The text of a string; nil for other types.
    var bytes: UnsafeRawBufferPointer? {
        type == UInt8(READING_JSON_STRING) ? UnsafeRawBufferPointer(start: text, count: Int(bits)) : nil
    }

    /// Nil when the value is no time: unzoned or other text, a boolean, an object, a number beyond 64 bits.
    var timestamp: Timestamp? {
        switch Int(type) {
        case READING_JSON_INTEGER: Timestamp(epoch: Int64(bitPattern: bits))
        case READING_JSON_DOUBLE: Timestamp(epoch: Double(bitPattern: bits))
        case READING_JSON_STRING: bytes.flatMap { Timestamp(rfc3339: $0) }
        default: nil
        }
    }
}

extension ReadingBatch {
    mutating func append(_ field: reading_json_field) {
        let name = UnsafeRawBufferPointer(start: field.name, count: field.name_byte_count)
        let value = field.value
        switch Int(value.type) {
        case READING_JSON_INTEGER: appendField(name: name, integer: Int64(bitPattern: value.bits))
        case READING_JSON_DOUBLE: appendField(name: name, double: Double(bitPattern: value.bits))
        case READING_JSON_BOOLEAN: appendField(name: name, boolean: value.bits != 0)
        default: appendField(name: name, type: .string, bytes: UnsafeRawBufferPointer(start: value.text, count: Int(value.bits)))
        }
    }
}

extension Rejection {
    init(_ result: reading_json_result, message: UnsafePointer<CChar>?, culprit: UnsafeRawBufferPointer?) {
        let reason: RejectReason =
            switch result {
            case READING_JSON_BAD_VALUE: .badValue
            case READING_JSON_FIELD_NAME_TOO_LONG: .fieldNameTooLong
            case READING_JSON_TOO_MANY_FIELDS: .tooManyFields
            case READING_JSON_VALUE_TOO_LONG: .valueTooLong
            default: .undecodable
            }
        let sentence = message.map { String(cString: $0) } ?? "not JSON"
        let name = culprit.map { excerpt($0) } ?? ""
        self.init(reason, name.isEmpty ? sentence : "field \"\(name)\": \(sentence)")
    }

    package static func payloadTooLong(_ byteCount: Int) -> Rejection {
        Rejection(.payloadTooLong, "\(byteCount) bytes; at most \(Limits.payloadByteCount)")
    }

    static func deviceTooLong(_ byteCount: Int) -> Rejection {
        Rejection(.deviceTooLong, "a device id of \(byteCount) bytes; at most \(Limits.deviceByteCount)")
    }

    static func noDevice(_ value: reading_json_value) -> Rejection {
        switch Int(value.type) {
        case READING_JSON_NONE: Rejection(.noDevice, "neither the topic nor a key \"device\" names the device")
        case READING_JSON_STRING: Rejection(.noDevice, "the device id is empty")
        default: Rejection(.noDevice, "the key \"device\" must be text")
        }
    }

    static func badTime(_ value: reading_json_value) -> Rejection {
        guard let text = value.bytes else {
            return Rejection(.badTime, "the time must be an epoch number or RFC 3339 text with a zone")
        }
        let isNumber = Double(String(decoding: text, as: UTF8.self)) != nil
        let advice = isNumber ? "write an epoch number without quotes" : "write RFC 3339 with a zone, as in 2025-11-24T16:00:00Z"
        return Rejection(.badTime, "\"\(excerpt(text))\": \(advice)")
    }
}

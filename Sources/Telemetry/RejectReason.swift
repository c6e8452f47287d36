/// Why a message or a reading was not stored. The raw value is the counter's label and the dead letter's reason.
package enum RejectReason: String, CaseIterable, Sendable {
    /// Time older than now − TTL, or than what was already dropped.
    case late
    /// Time further ahead than `max_future`.
    case future
    /// The payload is not in the subscription's format.
    case undecodable
    /// No `time` the format accepts.
    case badTime = "bad-time"
    /// A value of no storable type or range (NaN, an integer beyond 64 bits).
    case badValue = "bad-value"
    /// The payload held no field at all.
    case noFields = "no-fields"
    /// The topic fits no template.
    case unmatchedTopic = "unmatched-topic"
    /// The topic names a table that does not exist.
    case unknownTable = "unknown-table"
    /// No device id in topic or payload.
    case noDevice = "no-device"
    case deviceTooLong = "device-too-long"
    case fieldNameTooLong = "field-name-too-long"
    case tooManyFields = "too-many-fields"
    case valueTooLong = "value-too-long"
    case payloadTooLong = "payload-too-long"
    case deviceLimit = "device-limit"
    case fieldLimit = "field-limit"
    /// More readings a second than the table, or the device in it, may send.
    case rateLimited = "rate-limited"
    /// The token of an HTTP write is not for this device.
    case forbidden
}

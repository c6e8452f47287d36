/// What a subscription's payloads are written in; `format` of the configuration.
package enum PayloadFormat: String, Sendable, CaseIterable {
    /// Told apart message by message; see `FormatGuess`.
    case auto
    /// Objects and lists of objects; see `JSONReadingDecoder`.
    case json
    /// `{"ts":…,"values":{…}}`, lists of these, flat objects.
    case thingsboard
    /// `{"Device A":[{"ts":…,"values":{…}}],…}`
    case thingsboardGateway = "thingsboard-gateway"
    /// InfluxDB's lines.
    case lineProtocol = "line-protocol"
    /// RFC 8428, JSON or CBOR.
    case senml
    /// Eclipse Sparkplug 3.0, namespace `spBv1.0`.
    case sparkplugB = "sparkplug-b"
    /// One scalar a topic.
    case value
    case csv
    /// The shapes of `json`, in CBOR (RFC 8949).
    case cbor
    case tasmota
    case zigbee2mqtt
    /// Gen1: one value a topic. Gen2 and later: status and RPC notifications.
    case shelly
    /// Homie 4 and 5.
    case homie
    /// A birth or last-will topic: `online`, `offline` and the words that mean them.
    case state
}

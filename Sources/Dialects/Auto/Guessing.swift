import Telemetry

/// The questions of `auto`, in their order. The first that is answered with yes decides; nothing is remembered from message to message.
extension ObjectReader {
    /// - Parameter isPadded: the payload is followed by `JSONReadingDecoder.padding` readable bytes.
    mutating func guess(topic: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer, isPadded: Bool) -> FormatGuess {
        if let guess = Self.guess(topic: TopicPath(topic)) { return guess }
        if Self.beginsLikeCBOR(payload) { return guessCBOR(payload) }
        let text = payload.trimmed
        switch text.first {
        case nil: return FormatGuess(nil, because: "the payload is empty")
        case UInt8(ascii: "{"), UInt8(ascii: "["): return guessJSON(payload, isPadded: isPadded)
        default: return TextClues(text).guess
        }
    }

    private static func guess(topic: TopicPath) -> FormatGuess? {
        let hasThreeLevels = !topic.rest.rest.isEmpty
        switch topic.first {
        case let level where level == "spBv1.0": return FormatGuess(.sparkplugB, because: "the topic begins with spBv1.0/")
        case let level where level == "homie" && hasThreeLevels: return FormatGuess(.homie, because: "the topic begins with homie/")
        case let level where (level == "tele" || level == "stat" || level == "cmnd") && hasThreeLevels:
            return FormatGuess(.tasmota, because: "the topic begins with tele/, stat/ or cmnd/")
        case let level where level == "zigbee2mqtt": return FormatGuess(.zigbee2mqtt, because: "the topic begins with zigbee2mqtt/")
        case let level where level == "shellies": return FormatGuess(.shelly, because: "the topic begins with shellies/")
        default: break
        }
        if topic.last == "rpc", topic.parent.last == "events", !topic.parent.parent.isEmpty {
            return FormatGuess(.shelly, because: "the topic ends with /events/rpc")
        }
        if topic.parent.last == "status", !topic.parent.parent.isEmpty, topic.last.contains(UInt8(ascii: ":")) {
            return FormatGuess(.shelly, because: "the topic ends with /status/ and a numbered component")
        }
        return nil
    }

    /// An array or a map, or the tag that says "CBOR": no text in UTF-8 begins like that.
    private static func beginsLikeCBOR(_ payload: UnsafeRawBufferPointer) -> Bool {
        guard let first = payload.first else { return false }
        return (0x80...0xBF).contains(first) || (payload.count > 2 && payload[0] == 0xD9 && payload[1] == 0xD9 && payload[2] == 0xF7)
    }

    private mutating func guessCBOR(_ payload: UnsafeRawBufferPointer) -> FormatGuess {
        // What is wrong with it, the decoding says.
        do throws(Rejection) {
            if Self.isSenML(try cborParser.parse(payload)) {
                return FormatGuess(.senml, because: "the payload is a CBOR list whose first map has the labels of a SenML record")
            }
        } catch {
            return FormatGuess(.cbor, because: "the payload begins like CBOR")
        }
        return FormatGuess(.cbor, because: "the payload is CBOR")
    }

    private mutating func guessJSON(_ payload: UnsafeRawBufferPointer, isPadded: Bool) -> FormatGuess {
        do throws(Rejection) {
            let root = try jsonParser.parse(payload, isPadded: isPadded)
            if Self.isSenML(root) {
                return FormatGuess(.senml, because: "the payload is a JSON list whose first object has the labels of a SenML record")
            }
            if Self.isThingsBoardGateway(root) {
                return FormatGuess(.thingsboardGateway, because: "each key of the JSON object has readings with ts and values")
            }
        } catch {
            return FormatGuess(.json, because: "the payload begins with a brace or a bracket")
        }
        return FormatGuess(.json, because: "the payload is JSON")
    }
}

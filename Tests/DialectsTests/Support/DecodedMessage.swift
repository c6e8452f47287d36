import Dialects
import Telemetry

/// What became of one message, owned.
struct DecodedMessage {
    var readings: [Reading] = []
    var outcome: DecodeOutcome

    var rejection: Rejection? {
        if case .rejected(let rejection) = outcome { rejection } else { nil }
    }
    var isIgnored: Bool {
        if case .ignored = outcome { true } else { false }
    }
}

/// When the messages of these tests are received: 2025-11-24T16:00:00Z.
let receiveTime = Timestamp(microseconds: 1_764_000_000_000_000)

/// Decodes a message as a subscription does, with a decoder of its own.
func message(
    _ format: PayloadFormat, _ payload: [UInt8], topic: String = "t", device: String? = nil, field: String? = nil,
    fields: [(String, String)] = [], options change: (inout DialectOptions) -> Void = { _ in }
) -> DecodedMessage {
    var options = DialectOptions(format: format)
    change(&options)
    var decoder = PayloadDecoder(options) { _ in nil }
    return decode(payload, topic: topic, device: device, field: field, fields: fields, with: &decoder)
}

func message(
    _ format: PayloadFormat, _ payload: String, topic: String = "t", device: String? = nil, field: String? = nil,
    fields: [(String, String)] = [], options change: (inout DialectOptions) -> Void = { _ in }
) -> DecodedMessage {
    message(format, Array(payload.utf8), topic: topic, device: device, field: field, fields: fields, options: change)
}

func decode(
    _ payload: [UInt8], topic: String = "t", device: String? = nil, field: String? = nil, fields: [(String, String)] = [],
    with decoder: inout PayloadDecoder
) -> DecodedMessage {
    let before = Reading(device: "before", time: nil, fields: ["x": .integer(1)])
    var batch = ReadingBatch()
    batch.append(before)
    // Bytes behind a payload may be read, and must not matter.
    let padded = payload + [UInt8](repeating: 0x22, count: JSONReadingDecoder.padding)
    let outcome = withOrigin(device.map { Array($0.utf8) }, field: field.map { Array($0.utf8) }, fields) { origin in
        padded.withUnsafeBytes { padded in
            Array(topic.utf8).withUnsafeBytes { topic in
                let message = InboundMessage(
                    topic: topic, payload: UnsafeRawBufferPointer(rebasing: padded[..<payload.count]), origin: origin,
                    receiveTime: receiveTime)
                return decoder.decode(message, into: &batch)
            }
        }
    }
    precondition(batch.reading(at: 0) == before)
    let readings = batch.rows.indices.dropFirst().map { batch.reading(at: $0) }
    if case .readings = outcome { precondition(!readings.isEmpty) } else { precondition(readings.isEmpty) }
    return DecodedMessage(readings: readings, outcome: outcome)
}

private func withOrigin<Result>(
    _ device: [UInt8]?, field: [UInt8]?, _ fields: [(String, String)], _ body: (MessageOrigin) -> Result
) -> Result {
    let texts = fields.map { (ContiguousBytes($0.0), ContiguousBytes($0.1)) }
    let slots = texts.map { MessageOrigin.Field(name: $0.0.bytes, value: $0.1.bytes) }
    let deviceBytes = device.map { ContiguousBytes($0) }
    let fieldBytes = field.map { ContiguousBytes($0) }
    return withExtendedLifetime((texts, deviceBytes, fieldBytes)) {
        slots.withUnsafeBufferPointer { slots in
            body(MessageOrigin(table: 3, device: deviceBytes?.bytes, field: fieldBytes?.bytes, fields: slots))
        }
    }
}

/// Bytes at an address that does not change.
private final class ContiguousBytes {
    let bytes: UnsafeRawBufferPointer

    init(_ bytes: [UInt8]) {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        memory.copyBytes(from: bytes)
        self.bytes = UnsafeRawBufferPointer(memory)
    }

    convenience init(_ text: String) { self.init(Array(text.utf8)) }

    deinit { bytes.deallocate() }
}

func bytes(hex: String) -> [UInt8] {
    let digits = hex.filter(\.isHexDigit)
    precondition(digits.count % 2 == 0)
    var bytes: [UInt8] = []
    var rest = Substring(digits)
    while !rest.isEmpty {
        bytes.append(UInt8(rest.prefix(2), radix: 16)!)
        rest = rest.dropFirst(2)
    }
    return bytes
}

func time(_ text: String) -> Timestamp? { Timestamp(rfc3339: text) }

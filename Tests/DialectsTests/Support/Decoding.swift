import Dialects
import Telemetry

/// Decodes as MQTT does and gives the readings owned.
struct Decoded {
    var readings: [Reading] = []
    var rejection: Rejection?
}

func decode(_ payload: [UInt8], device: String? = "d1", fields: [(String, String)] = [], limit: MessageLimit = MessageLimit()) -> Decoded {
    var decoder = JSONReadingDecoder()
    return decode(payload, device: device, fields: fields, limit: limit, decoder: &decoder)
}

func decode(_ text: String, device: String? = "d1", fields: [(String, String)] = []) -> Decoded {
    decode(Array(text.utf8), device: device, fields: fields)
}

func decode(
    _ payload: [UInt8], device: String? = "d1", fields: [(String, String)] = [], limit: MessageLimit = MessageLimit(),
    decoder: inout JSONReadingDecoder
) -> Decoded {
    var batch = ReadingBatch()
    batch.append(Reading(device: "before", time: nil, fields: ["x": .integer(1)]))
    let deviceBytes = device.map { Array($0.utf8) }
    let texts = fields.map { (Array($0.0.utf8), Array($0.1.utf8)) }
    let rejection = withOrigin(deviceBytes, texts) { origin in
        payload.withUnsafeBytes { decoder.decode($0, isPadded: false, origin: origin, limit: limit, into: &batch) }
    }
    let readings = batch.rows.indices.dropFirst().map { batch.reading(at: $0) }
    // What stood in the batch before must stand there untouched.
    precondition(batch.reading(at: 0) == Reading(device: "before", time: nil, fields: ["x": .integer(1)]))
    return Decoded(readings: readings, rejection: rejection)
}

private func withOrigin(_ device: [UInt8]?, _ fields: [([UInt8], [UInt8])], _ body: (MessageOrigin) -> Rejection?) -> Rejection? {
    var slots: [MessageOrigin.Field] = []
    func next(_ index: Int) -> Rejection? {
        guard index < fields.count else {
            return slots.withUnsafeBufferPointer { slots in
                guard let device else { return body(MessageOrigin(table: 3, device: nil, fields: slots)) }
                return device.withUnsafeBytes { body(MessageOrigin(table: 3, device: $0, fields: slots)) }
            }
        }
        return fields[index].0.withUnsafeBytes { name in
            fields[index].1.withUnsafeBytes { value in
                slots.append(MessageOrigin.Field(name: name, value: value))
                return next(index + 1)
            }
        }
    }
    return next(0)
}

struct DecodedBody {
    var readings: [Reading] = []
    var count = 0
    var rejections: [Int: RejectReason] = [:]
}

func decodeNative(_ text: String) throws -> DecodedBody {
    var decoder = JSONReadingDecoder()
    var batch = ReadingBatch()
    var body = DecodedBody()
    body.count = try Array(text.utf8).withUnsafeBytes {
        try decoder.decodeNative($0, table: 0, into: &batch) { body.rejections[$0] = $1.reason }
    }
    body.readings = batch.rows.indices.map { batch.reading(at: $0) }
    return body
}

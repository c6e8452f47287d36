import Dialects
import FuzzSupport
import Telemetry

/// A payload of any format is read, ignored or refused. What is stored is well-formed; what is refused leaves nothing behind.
///
/// The last byte is the format, the one before it the topic and options.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var bytes = Array(UnsafeBufferPointer(start: data, count: count))
    guard let last = bytes.popLast(), let way = bytes.popLast(), !bytes.isEmpty else { return 0 }
    let format = PayloadFormat.allCases[Int(last) % PayloadFormat.allCases.count]
    decode(bytes, format, way: Int(way))
    return 0
}

/// Topics as the formats want them, and one that says nothing.
private let topics = [
    "t", "tele/plug/SENSOR", "tele/plug/LWT", "stat/plug/STATUS10", "stat/plug/POWER", "zigbee2mqtt/a/b", "zigbee2mqtt/a/availability",
    "shellies/plug/relay/0", "plug/status/switch:0", "plug/events/rpc", "shellies/plug/online", "homie/a/b/c", "homie/5/a/$description",
    "spBv1.0/g/NBIRTH/e", "spBv1.0/g/DDATA/e/d", "v1/gateway/telemetry",
]

private func options(_ format: PayloadFormat, way: Int) -> DialectOptions {
    var options = DialectOptions(format: format)
    guard way & 32 != 0 else { return options }
    (options.timeKey, options.timeUnit, options.zoneOffset) = ("a.ts", .milliseconds, 7_200)
    (options.include, options.exclude, options.columns) = (["a*", "*.b"], ["ab*c"], ["time", "a", "b"])
    (options.tags, options.measurement) = (.fields, .drop)
    return options
}

private func decode(_ payload: [UInt8], _ format: PayloadFormat, way: Int) {
    var decoder = PayloadDecoder(options(format, way: way)) { _ in nil }
    let padded = payload + [UInt8](repeating: 0x5D, count: JSONReadingDecoder.padding)
    var batch = ReadingBatch()
    padded.withUnsafeBytes { padded in
        Array(topics[way % topics.count].utf8).withUnsafeBytes { topic in
            let device = way & 16 != 0 ? UnsafeRawBufferPointer(rebasing: topic[..<1]) : nil
            let origin = MessageOrigin(table: 0, device: device, fields: UnsafeBufferPointer(start: nil, count: 0))
            let message = InboundMessage(
                topic: topic, payload: UnsafeRawBufferPointer(rebasing: padded[..<payload.count]), origin: origin,
                receiveTime: Timestamp(microseconds: 1_764_000_000_000_000))
            // Twice: what one message leaves behind must not harm the next.
            for _ in 0..<2 {
                let (rows, byteCount) = (batch.count, batch.bytes.count)
                let outcome = decoder.decode(message, into: &batch)
                guard case .readings = outcome else {
                    precondition(batch.count == rows && batch.bytes.count == byteCount, "something is left of a message that is not stored")
                    continue
                }
                precondition(batch.count > rows)
            }
        }
    }
    _ = decoder.takeEffects()
    check(batch)
    if format == .json { decodeNative(payload) }
}

private func check(_ batch: ReadingBatch) {
    for row in batch.rows {
        precondition((1...Limits.deviceByteCount).contains(Int(row.device.count)) && row.fieldCount > 0)
        precondition(Int(row.fieldCount) <= Limits.fieldsPerReading)
    }
    for field in batch.fields {
        precondition((1...Limits.fieldNameByteCount).contains(Int(field.name.count)))
        precondition(isUTF8(batch.bytes[field.name.range]), "a name that is no text")
        switch field.cell.type {
        case .string: precondition(isUTF8(batch.bytes[field.cell.byteRange]), "a text that is none")
        case .double: precondition(field.cell.double.isFinite)
        default: break
        }
    }
}

private func isUTF8(_ bytes: ArraySlice<UInt8>) -> Bool { String(validating: bytes, as: UTF8.self) != nil }

private func decodeNative(_ body: [UInt8]) {
    var decoder = JSONReadingDecoder()
    var batch = ReadingBatch()
    var rejected = 0
    let count = body.withUnsafeBytes { body in try? decoder.decodeNative(body, table: 0, into: &batch) { _, _ in rejected += 1 } }
    precondition(batch.count == (count ?? 0) - rejected)
    check(batch)
}

@_cdecl("fuzz_dialects_main")
public func start(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
    runFuzzer(count, arguments, fuzz)
}

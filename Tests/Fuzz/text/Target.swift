import Dialects
import FuzzSupport
import Telemetry

/// Messages of the text formats and of Sparkplug, and bodies of HTTP writes. The last byte chooses the format; messages are parted by the
/// bytes 0xFE 0xFE; a message's first line is its topic where the format looks at that.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var bytes = Array(UnsafeBufferPointer(start: data, count: count))
    let choice = bytes.popLast() ?? 0
    let messages = bytes.split(separator: [0xFE, 0xFE], maxSplits: 16)
    switch choice % 10 {
    case 0: hear(messages, .value, hasTopic: false)
    case 1: hear(messages, .state, hasTopic: false)
    case 2: hear(messages, .lineProtocol, hasTopic: false)
    case 3: hear(messages, .csv, hasTopic: false)
    case 4: hear(messages, .homie, hasTopic: true)
    case 5: hear(messages, .sparkplugB, hasTopic: true)
    case 6: read(bytes, .lineProtocol)
    case 7: read(bytes, .csv)
    case 8: read(bytes, .jsonLines)
    default: remember(bytes)
    }
    return 0
}

/// A decoder hears all messages; then one that knows only the notes hears them again.
private func hear(_ messages: [ArraySlice<UInt8>], _ format: PayloadFormat, hasTopic: Bool) {
    let notes = Notes()
    for _ in 0..<2 {
        var decoder = PayloadDecoder(DialectOptions(format: format)) { notes.bytes[$0] }
        for message in messages {
            let line = hasTopic ? message.firstIndex(of: 0x0A) ?? message.endIndex : message.startIndex
            hear(Array(message[..<line]), Array(message[line...].dropFirst(hasTopic ? 1 : 0)), &decoder)
            for note in decoder.takeEffects().notes { notes.bytes[note.source] = note.bytes }
        }
    }
}

private final class Notes {
    var bytes: [String: [UInt8]] = [:]
}

private func hear(_ topic: [UInt8], _ payload: [UInt8], _ decoder: inout PayloadDecoder) {
    // libmosquitto lets no other topic through.
    guard !payload.isEmpty, String(validating: topic, as: UTF8.self) != nil else { return }
    var batch = ReadingBatch()
    let padded = payload + [UInt8](repeating: 0, count: JSONReadingDecoder.padding)
    let outcome = topic.withUnsafeBytes { topic in
        padded.withUnsafeBytes { padded in
            let device: StaticString = "d"
            let named = topic.isEmpty ? UnsafeRawBufferPointer(start: device.utf8Start, count: 1) : nil
            let origin = MessageOrigin(table: 0, device: named, fields: UnsafeBufferPointer(start: nil, count: 0))
            let message = InboundMessage(
                topic: topic, payload: UnsafeRawBufferPointer(rebasing: padded[..<payload.count]), origin: origin,
                receiveTime: Timestamp(microseconds: 1_764_000_000_000_000))
            return decoder.decode(message, into: &batch)
        }
    }
    if case .readings = outcome { check(batch) } else { precondition(batch.isEmpty) }
}

private func read(_ body: [UInt8], _ format: BodyFormat) {
    var batch = ReadingBatch()
    let decoded = try? body.withUnsafeBytes { bytes in
        try BodyDecoder.decode(bytes, format: format, options: DialectOptions(), table: 0, into: &batch)
    }
    precondition(decoded?.places.count ?? 0 == batch.count)
    if !batch.isEmpty { check(batch) }
}

/// The input as the note of an edge node and of a Homie device.
private func remember(_ note: [UInt8]) {
    var sparkplug = PayloadDecoder(DialectOptions(format: .sparkplugB)) { _ in note }
    hear(Array("spBv1.0/g/NDEATH/e".utf8), [0x08, 0x01], &sparkplug)
    hear(Array("spBv1.0/g/NDATA/e".utf8), [0x12, 0x04, 0x10, 0x01, 0x50, 0x05], &sparkplug)
    var homie = PayloadDecoder(DialectOptions(format: .homie)) { _ in note }
    hear(Array("homie/d/n/p".utf8), Array("21".utf8), &homie)
}

/// What every reading promises to the store.
private func check(_ batch: ReadingBatch) {
    precondition(!batch.isEmpty)
    for index in 0..<batch.count {
        let row = batch.rows[index]
        precondition((1...Limits.deviceByteCount).contains(Int(row.device.count)))
        precondition((1...Limits.fieldsPerReading).contains(Int(row.fieldCount)))
        precondition(String(validating: batch.bytes[row.device.range], as: UTF8.self) != nil)
        for field in batch.fields[Int(row.firstField)..<Int(row.firstField + row.fieldCount)] {
            precondition((1...Limits.fieldNameByteCount).contains(Int(field.name.count)))
            precondition(String(validating: batch.bytes[field.name.range], as: UTF8.self) != nil)
            guard field.cell.type == .string else { continue }
            precondition(String(validating: batch.bytes[field.cell.byteRange], as: UTF8.self) != nil)
        }
    }
}

@_cdecl("fuzz_text_main")
public func start(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
    runFuzzer(count, arguments, fuzz)
}

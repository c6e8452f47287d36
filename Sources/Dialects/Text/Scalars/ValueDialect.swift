import Telemetry

/// `value`: one scalar a topic. The field is called after the part of the topic named `{field}`, or `value`.
///
/// Numbers, booleans and text are told by `Scalar`; a text in JSON's quotes is text whatever it says; a number with a known unit
/// behind it (`MeasuredText`) becomes a number, and the unit a text field `<field>.unit`.
struct ValueDialect: ~Copyable {
    private var builder: ReadingBuilder
    private var scratch = ScratchBytes()

    init(_ options: DialectOptions) {
        builder = ReadingBuilder(filter: FieldFilter(include: options.include, exclude: options.exclude))
    }

    mutating func decode(_ message: InboundMessage, into batch: inout ReadingBatch) -> DecodeOutcome {
        let text = message.payload.trimmed
        if Scalar(text) == .missing { return .ignored("no value: empty, null, nan or infinite") }
        let firstRow = batch.count
        do throws(Rejection) {
            guard text.isValidUTF8 else { throw .notText }
            builder.start(message.origin, in: batch)
            try builder.begin(device: nil, time: nil, in: &batch)
            try append(text, to: message.origin.field ?? UnsafeRawBufferPointer(Self.fieldName), in: &batch)
            try builder.end(in: &batch)
            return batch.count > firstRow ? .readings(areTimedByReceipt: false) : .allExcluded
        } catch {
            batch.removeRows(from: firstRow)
            return .rejected(error)
        }
    }

    private static let fieldName: StaticString = "value"

    /// - Parameter text: not empty.
    private mutating func append(_ text: UnsafeRawBufferPointer, to name: UnsafeRawBufferPointer, in batch: inout ReadingBatch)
        throws(Rejection)
    {
        switch text[0] {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            throw Rejection(.undecodable, "an object or a list is not one value; format json reads those")
        case UInt8(ascii: "\""):
            scratch.removeAll()
            try JSONText.unquote(text, into: &scratch)
            try builder.append(name, string: scratch.bytes, in: &batch)
        default:
            guard let measured = MeasuredText(text) else { return try builder.append(name, scalar: text, in: &batch) }
            try builder.append(name, scalar: measured.number, in: &batch)
            scratch.removeAll()
            scratch.append(name)
            scratch.append(".unit")
            try builder.append(scratch.bytes, string: measured.unit, in: &batch)
        }
    }
}

/// A JSON string on its own (RFC 8259, 7).
enum JSONText {
    /// Appends what stands between the quotes, escapes resolved.
    ///
    /// - Parameter text: starts with a quote; valid UTF-8.
    static func unquote(_ text: UnsafeRawBufferPointer, into result: inout ScratchBytes) throws(Rejection) {
        guard text.count >= 2, text[text.count - 1] == UInt8(ascii: "\"") else { throw malformed }
        var position = 1
        let end = text.count - 1
        while position < end {
            let byte = text[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\\"):
                guard position < end else { throw malformed }
                position += 1
                try escape(text, &position, end: end, into: &result)
            case UInt8(ascii: "\""), ..<0x20: throw malformed
            default: result.append(byte)
            }
        }
    }

    /// - Parameter position: behind the letter that follows the backslash.
    private static func escape(
        _ text: UnsafeRawBufferPointer, _ position: inout Int, end: Int, into result: inout ScratchBytes
    ) throws(Rejection) {
        switch text[position - 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(text[position - 1])
        case UInt8(ascii: "b"): result.append(0x08)
        case UInt8(ascii: "f"): result.append(0x0C)
        case UInt8(ascii: "n"): result.append(0x0A)
        case UInt8(ascii: "r"): result.append(0x0D)
        case UInt8(ascii: "t"): result.append(0x09)
        case UInt8(ascii: "u"): try append(scalar(text, &position, end: end), to: &result)
        default: throw malformed
        }
    }

    private static func append(_ scalar: Unicode.Scalar, to result: inout ScratchBytes) {
        for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { result.append(byte) }
    }

    /// Four hexadecimal digits, or a pair of surrogates.
    private static func scalar(_ text: UnsafeRawBufferPointer, _ position: inout Int, end: Int) throws(Rejection) -> Unicode.Scalar {
        let first = try codeUnit(text, &position, end: end)
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard UTF16.isLeadSurrogate(first), end - position >= 2, text[position] == UInt8(ascii: "\\"),
            text[position + 1] == UInt8(ascii: "u")
        else { throw malformed }
        position += 2
        let second = try codeUnit(text, &position, end: end)
        guard UTF16.isTrailSurrogate(second) else { throw malformed }
        return UTF16.decode(UTF16.EncodedScalar([first, second]))
    }

    private static func codeUnit(_ text: UnsafeRawBufferPointer, _ position: inout Int, end: Int) throws(Rejection) -> UInt16 {
        guard end - position >= 4 else { throw malformed }
        var value: UInt16 = 0
        for _ in 0..<4 {
            let byte = text[position]
            switch byte {
            case 0x30...0x39: value = value << 4 | UInt16(byte - 0x30)
            case 0x41...0x46, 0x61...0x66: value = value << 4 | UInt16((byte | 0x20) - 0x57)
            default: throw malformed
            }
            position += 1
        }
        return value
    }

    private static let malformed = Rejection(.undecodable, "a quote without a JSON string")
}

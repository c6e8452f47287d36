import Telemetry

/// `senml`: packs of RFC 8428, in JSON or CBOR.
///
/// Records that follow one another with equal device and time become one reading. Sums are fields of their own, named `<field>_sum`. Units
/// are not stored, but name a field that has no name. Update times (`ut`) are passed over.
extension ObjectReader {
    mutating func senml(_ message: InboundMessage, into batch: inout ReadingBatch) throws(Rejection) -> DecodeOutcome {
        let root: TapeValue
        if Self.isCBOR(message.payload) {
            root = try cborParser.parse(message.payload)
        } else {
            root = try jsonParser.parse(message.payload, isPadded: true)
        }
        guard root.kind == .array else { throw Rejection(.undecodable, "a SenML pack is a list of records") }
        start(message.origin, in: batch)
        var pack = SenMLPack(receiveTime: message.receiveTime)
        var open: (device: UnsafeRawBufferPointer?, time: Timestamp?)?
        for element in root.elements {
            var record = try SenMLRecord(element)
            pack.take(record)
            // A value that is missing beside a base value is zero. Section 4.5.4.
            if record.value == nil, record.sum == nil, record.baseValue != nil { record.value = .number(.integer(0)) }
            let sum = pack.sum(of: record)
            // Base names, times and units alone say nothing yet.
            if record.value == nil, sum == nil { continue }
            let time = try pack.time(of: record)
            let names = pack.names(of: record, topicHasDevice: !builder.needsDevice)
            if let open, open.time == time, !builder.needsDevice || isEqual(open.device, names.device) {
                // Of the same reading.
            } else {
                if open != nil { try builder.end(in: &batch) }
                try builder.begin(device: names.device, time: time, in: &batch)
                open = (names.device, time)
            }
            try append(record, of: pack, sum: sum, named: names.field, into: &batch)
        }
        if open != nil { try builder.end(in: &batch) }
        return try builder.outcome(areTimedByReceipt: pack.isTimedByReceipt, in: batch)
    }

    /// A CBOR array or map, or any tag: nothing that JSON begins with.
    static func isCBOR(_ payload: UnsafeRawBufferPointer) -> Bool {
        guard let first = payload.first else { return false }
        return (0x80...0xDB).contains(first)
    }

    /// Whether a list looks like a pack: its first record has a name and a value, or a base name.
    static func isSenML(_ root: TapeValue) -> Bool {
        guard let record = root.elements.first(where: { _ in true }), record.kind == .object else { return false }
        var (hasBaseName, hasName, hasValue) = (false, false, false)
        for (key, value) in record.members {
            if key.kind == .integer {
                hasBaseName = hasBaseName || (key.integer == -2 && value.kind == .text)
                hasName = hasName || (key.integer == 0 && value.kind == .text)
                hasValue = hasValue || [2, 3, 4, 5, 8].contains(key.integer)
            } else {
                let label = key.bytes
                hasBaseName = hasBaseName || (label == "bn" && value.kind == .text)
                hasName = hasName || (label == "n" && value.kind == .text)
                hasValue = hasValue || label == "v" || label == "vs" || label == "vb" || label == "vd" || label == "s"
            }
        }
        return hasBaseName || (hasName && hasValue)
    }

    private func isEqual(_ a: UnsafeRawBufferPointer?, _ b: UnsafeRawBufferPointer?) -> Bool {
        guard let a, let b else { return a == nil && b == nil }
        return a.elementsEqual(b)
    }

    private mutating func append(
        _ record: SenMLRecord, of pack: SenMLPack, sum: SenMLRecord.Number?, named field: UnsafeRawBufferPointer,
        into batch: inout ReadingBatch
    ) throws(Rejection) {
        switch record.value {
        case .number(let value): try append(field, pack.number(value), into: &batch)
        case .text(let text): try builder.append(field, string: text, in: &batch)
        case .boolean(let value): try builder.append(field, boolean: value, in: &batch)
        case .data(let data): try append(field, data: data, into: &batch)
        case nil: break
        }
        guard let sum else { return }
        try push(field)
        try extendPath("_sum")
        try append(pathName, sum, into: &batch)
        removePath()
    }

    private mutating func append(
        _ field: UnsafeRawBufferPointer, _ number: SenMLRecord.Number, into batch: inout ReadingBatch
    ) throws(Rejection) {
        switch number {
        case .integer(let value): try builder.append(field, integer: value, in: &batch)
        case .double(let value): try builder.append(field, double: value, in: &batch)
        }
    }

    private mutating func append(
        _ field: UnsafeRawBufferPointer, data: TapeValue, into batch: inout ReadingBatch
    ) throws(Rejection) {
        if data.kind == .binary { return try builder.append(field, binary: data.bytes, in: &batch) }
        guard decodedBytes.replace(withBase64URL: data.bytes) else {
            throw Rejection(.badValue, "field \"\(excerpt(field))\": \"vd\" must be base64url")
        }
        let bytes = decodedBytes
        var failure: Rejection?
        bytes.withUnsafeBytes { bytes in
            do throws(Rejection) { try builder.append(field, binary: bytes, in: &batch) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}

extension [UInt8] {
    /// RFC 4648, section 5; padding may be there or not. False: it is something else.
    fileprivate mutating func replace(withBase64URL text: UnsafeRawBufferPointer) -> Bool {
        removeAll(keepingCapacity: true)
        var count = text.count
        while count > 0, text.count - count < 2, text[count - 1] == UInt8(ascii: "=") { count -= 1 }
        guard count % 4 != 1 else { return false }
        var (bits, bitCount): (UInt32, Int) = (0, 0)
        for character in text[..<count] {
            guard let value = Self.base64Value(character) else { return false }
            bits = bits << 6 | UInt32(value)
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
                bits &= 1 << UInt32(bitCount) - 1
            }
        }
        return true
    }

    private static func base64Value(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        // Many write the other alphabet of base64; its two characters mean nothing else here.
        case UInt8(ascii: "-"), UInt8(ascii: "+"): 62
        case UInt8(ascii: "_"), UInt8(ascii: "/"): 63
        default: nil
        }
    }
}

import Telemetry

/// CSV as in RFC 4180: commas, CRLF, quotes doubled. An absent value is empty; an empty string is `""`.
extension [UInt8] {
    mutating func append(csv text: UnsafeRawBufferPointer) {
        let isPlain = !text.isEmpty && !text.contains { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }
        if isPlain { return append(contentsOf: text) }
        append(ascii: "\"")
        for byte in text {
            if byte == 0x22 { append(byte) }
            append(byte)
        }
        append(ascii: "\"")
    }

    mutating func append(csv text: String) {
        var text = text
        text.withUTF8 { append(csv: UnsafeRawBufferPointer($0)) }
    }

    mutating func append(csv cell: Cell, arena: [UInt8]) {
        switch cell.type {
        case nil: break
        case .integer: append(decimal: cell.integer)
        case .double: append(double: cell.double)
        case .boolean: append(text: cell.boolean ? "true" : "false")
        case .string: arena.withUnsafeBytes { append(csv: UnsafeRawBufferPointer(rebasing: $0[cell.byteRange])) }
        case .binary: append(base64: arena[cell.byteRange])
        }
    }

    mutating func appendCSVLineEnd() { append(text: "\r\n") }
}

import Telemetry

/// Writes JSON into bytes and sets the commas; the caller balances objects and arrays.
///
/// Nothing is built up but the bytes, and they may be taken away at any point, so that long answers leave piece by piece.
package struct JSONWriter: Sendable {
    package var bytes: [UInt8] = []
    private var needsComma = false

    package init() {}

    /// The bytes written since the last call.
    package mutating func takeBytes() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }

    package mutating func beginObject() { begin("{") }
    package mutating func endObject() { end("}") }
    package mutating func beginArray() { begin("[") }
    package mutating func endArray() { end("]") }

    package mutating func object(_ body: (inout JSONWriter) throws -> Void) rethrows {
        beginObject()
        try body(&self)
        endObject()
    }

    package mutating func array(_ body: (inout JSONWriter) throws -> Void) rethrows {
        beginArray()
        try body(&self)
        endArray()
    }

    /// The name of a member; its value comes next.
    package mutating func key(_ name: String) {
        string(name)
        bytes.append(ascii: ":")
        needsComma = false
    }

    /// A name that is quoted already, with its colon.
    mutating func encodedKey(_ key: [UInt8]) {
        value { $0.append(contentsOf: key) }
        needsComma = false
    }

    /// One value on a line of its own (NDJSON).
    mutating func line(_ body: (inout JSONWriter) -> Void) {
        needsComma = false
        body(&self)
        endLine()
    }

    /// Ends a document, or a line of one: the next value stands alone.
    package mutating func endLine() {
        bytes.append(ascii: "\n")
        needsComma = false
    }

    package mutating func null() { value { $0.append(text: "null") } }
    package mutating func boolean(_ flag: Bool) { value { $0.append(text: flag ? "true" : "false") } }
    package mutating func integer(_ number: Int64) { value { $0.append(decimal: number) } }

    /// NaN and infinities have no JSON and cannot be stored; they would come out as null.
    package mutating func double(_ number: Double) {
        value { number.isFinite ? $0.append(double: number) : $0.append(text: "null") }
    }

    package mutating func string(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in value { $0.append(quotedJSON: UnsafeRawBufferPointer(utf8)) } }
    }

    /// Bytes as a string (RFC 4648, padded).
    mutating func base64(_ bytes: some Collection<UInt8>) {
        value {
            $0.append(ascii: "\"")
            $0.append(base64: bytes)
            $0.append(ascii: "\"")
        }
    }

    package mutating func time(_ time: Timestamp?, as format: TimeFormat) {
        guard let time else { return null() }
        value {
            if format == .rfc3339 { $0.append(ascii: "\"") }
            $0.append(time: time, as: format)
            if format == .rfc3339 { $0.append(ascii: "\"") }
        }
    }

    /// - Parameter arena: holds the bytes of strings (UTF-8) and binaries (written as base64).
    package mutating func cell(_ cell: Cell, arena: [UInt8]) {
        switch cell.type {
        case nil: null()
        case .integer: integer(cell.integer)
        case .double: double(cell.double)
        case .boolean: boolean(cell.boolean)
        case .string:
            arena.withUnsafeBytes { all in
                value { $0.append(quotedJSON: UnsafeRawBufferPointer(rebasing: all[cell.byteRange])) }
            }
        case .binary: base64(arena[cell.byteRange])
        }
    }

    /// Text that is JSON already.
    package mutating func raw(_ json: [UInt8]) { value { $0.append(contentsOf: json) } }

    package mutating func member(_ name: String, _ text: String) {
        key(name)
        string(text)
    }

    package mutating func member(_ name: String, _ number: Int) {
        key(name)
        integer(Int64(number))
    }

    package mutating func member(_ name: String, _ number: Double) {
        key(name)
        double(number)
    }

    package mutating func member(_ name: String, _ flag: Bool) {
        key(name)
        boolean(flag)
    }

    package mutating func member(_ name: String, _ time: Timestamp?, as format: TimeFormat) {
        key(name)
        self.time(time, as: format)
    }

    /// A length of time in seconds; a fraction only where it has one.
    package mutating func member(_ name: String, seconds span: TimeSpan) {
        key(name)
        time(Timestamp(microseconds: span.microseconds), as: .seconds)
    }

    /// A length of time in milliseconds; a fraction only where it has one.
    package mutating func member(_ name: String, milliseconds span: TimeSpan) {
        key(name)
        time(Timestamp(microseconds: span.microseconds), as: .milliseconds)
    }

    @inline(__always)
    private mutating func value(_ body: (inout [UInt8]) -> Void) {
        if needsComma { bytes.append(ascii: ",") }
        body(&bytes)
        needsComma = true
    }

    private mutating func begin(_ bracket: Unicode.Scalar) {
        value { $0.append(ascii: bracket) }
        needsComma = false
    }

    private mutating func end(_ bracket: Unicode.Scalar) {
        bytes.append(ascii: bracket)
        needsComma = true
    }
}

extension [UInt8] {
    /// A JSON string of UTF-8: quotes, backslashes and control characters escaped (RFC 8259 §7), the rest as it is.
    mutating func append(quotedJSON text: UnsafeRawBufferPointer) {
        append(ascii: "\"")
        var start = 0
        for index in 0..<text.count {
            let byte = text[index]
            guard byte < 0x20 || byte == 0x22 || byte == 0x5C else { continue }
            append(contentsOf: UnsafeRawBufferPointer(rebasing: text[start..<index]))
            append(escape: byte)
            start = index + 1
        }
        append(contentsOf: UnsafeRawBufferPointer(rebasing: text[start..<text.count]))
        append(ascii: "\"")
    }

    private mutating func append(escape byte: UInt8) {
        append(ascii: "\\")
        switch byte {
        case 0x22, 0x5C: append(byte)
        case 0x0A: append(ascii: "n")
        case 0x0D: append(ascii: "r")
        case 0x09: append(ascii: "t")
        default:
            let hex = Array<UInt8>("0123456789abcdef".utf8)
            append(text: "u00")
            append(hex[Int(byte >> 4)])
            append(hex[Int(byte & 15)])
        }
    }
}

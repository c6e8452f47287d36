/// A JSON text as a tree, for the small bodies of queries. Readings go through `Dialects`.
package enum JSONValue: Equatable, Sendable {
    case null
    case boolean(Bool)
    /// As written.
    case number(String)
    case string(String)
    case array([JSONValue])
    /// Members in their order; a name may come twice.
    case object([Member])

    package struct Member: Equatable, Sendable {
        package var name: String
        package var value: JSONValue

        package init(name: String, value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// Where and why a text is not JSON (RFC 8259).
    package struct SyntaxError: Error, Equatable {
        package var offset: Int
        package var detail: String
    }

    /// - Parameter bytes: UTF-8, nothing but white space around the value.
    package static func parse(_ bytes: [UInt8]) throws(SyntaxError) -> JSONValue {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw SyntaxError(offset: 0, detail: "not UTF-8") }
        var parser = JSONParser(bytes: bytes)
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.position == bytes.count else { throw parser.error("text behind the value") }
        return value
    }
}

private struct JSONParser {
    /// Nested arrays and objects; keeps hostile bodies off the stack.
    static let depthLimit = 32

    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    func error(_ detail: String) -> JSONValue.SyntaxError { JSONValue.SyntaxError(offset: position, detail: detail) }

    mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    mutating func value(depth: Int) throws(JSONValue.SyntaxError) -> JSONValue {
        guard depth <= Self.depthLimit else { throw error("nested too deeply") }
        skipSpace()
        switch current {
        case UInt8(ascii: "{"): return .object(try members(depth: depth))
        case UInt8(ascii: "["): return .array(try elements(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard current == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func word(_ text: String, _ value: JSONValue) throws(JSONValue.SyntaxError) -> JSONValue {
        guard bytes[position...].starts(with: text.utf8) else { throw error("no value") }
        position += text.utf8.count
        return value
    }

    private mutating func elements(depth: Int) throws(JSONValue.SyntaxError) -> [JSONValue] {
        position += 1
        var elements: [JSONValue] = []
        skipSpace()
        if skip("]") { return elements }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if skip("]") { return elements }
            guard skip(",") else { throw error("no comma or ] after an element") }
        }
    }

    private mutating func members(depth: Int) throws(JSONValue.SyntaxError) -> [JSONValue.Member] {
        position += 1
        var members: [JSONValue.Member] = []
        skipSpace()
        if skip("}") { return members }
        while true {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw error("no member name") }
            let name = try string()
            skipSpace()
            guard skip(":") else { throw error("no colon after a member name") }
            members.append(JSONValue.Member(name: name, value: try value(depth: depth + 1)))
            skipSpace()
            if skip("}") { return members }
            guard skip(",") else { throw error("no comma or } after a member") }
        }
    }

    private mutating func number() throws(JSONValue.SyntaxError) -> JSONValue {
        let start = position
        _ = skip("-")
        let isZero = skip("0")
        guard isZero || digits() else { throw error("no value") }
        if skip("."), !digits() { throw error("no digit after the point") }
        if skip("e") || skip("E") {
            if !skip("+") { _ = skip("-") }
            guard digits() else { throw error("no digit in the exponent") }
        }
        return .number(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func digits() -> Bool {
        let start = position
        while let byte = current, (0x30...0x39).contains(byte) { position += 1 }
        return position > start
    }

    private mutating func string() throws(JSONValue.SyntaxError) -> String {
        position += 1
        var text: [UInt8] = []
        while let byte = current {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): text.append(contentsOf: String(try escape()).utf8)
            case ..<0x20: throw error("control character in a string")
            default: text.append(byte)
            }
        }
        throw error("string without end")
    }

    private mutating func escape() throws(JSONValue.SyntaxError) -> Character {
        guard let byte = current else { throw error("string without end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Character(Unicode.Scalar(byte))
        case UInt8(ascii: "b"): return "\u{08}"
        case UInt8(ascii: "f"): return "\u{0C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return Character(try scalar())
        default: throw error("unknown escape")
        }
    }

    /// Behind `\u`: four hex digits, or a pair of surrogates.
    private mutating func scalar() throws(JSONValue.SyntaxError) -> Unicode.Scalar {
        let first = try codeUnit()
        if let scalar = Unicode.Scalar(UInt32(first)) { return scalar }
        guard UTF16.isLeadSurrogate(first), skip("\\"), skip("u") else { throw error("lone surrogate") }
        let second = try codeUnit()
        guard UTF16.isTrailSurrogate(second) else { throw error("lone surrogate") }
        return UTF16.decode(UTF16.EncodedScalar([first, second]))
    }

    private mutating func codeUnit() throws(JSONValue.SyntaxError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw error("bad \\u escape") }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }
}

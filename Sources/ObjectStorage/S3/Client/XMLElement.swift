/// An element of the small documents that S3 answers with: names without their namespace, text, children. Attributes are skipped.
///
/// Written for hostile input: everything is bounded, nothing is recursive, what is not understood is an error.
struct XMLElement: Equatable, Sendable {
    struct Failure: Error, Equatable { var offset: Int }

    /// A listing of 500 uploads with keys of 1 KiB fits twice.
    static let byteCountLimit = 2 << 20
    /// Documents of S3 have four levels.
    static let depthLimit = 16
    static let elementCountLimit = 50_000

    var name: String
    var text = ""
    var children: [XMLElement] = []

    subscript(_ name: String) -> XMLElement? { children.first { $0.name == name } }

    func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

    /// The text of a child, without white space around it; nil if there is none or it is empty.
    func value(_ name: String) -> String? {
        guard let text = self[name]?.text else { return nil }
        let trimmed = text.drop(while: \.isWhitespace)
        guard let last = trimmed.lastIndex(where: { !$0.isWhitespace }) else { return nil }
        return String(trimmed[...last])
    }

    /// - Throws: `Failure` with the offset of what is wrong, too deep, or too much.
    static func parse(_ bytes: [UInt8]) throws(Failure) -> XMLElement {
        var parser = XMLParser(bytes)
        return try parser.parse()
    }
}

private struct XMLParser {
    private let bytes: [UInt8]
    private var position = 0
    /// The open elements, outermost first. Their texts are gathered as bytes.
    private var open: [(element: XMLElement, text: [UInt8])] = []
    private var elementCount = 0
    private var root: XMLElement?

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func parse() throws(XMLElement.Failure) -> XMLElement {
        guard bytes.count <= XMLElement.byteCountLimit else { throw failure }
        skip([0xEF, 0xBB, 0xBF])
        while position < bytes.count {
            if bytes[position] == UInt8(ascii: "<") { try markup() } else { try text() }
        }
        guard open.isEmpty, let root else { throw failure }
        return root
    }

    private var failure: XMLElement.Failure { .init(offset: position) }

    @discardableResult private mutating func skip(_ token: [UInt8]) -> Bool {
        guard bytes[position...].starts(with: token) else { return false }
        position += token.count
        return true
    }

    /// - Returns: the bytes up to `end`, which is skipped.
    private mutating func take(until end: String) throws(XMLElement.Failure) -> ArraySlice<UInt8> {
        let end = Array(end.utf8)
        let start = position
        while position < bytes.count {
            if skip(end) { return bytes[start..<(position - end.count)] }
            position += 1
        }
        throw failure
    }

    private mutating func markup() throws(XMLElement.Failure) {
        if skip(Array("<?".utf8)) {
            _ = try take(until: "?>")
        } else if skip(Array("<!--".utf8)) {
            _ = try take(until: "-->")
        } else if skip(Array("<![CDATA[".utf8)) {
            let content = try take(until: "]]>")
            guard !open.isEmpty else { throw failure }
            open[open.count - 1].text += content
        } else if skip(Array("</".utf8)) {
            try endTag()
        } else if bytes[position...].starts(with: Array("<!".utf8)) {
            // Documents that define entities of their own are not S3's.
            throw failure
        } else {
            position += 1
            try startTag()
        }
    }

    private mutating func startTag() throws(XMLElement.Failure) {
        let name = try name()
        elementCount += 1
        guard elementCount <= XMLElement.elementCountLimit, open.count < XMLElement.depthLimit, root == nil else { throw failure }
        open.append((XMLElement(name: name), []))
        let isEmpty = try skipAttributes()
        if isEmpty { close() }
    }

    private mutating func endTag() throws(XMLElement.Failure) {
        let name = try name()
        skipSpaces()
        guard skip([UInt8(ascii: ">")]), open.last?.element.name == name else { throw failure }
        close()
    }

    private mutating func close() {
        guard let last = open.popLast() else { return }
        var element = last.element
        element.text = String(decoding: last.text, as: UTF8.self)
        if open.isEmpty { root = element } else { open[open.count - 1].element.children.append(element) }
    }

    /// A name, without the prefix of its namespace.
    private mutating func name() throws(XMLElement.Failure) -> String {
        let start = position
        while position < bytes.count, Self.isNameByte(bytes[position]) { position += 1 }
        let name = bytes[start..<position]
        let local = name.lastIndex(of: UInt8(ascii: ":")).map { name[($0 + 1)...] } ?? name
        guard !local.isEmpty else { throw failure }
        return String(decoding: local, as: UTF8.self)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"), 0x80...: true
        default: false
        }
    }

    private mutating func skipSpaces() {
        while position < bytes.count, Self.isSpace(bytes[position]) { position += 1 }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    /// Up to the end of a start tag.
    /// - Returns: whether it ends the element, too.
    private mutating func skipAttributes() throws(XMLElement.Failure) -> Bool {
        var quote: UInt8?
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch (byte, quote) {
            case (UInt8(ascii: "\""), nil), (UInt8(ascii: "'"), nil): quote = byte
            case (let byte, let open?) where byte == open: quote = nil
            case (UInt8(ascii: "<"), nil): throw failure
            case (UInt8(ascii: ">"), nil): return bytes[position - 2] == UInt8(ascii: "/")
            default: break
            }
        }
        throw failure
    }

    private mutating func text() throws(XMLElement.Failure) {
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: "<"), bytes[position] != UInt8(ascii: "&") { position += 1 }
        if open.isEmpty {
            guard position > start, bytes[start..<position].allSatisfy(Self.isSpace) else { throw failure }
            return
        }
        open[open.count - 1].text += bytes[start..<position]
        if position < bytes.count, bytes[position] == UInt8(ascii: "&") { try reference() }
    }

    /// `&lt;`, `&#39;`, `&#x27;`
    private mutating func reference() throws(XMLElement.Failure) {
        position += 1
        let start = position
        // The longest, &#x10FFFF;, has eight bytes between & and the semicolon.
        while position < bytes.count, bytes[position] != UInt8(ascii: ";"), position - start <= 8 { position += 1 }
        guard position < bytes.count, bytes[position] == UInt8(ascii: ";") else { throw failure }
        guard let scalar = Self.scalar(String(decoding: bytes[start..<position], as: UTF8.self)) else { throw failure }
        position += 1
        open[open.count - 1].text += Array(String(Character(scalar)).utf8)
    }

    private static func scalar(_ name: String) -> Unicode.Scalar? {
        switch name {
        case "lt": "<"
        case "gt": ">"
        case "amp": "&"
        case "quot": "\""
        case "apos": "'"
        case _ where name.hasPrefix("#x"): UInt32(name.dropFirst(2), radix: 16).flatMap(Unicode.Scalar.init)
        case _ where name.hasPrefix("#"): UInt32(name.dropFirst()).flatMap(Unicode.Scalar.init)
        default: nil
        }
    }
}

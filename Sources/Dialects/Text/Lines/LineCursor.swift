import Telemetry

/// Cuts a payload into lines: blank lines and comments are skipped, a line break between quotes belongs to its line.
struct LineScanner {
    private var payload = UnsafeRawBufferPointer(start: nil, count: 0)
    private var position = 0
    private var nextNumber = 1
    /// Of the line given last, counted from 1.
    private(set) var number = 0
    /// Lines that the line given last takes, if a quote of it is never closed; otherwise 1.
    private(set) var takenLineCount = 1

    mutating func start(_ payload: UnsafeRawBufferPointer) {
        self.payload = payload
        (position, nextNumber, number) = (0, 1, 0)
    }

    /// Without white space at its ends; nil behind the last.
    mutating func next() -> UnsafeRawBufferPointer? {
        while position < payload.count {
            let start = position
            number = nextNumber
            let isClosed = skipLine()
            let line = payload.slice(start..<position).trimmed
            takenLineCount = isClosed ? 1 : line.filledLineCount
            position += 1
            nextNumber += 1
            if let first = line.first, first != UInt8(ascii: "#") { return line }
        }
        return nil
    }

    /// To the line's end. Source: InfluxDB, models/points.go, scanLine: quotes count only behind the first blank, and in a value.
    /// - Returns: false when the payload ends between quotes.
    private mutating func skipLine() -> Bool {
        let isComment = payload.slice(position..<payload.count).first { $0 != 0x20 && $0 != 0x09 } == UInt8(ascii: "#")
        var (isInFields, isQuoted) = (false, false)
        var (equals, commas) = (0, 0)
        while position < payload.count {
            let byte = payload[position]
            if byte == UInt8(ascii: "\n") {
                if !isQuoted { return true }
                nextNumber += 1
            } else if byte == UInt8(ascii: "\\"), !isComment, position + 1 < payload.count, payload[position + 1] != UInt8(ascii: "\n") {
                position += 1
            } else if byte == UInt8(ascii: " ") {
                isInFields = true
            } else if isInFields, !isComment {
                if byte == UInt8(ascii: "\""), equals > commas {
                    isQuoted.toggle()
                } else if !isQuoted {
                    equals += byte == UInt8(ascii: "=") ? 1 : 0
                    commas += byte == UInt8(ascii: ",") ? 1 : 0
                }
            }
            position += 1
        }
        return !isQuoted
    }
}

/// Reads one line of line protocol front to back. Slices still have their escapes.
struct LineCursor {
    private let line: UnsafeRawBufferPointer
    private let number: Int
    private var position = 0

    /// - Parameter line: not empty.
    /// - Parameter number: of the line in its payload.
    init(_ line: UnsafeRawBufferPointer, number: Int) {
        self.line = line
        self.number = number
    }

    mutating func measurement() throws(Rejection) -> UnsafeRawBufferPointer {
        let name = token(until: { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: " ") })
        guard name.count > 0 else { throw Rejection(.undecodable, "no measurement before the comma") }
        guard position < line.count else { throw Rejection(.undecodable, "no field behind the measurement \"\(excerpt(name))\"") }
        return name
    }

    /// The next tag; nil when the tags are over.
    mutating func tag() throws(Rejection) -> (key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)? {
        guard skipComma() else { return nil }
        let key = token(until: Self.endsTag)
        guard key.count > 0, position < line.count, line[position] == UInt8(ascii: "=") else {
            throw Rejection(.undecodable, "tag \"\(excerpt(key))\": a tag is written name=value")
        }
        position += 1
        let value = token(until: Self.endsTag)
        guard value.count > 0, position < line.count, line[position] != UInt8(ascii: "=") else {
            throw Rejection(.undecodable, "tag \"\(excerpt(key))\": no value, an equals sign in it, or no field behind the tags")
        }
        return (key, value)
    }

    mutating func field() throws(Rejection) -> (key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        skipBlanks()
        let key = token(until: Self.endsTag)
        guard key.count > 0, position < line.count, line[position] == UInt8(ascii: "=") else {
            throw Rejection(.undecodable, "field \"\(excerpt(key))\": a field is written name=value")
        }
        position += 1
        let start = position
        if position < line.count, line[position] == UInt8(ascii: "\"") {
            try skipString()
        } else {
            while position < line.count, line[position] != UInt8(ascii: ","), line[position] != UInt8(ascii: " ") { position += 1 }
        }
        guard position > start else { throw Rejection(.undecodable, "field \"\(excerpt(key))\": no value") }
        guard position == line.count || line[position] == UInt8(ascii: ",") || line[position] == UInt8(ascii: " ") else {
            throw Rejection(.undecodable, "field \"\(excerpt(key))\": text behind the closing quote")
        }
        return (key, line.slice(start..<position))
    }

    /// What stands behind the fields; nil: nothing.
    mutating func timestamp() -> UnsafeRawBufferPointer? {
        skipBlanks()
        return position < line.count ? line.slice(position..<line.count) : nil
    }

    mutating func skipComma() -> Bool {
        guard position < line.count, line[position] == UInt8(ascii: ",") else { return false }
        position += 1
        return true
    }

    private static func endsTag(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "=") || byte == UInt8(ascii: " ")
    }

    /// Up to a byte that ends it and has no backslash before it.
    private mutating func token(until ends: (UInt8) -> Bool) -> UnsafeRawBufferPointer {
        let start = position
        while position < line.count, !ends(line[position]) || (position > start && line[position - 1] == UInt8(ascii: "\\")) {
            position += 1
        }
        return line.slice(start..<position)
    }

    private mutating func skipString() throws(Rejection) {
        let start = position
        position += 1
        while position < line.count, line[position] != UInt8(ascii: "\"") {
            position += line[position] == UInt8(ascii: "\\") && position + 1 < line.count ? 2 : 1
        }
        guard position < line.count else {
            let openingLine = number + line.slice(0..<start).count { $0 == UInt8(ascii: "\n") }
            throw Rejection(.undecodable, "the quote that is opened on line \(openingLine) is never closed")
        }
        position += 1
    }

    private mutating func skipBlanks() {
        while position < line.count, line[position] == UInt8(ascii: " ") { position += 1 }
    }

    /// Appends a name or a tag's value.
    static func unescape(_ token: UnsafeRawBufferPointer, into result: inout ScratchBytes) {
        guard token.contains(UInt8(ascii: "\\")) else { return result.append(token) }
        for (index, byte) in token.enumerated() {
            if byte == UInt8(ascii: "\\"), index + 1 < token.count, endsTag(token[index + 1]) { continue }
            result.append(byte)
        }
    }

    /// - Parameter quoted: what stands between the quotes.
    /// - Returns: the text, in `memory` where it had escapes.
    static func unescapedString(_ quoted: UnsafeRawBufferPointer, memory: inout ScratchBytes) -> UnsafeRawBufferPointer {
        guard quoted.contains(UInt8(ascii: "\\")) else { return quoted }
        var index = 0
        while index < quoted.count {
            let isEscape =
                quoted[index] == UInt8(ascii: "\\") && index + 1 < quoted.count
                && (quoted[index + 1] == UInt8(ascii: "\"") || quoted[index + 1] == UInt8(ascii: "\\"))
            if isEscape { index += 1 }
            memory.append(quoted[index])
            index += 1
        }
        return memory.bytes
    }
}

/// The value of a field of line protocol, by its spelling.
enum LineValue {
    case integer(Int64)
    case double(Double)
    case boolean(Bool)
    /// Between its quotes, escapes unresolved.
    case string(UnsafeRawBufferPointer)
    /// A number beyond 64 bits or the doubles.
    case tooBig
    case malformed

    /// - Parameter text: not empty.
    init(_ text: UnsafeRawBufferPointer) {
        let last = text[text.count - 1]
        if text[0] == UInt8(ascii: "\"") {
            self = text.count >= 2 ? .string(text.slice(1..<text.count - 1)) : .malformed
        } else if last == UInt8(ascii: "i") || last == UInt8(ascii: "u") {
            self = Self.whole(text.slice(0..<text.count - 1), isUnsigned: last == UInt8(ascii: "u"))
        } else if let number = NumberText.read(text) {
            // A plain number is a float, whatever its digits.
            self = number == .tooBig ? .tooBig : NumberText.double(text).map { .double($0) } ?? .tooBig
        } else {
            self = Self.boolean(text).map { .boolean($0) } ?? .malformed
        }
    }

    private static func whole(_ digits: UnsafeRawBufferPointer, isUnsigned: Bool) -> LineValue {
        guard let first = digits.first, !(isUnsigned && first == UInt8(ascii: "-")) else { return .malformed }
        switch NumberText.read(digits) {
        case .integer(let value): return .integer(value)
        case .tooBig: return digits.contains(UInt8(ascii: ".")) ? .malformed : .tooBig
        default: return .malformed
        }
    }

    private static func boolean(_ text: UnsafeRawBufferPointer) -> Bool? {
        if trueWords.contains(where: { text == $0 }) { return true }
        return falseWords.contains { text == $0 } ? false : nil
    }

    private static let trueWords: [StaticString] = ["t", "T", "true", "True", "TRUE"]
    private static let falseWords: [StaticString] = ["f", "F", "false", "False", "FALSE"]
}

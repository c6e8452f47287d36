/// What the first line of a text gives away.
struct TextClues {
    private let text: UnsafeRawBufferPointer

    /// - Parameter text: trimmed, not empty.
    init(_ text: UnsafeRawBufferPointer) { self.text = text }

    var guess: FormatGuess {
        if text.equalsIgnoringCase("online") || text.equalsIgnoringCase("offline") {
            return FormatGuess(.state, because: "the payload is online or offline")
        }
        if isNumber { return FormatGuess(.value, because: "the payload is a number") }
        if Self.words.contains(where: { text.equalsIgnoringCase($0) }) {
            return FormatGuess(.value, because: "the payload is a switch's word")
        }
        if text.count > 1, text.first == UInt8(ascii: "\""), text.last == UInt8(ascii: "\"") {
            return FormatGuess(.value, because: "the payload is a text in quotes")
        }
        guard isUTF8(text) else { return FormatGuess(nil, because: "the payload is neither text nor a binary format that is known") }
        if isLineProtocol { return FormatGuess(.lineProtocol, because: "the first line is a name, a space, and field=value") }
        if isCSV { return FormatGuess(.csv, because: "there are several lines and the first has a comma") }
        return FormatGuess(nil, because: "the payload looks like no format that is known")
    }

    /// Digits with a sign, a point, an exponent, in any order that makes sense to somebody: whether it is one, the decoding says.
    private var isNumber: Bool {
        guard text.count <= 40, let first = text.first, isDigit(first) || Self.signsAndPoint.contains(first) else { return false }
        return text.contains(where: isDigit) && text.allSatisfy { isDigit($0) || Self.signsAndPoint.contains($0) || $0 | 0x20 == 0x65 }
    }

    private static let words: [StaticString] = ["true", "false", "on", "off", "open", "closed", "yes", "no"]
    private static let signsAndPoint: Set<UInt8> = [0x2B, 0x2D, 0x2E]

    private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    /// `weather,location=us temperature=82`: behind the first space that is not escaped there is a key with a value. Comments may precede.
    private var isLineProtocol: Bool {
        var line = firstLine(from: 0)
        while line.first == UInt8(ascii: "#"), line.endIndex < text.count { line = firstLine(from: line.endIndex + 1) }
        var position = line.startIndex
        while position < line.endIndex, line[position] != UInt8(ascii: " ") {
            position += line[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard position > line.startIndex, position < line.endIndex else { return false }
        let fields = line[(position + 1)...]
        guard let equals = fields.firstIndex(of: UInt8(ascii: "=")) else { return false }
        return equals > fields.startIndex && equals + 1 < fields.endIndex
    }

    private var isCSV: Bool {
        let line = firstLine(from: 0)
        return line.endIndex < text.count && line.contains(UInt8(ascii: ","))
    }

    private func firstLine(from start: Int) -> Slice<UnsafeRawBufferPointer> {
        let rest = text[min(start, text.count)...]
        return rest[..<(rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex)]
    }
}

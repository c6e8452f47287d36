/// String literals of PromQL, which are those of Go: `"…"` and `'…'` with escapes, `` `…` `` without.
enum PromQLString {
    private static let plainEscapes: [UInt8: UInt8] = [
        UInt8(ascii: "n"): 0x0A, UInt8(ascii: "t"): 0x09, UInt8(ascii: "r"): 0x0D, UInt8(ascii: "\\"): 0x5C, UInt8(ascii: "\""): 0x22,
        UInt8(ascii: "'"): 0x27,
    ]

    /// - Parameter index: at the opening quote; behind the closing one when it returns.
    static func read(_ bytes: [UInt8], _ index: inout Int) throws(PrometheusError) -> String {
        let start = index
        let quote = bytes[index]
        var text: [UInt8] = []
        index += 1
        while index < bytes.count, bytes[index] != quote {
            guard bytes[index] == UInt8(ascii: "\\"), quote != UInt8(ascii: "`") else {
                text.append(bytes[index])
                index += 1
                continue
            }
            let place = index
            guard try readEscape(bytes, &index, into: &text) else {
                throw PromQLLexer.error(
                    in: bytes, at: place, #"an escape is one of \n \t \r \\ \" \' \xHH \uHHHH \UHHHHHHHH; ` quotes without any"#)
            }
        }
        guard index < bytes.count else { throw PromQLLexer.error(in: bytes, at: start, "a string without an end") }
        index += 1
        guard let result = String(validating: text, as: UTF8.self) else {
            throw PromQLLexer.error(in: bytes, at: start, "a string that is not UTF-8")
        }
        return result
    }

    private static func readEscape(_ bytes: [UInt8], _ index: inout Int, into text: inout [UInt8]) throws(PrometheusError) -> Bool {
        guard index + 1 < bytes.count else { return false }
        let kind = bytes[index + 1]
        index += 2
        if let byte = plainEscapes[kind] {
            text.append(byte)
            return true
        }
        let digitCount = [UInt8(ascii: "x"): 2, UInt8(ascii: "u"): 4, UInt8(ascii: "U"): 8][kind] ?? 0
        guard digitCount > 0, index + digitCount <= bytes.count,
            let value = UInt32(String(decoding: bytes[index..<(index + digitCount)], as: UTF8.self), radix: 16)
        else { return false }
        index += digitCount
        if digitCount == 2 {
            text.append(UInt8(truncatingIfNeeded: value))
            return true
        }
        guard let scalar = Unicode.Scalar(value) else { return false }
        text.append(contentsOf: UTF8.encode(scalar)!)
        return true
    }
}

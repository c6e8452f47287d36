/// Bounds as a file has them: PLAIN bytes, those of long byte strings cut short.
struct EncodedBounds: Equatable {
    /// Longer byte strings are cut to this. Devices (`Limits.deviceByteCount`) fit.
    static let byteCountLimit = 256

    let minimum: [UInt8]
    let maximum: [UInt8]
    /// False: cut short.
    let minimumIsExact: Bool
    let maximumIsExact: Bool

    /// Nil: there are no bounds, they cannot be cut short, or there is a NaN besides. The specification has bounds leave NaN out; but
    /// duckdb and Spark, for which NaN is greater than all numbers, then skip it when they look for what is above the maximum.
    init?(_ bounds: ValueBounds, of buffer: ColumnBuffer) {
        guard bounds.nanCount == 0, let (least, greatest) = bounds.words else { return nil }
        switch buffer.column.type {
        case .int64, .timestampMicrosUTC, .double: self.init([Self.bytes(of: least), Self.bytes(of: greatest)])
        case .boolean: self.init([[UInt8(least)], [UInt8(greatest)]])
        case .string, .binary:
            let isText = buffer.column.type == .string
            self.init([least, greatest].map { buffer.dictionary.withEntry(Int($0)) { Array($0) } }, isText: isText)
        }
    }

    /// - Parameter values: the least and the greatest.
    private init?(_ values: [[UInt8]], isText: Bool = false) {
        guard let minimum = Self.lowerBound(values[0], isText: isText), let maximum = Self.upperBound(values[1], isText: isText)
        else { return nil }
        (self.minimum, self.maximum) = (minimum, maximum)
        (minimumIsExact, maximumIsExact) = (minimum == values[0], maximum == values[1])
    }

    private static func bytes(of word: UInt64) -> [UInt8] { withUnsafeBytes(of: word.littleEndian) { Array($0) } }

    /// At most `byteCountLimit` bytes, not above `value`. Text stays valid text; nil if it was none.
    static func lowerBound(_ value: [UInt8], isText: Bool) -> [UInt8]? {
        guard value.count > byteCountLimit else { return value }
        return isText ? textPrefix(value).map { Array($0.utf8) } : Array(value[..<byteCountLimit])
    }

    /// About `byteCountLimit` bytes, not below `value`: its prefix with the last element that can be raised raised by one, and nothing
    /// behind it. Nil if none can be.
    static func upperBound(_ value: [UInt8], isText: Bool) -> [UInt8]? {
        guard value.count > byteCountLimit else { return value }
        return isText ? textPrefix(value).flatMap { raised($0.unicodeScalars) } : raised(Array(value[..<byteCountLimit]))
    }

    private static func raised(_ prefix: [UInt8]) -> [UInt8]? {
        guard let last = prefix.lastIndex(where: { $0 < .max }) else { return nil }
        return prefix[..<last] + [prefix[last] + 1]
    }

    /// UTF-8 orders as its code points do.
    private static func raised(_ prefix: String.UnicodeScalarView) -> [UInt8]? {
        guard let last = prefix.lastIndex(where: { $0.value < 0x10_FFFF }) else { return nil }
        // Surrogates are no characters.
        let next = prefix[last].value == 0xD7FF ? 0xE000 : prefix[last].value + 1
        guard let scalar = Unicode.Scalar(next) else { return nil }
        var result = String.UnicodeScalarView(prefix[..<last])
        result.append(scalar)
        return Array(String(result).utf8)
    }

    /// The first whole characters within `byteCountLimit` bytes.
    private static func textPrefix(_ value: [UInt8]) -> String? {
        var end = byteCountLimit
        while end > 0, value[end] & 0xC0 == 0x80 { end -= 1 }
        return String(validating: value[..<end], as: UTF8.self)
    }
}

/// A request's target, split before anything is percent-decoded: a device id may hold `/`, `?`, `,` and `&`.
struct RequestTarget {
    /// Still encoded; `/a/b` has two, `/` has one, empty.
    let segments: [Substring]
    /// Still encoded, without the `?`.
    let query: Substring

    init(_ target: String) {
        // Bytes, not characters: nothing that is looked for is more than one, and this is done for every request.
        let (slash, question) = (UInt8(ascii: "/"), UInt8(ascii: "?"))
        var rest = target.utf8[...]
        // Absolute form (RFC 9112 §3.2.2): the path starts behind the authority.
        if rest.first != slash, let scheme = target.firstRange(of: "://") {
            rest = rest[scheme.upperBound...].drop { $0 != slash && $0 != question }
        }
        rest = rest.prefix { $0 != UInt8(ascii: "#") }
        let path = rest.prefix { $0 != question }
        query = Substring(rest[path.endIndex...].dropFirst())
        segments = path.dropFirst(path.first == slash ? 1 : 0).split(separator: slash, omittingEmptySubsequences: false).map(Substring.init)
    }

    /// For a path that is none: what may be meant by it.
    var slashHint: String {
        let isDevice = segments.count > 4 && segments.starts(with: ["api", "v1", "devices"])
        return isDevice ? " A / in a device id is written %2F." : ""
    }
}

enum PercentEncoding {
    /// - Parameter plusIsSpace: as HTML forms and most query builders write it.
    /// - Returns: nil when a `%` is not followed by two hex digits, or the result is not UTF-8.
    static func decode(_ text: Substring, plusIsSpace: Bool = false) -> String? {
        let (percent, plus) = (UInt8(ascii: "%"), UInt8(ascii: "+"))
        guard text.utf8.contains(where: { $0 == percent || plusIsSpace && $0 == plus }) else { return String(text) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var source = text.utf8.makeIterator()
        while let byte = source.next() {
            switch byte {
            case percent:
                guard let high = source.next().flatMap(hexDigit), let low = source.next().flatMap(hexDigit) else { return nil }
                bytes.append(high << 4 | low)
            case plus where plusIsSpace:
                bytes.append(UInt8(ascii: " "))
            default:
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Every byte that is no letter, digit or one of `-._~/` as `%XX`.
    static func encode(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D...0x2F, 0x5F, 0x7E: bytes.append(byte)
            default: bytes += [0x25, upperHex[Int(byte >> 4)], upperHex[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let upperHex = Array("0123456789ABCDEF".utf8)

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }
}

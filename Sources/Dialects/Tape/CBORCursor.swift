import Telemetry

/// Reads the heads of CBOR's data items, with every bound checked. Source: RFC 8949, sections 3 and 3.3.
struct CBORCursor {
    enum Major: UInt8 {
        case unsigned, negative, bytes, text, array, map, tag, simple
    }

    struct Head {
        var major: Major
        /// The low five bits of the first byte.
        var information: UInt8
        /// Value, count, tag or the bits of a float; nil for an indefinite length and for the break.
        var argument: UInt64?
    }

    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var byteCount: Int { bytes.count }
    var isAtEnd: Bool { position == bytes.count }

    mutating func head() throws(Rejection) -> Head {
        guard position < bytes.count else { throw Self.truncated }
        let first = bytes[position]
        position += 1
        guard let major = Major(rawValue: first >> 5) else { throw Self.truncated }
        let information = first & 31
        switch information {
        case ..<24: return Head(major: major, information: information, argument: UInt64(information))
        case 24...27:
            let argument = try argument(byteCount: 1 << Int(information - 24))
            return Head(major: major, information: information, argument: argument)
        case 31: return Head(major: major, information: information, argument: nil)
        default: throw Rejection(.undecodable, "not CBOR: a reserved length")
        }
    }

    /// The next bytes as they are.
    mutating func take(_ count: UInt64?) throws(Rejection) -> UnsafeRawBufferPointer {
        guard let count, count <= UInt64(bytes.count - position) else { throw Self.truncated }
        let taken = UnsafeRawBufferPointer(rebasing: bytes[position..<position + Int(count)])
        position += Int(count)
        return taken
    }

    /// True when a break was next, which is now behind.
    mutating func skipBreak() -> Bool {
        guard position < bytes.count, bytes[position] == 0xFF else { return false }
        position += 1
        return true
    }

    private mutating func argument(byteCount: Int) throws(Rejection) -> UInt64 {
        guard byteCount <= bytes.count - position else { throw Self.truncated }
        var value: UInt64 = 0
        for offset in 0..<byteCount { value = value << 8 | UInt64(bytes[position + offset]) }
        position += byteCount
        return value
    }

    /// Source: RFC 8949, appendix D.
    static func double(half bits: UInt64) -> Double {
        let exponent = Int(bits >> 10 & 31)
        let mantissa = Double(bits & 1_023)
        let magnitude: Double =
            switch exponent {
            case 0: Double(sign: .plus, exponent: -24, significand: mantissa)
            case 31: mantissa == 0 ? .infinity : .nan
            default: Double(sign: .plus, exponent: exponent - 25, significand: mantissa + 1_024)
            }
        return bits & 0x8000 == 0 ? magnitude : -magnitude
    }

    private static var truncated: Rejection { Rejection(.undecodable, "not CBOR: it ends in the middle of a data item") }
}

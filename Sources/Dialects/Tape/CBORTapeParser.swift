import CSimdjson
import Telemetry

/// CBOR (RFC 8949) as a tape. Owns the tape's memory, which grows with the largest payload.
///
/// Texts and binaries point into the payload; those of indefinite length are joined in memory of their own. Keys of maps are texts or
/// integers. Tag 1 marks a number as seconds since the epoch, a decimal fraction (tag 4) is a double; tag 0 and all others are passed over,
/// so that what they enclose counts (a bignum is a binary). `undefined` is null.
struct CBORTapeParser: ~Copyable {
    /// Maps and arrays inside one another, as for JSON.
    private static let depthLimit = 31

    private var tokens = UnsafeMutableBufferPointer<tape_token>(start: nil, count: 0)
    private var tokenCount = 0
    /// Strings whose chunks had to be joined. As large as the payload from the first of them on, so that it never moves.
    private var joined = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var joinedCount = 0
    private var cursor = CBORCursor(UnsafeRawBufferPointer(start: nil, count: 0))

    deinit {
        tokens.deallocate()
        joined.deallocate()
    }

    /// - Parameter payload: one data item and nothing behind it; outlives the use of the tape.
    /// - Returns: the item, valid until the next parse.
    mutating func parse(_ payload: UnsafeRawBufferPointer) throws(Rejection) -> TapeValue {
        guard payload.count > 0 else { throw Rejection(.undecodable, "empty") }
        (tokenCount, joinedCount) = (0, 0)
        cursor = CBORCursor(payload)
        try readItem(depth: 0)
        guard cursor.isAtEnd else { throw Self.malformed("bytes follow the first data item") }
        guard let start = tokens.baseAddress else { throw Self.malformed("no data item") }
        return TapeValue(token: UnsafePointer(start))
    }

    private static func malformed(_ what: String) -> Rejection { Rejection(.undecodable, "not CBOR: \(what)") }

    private mutating func readItem(depth: Int) throws(Rejection) {
        try readItem(cursor.head(), depth: depth)
    }

    private mutating func readItem(_ head: CBORCursor.Head, depth: Int) throws(Rejection) {
        var head = head
        var tag: UInt64?
        // Tags may be tagged; each takes a byte at least.
        while head.major == .tag {
            guard let number = head.argument else { throw Self.malformed("a tag without a number") }
            tag = number
            head = try cursor.head()
        }
        let isEpochSeconds = tag == 1
        let first = tokenCount
        switch head.major {
        case .unsigned: try appendInteger(head, isNegative: false, isEpochSeconds)
        case .negative: try appendInteger(head, isNegative: true, isEpochSeconds)
        case .bytes: try appendString(head, .binary)
        case .text: try appendString(head, .text)
        case .array: try appendArray(head, depth: depth)
        case .map: try appendMap(head, depth: depth)
        case .tag: preconditionFailure("tags were read above")
        case .simple: try appendSimple(head, isEpochSeconds)
        }
        if tag == 4 { try foldDecimalFraction(at: first) }
    }

    /// `[exponent, mantissa]` becomes the double that is nearest. Source: RFC 8949, section 3.4.4.
    private mutating func foldDecimalFraction(at first: Int) throws(Rejection) {
        let parts = tokens[first..<tokenCount]
        guard parts.count == 3, parts[first].kind == .array, parts[first + 1].kind == .integer, parts[first + 2].kind == .integer else {
            throw Self.malformed("a decimal fraction is an exponent and a mantissa of 64 bits")
        }
        let (exponent, mantissa) = (Int64(bitPattern: parts[first + 1].bits), Int64(bitPattern: parts[first + 2].bits))
        tokenCount = first
        guard let value = Double("\(mantissa)e\(exponent)"), value.isFinite else {
            throw Rejection(.badValue, "the decimal fraction \(mantissa)e\(exponent) is beyond the doubles")
        }
        append(.double, bits: value.bitPattern)
    }

    private mutating func append(_ kind: tape_kind, bits: UInt64 = 0, extent: Int = 0, isEpochSeconds: Bool = false) {
        if tokenCount == tokens.count {
            let larger = UnsafeMutableBufferPointer<tape_token>.allocate(capacity: max(256, tokens.count * 2))
            if tokenCount > 0, let from = tokens.baseAddress, let to = larger.baseAddress { to.update(from: from, count: tokenCount) }
            tokens.deallocate()
            tokens = larger
        }
        tokens[tokenCount] = tape_token(
            bits: bits, extent: UInt32(truncatingIfNeeded: extent), kind: kind, is_epoch_seconds: isEpochSeconds)
        tokenCount += 1
    }

    private mutating func appendInteger(_ head: CBORCursor.Head, isNegative: Bool, _ isEpochSeconds: Bool) throws(Rejection) {
        guard let value = head.argument else { throw Self.malformed("an integer of indefinite length") }
        guard value <= UInt64(Int64.max) else { return append(.big_integer) }
        let integer = isNegative ? -1 - Int64(value) : Int64(value)
        append(.integer, bits: UInt64(bitPattern: integer), isEpochSeconds: isEpochSeconds)
    }

    private mutating func appendSimple(_ head: CBORCursor.Head, _ isEpochSeconds: Bool) throws(Rejection) {
        guard let argument = head.argument else { throw Self.malformed("a break where an item was to come") }
        switch head.information {
        case 20: append(.boolean, bits: 0)
        case 21: append(.boolean, bits: 1)
        case 22, 23: append(.null)
        case 25: append(.double, bits: CBORCursor.double(half: argument).bitPattern, isEpochSeconds: isEpochSeconds)
        case 26:
            let single = Float(bitPattern: UInt32(truncatingIfNeeded: argument))
            append(.double, bits: Double(single).bitPattern, isEpochSeconds: isEpochSeconds)
        case 27: append(.double, bits: argument, isEpochSeconds: isEpochSeconds)
        default: throw Self.malformed("a simple value that means nothing here")
        }
    }

    private mutating func appendString(_ head: CBORCursor.Head, _ kind: tape_kind) throws(Rejection) {
        let string = head.argument == nil ? try joinChunks(of: head.major) : try cursor.take(head.argument)
        if kind == .text, head.argument != nil, !isUTF8(string) { throw Self.malformed("a text that is not UTF-8") }
        append(kind, bits: UInt64(UInt(bitPattern: string.baseAddress)), extent: string.count)
    }

    /// A string of indefinite length: chunks of definite length up to a break.
    private mutating func joinChunks(of major: CBORCursor.Major) throws(Rejection) -> UnsafeRawBufferPointer {
        if joinedCount == 0, joined.count < cursor.byteCount {
            joined.deallocate()
            joined = .allocate(byteCount: cursor.byteCount, alignment: 1)
        }
        let start = joinedCount
        while !cursor.skipBreak() {
            let head = try cursor.head()
            guard head.major == major, let count = head.argument else { throw Self.malformed("a chunk of another type") }
            let chunk = try cursor.take(count)
            if major == .text, !isUTF8(chunk) { throw Self.malformed("a text that is not UTF-8") }
            // All chunks are parts of the payload: they cannot be longer together.
            UnsafeMutableRawBufferPointer(rebasing: joined[joinedCount...]).copyMemory(from: chunk)
            joinedCount += chunk.count
        }
        return UnsafeRawBufferPointer(rebasing: joined[start..<joinedCount])
    }

    private mutating func appendArray(_ head: CBORCursor.Head, depth: Int) throws(Rejection) {
        let array = try open(.array, depth: depth)
        if let count = head.argument {
            // A count beyond the payload ends at the payload's end.
            var left = count
            while left > 0 {
                try readItem(depth: depth + 1)
                left -= 1
            }
        } else {
            while !cursor.skipBreak() { try readItem(depth: depth + 1) }
        }
        tokens[array].extent = UInt32(truncatingIfNeeded: tokenCount - array)
    }

    private mutating func appendMap(_ head: CBORCursor.Head, depth: Int) throws(Rejection) {
        let map = try open(.object, depth: depth)
        if let count = head.argument {
            var left = count
            while left > 0 {
                try readMember(depth: depth + 1)
                left -= 1
            }
        } else {
            while !cursor.skipBreak() { try readMember(depth: depth + 1) }
        }
        tokens[map].extent = UInt32(truncatingIfNeeded: tokenCount - map)
    }

    private mutating func readMember(depth: Int) throws(Rejection) {
        let key = tokenCount
        try readItem(depth: depth)
        guard tokens[key].kind == .text || tokens[key].kind == .integer else {
            throw Self.malformed("a key that is neither a text nor an integer of 64 bits")
        }
        try readItem(depth: depth)
    }

    private mutating func open(_ kind: tape_kind, depth: Int) throws(Rejection) -> Int {
        guard depth < Self.depthLimit else { throw Self.malformed("nested deeper than \(Self.depthLimit)") }
        append(kind)
        return tokenCount - 1
    }
}

import CSimdjson

/// A value on a tape: what JSON and CBOR have in common. Points into the memory of the parser that made it, until its next payload.
///
/// A tape is a flat array of tokens. Behind an object's token its keys and values follow in turn, behind an array's its elements; a token
/// says where its last child ends, so that nothing is built and nothing needs to be visited twice. Objects and arrays are nested at most
/// 31 deep: recursion over a tape is bounded.
struct TapeValue {
    enum Kind {
        case object, array, text, binary, integer, double, boolean, null
        /// Beyond int64.
        case bigInteger
    }

    let token: UnsafePointer<tape_token>

    var kind: Kind {
        switch token.pointee.kind {
        case .object: .object
        case .array: .array
        case .text: .text
        case .binary: .binary
        case .integer: .integer
        case .double: .double
        case .boolean: .boolean
        case .null: .null
        case .big_integer: .bigInteger
        }
    }

    /// The value behind this one; one past the end for the last child.
    var next: TapeValue {
        switch token.pointee.kind {
        case .object, .array: TapeValue(token: token + Int(token.pointee.extent))
        default: TapeValue(token: token + 1)
        }
    }

    var integer: Int64 { Int64(bitPattern: token.pointee.bits) }
    var double: Double { Double(bitPattern: token.pointee.bits) }
    var boolean: Bool { token.pointee.bits != 0 }
    /// The encoding itself says that this number is seconds since the epoch.
    var isEpochSeconds: Bool { token.pointee.is_epoch_seconds }

    /// Of a text or a binary.
    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: UnsafeRawPointer(bitPattern: UInt(truncatingIfNeeded: token.pointee.bits)), count: Int(token.pointee.extent))
    }

    /// Nil for everything but texts.
    var text: UnsafeRawBufferPointer? { kind == .text ? bytes : nil }

    /// Nil for everything but finite numbers.
    var number: Double? {
        switch kind {
        case .integer: Double(integer)
        case .double: double.isFinite ? double : nil
        default: nil
        }
    }

    /// Keys and values of an object; nothing for other kinds. Keys are texts, and integers in CBOR.
    var members: Members { Members(kind == .object ? self : nil) }
    /// Elements of an array; nothing for other kinds.
    var elements: Elements { Elements(kind == .array ? self : nil) }

    /// The value of the last member of this name; nil without one.
    func member(_ name: StaticString) -> TapeValue? {
        var found: TapeValue?
        for (key, value) in members where key.kind == .text && key.bytes == name { found = value }
        return found
    }

    struct Members: Sequence, IteratorProtocol {
        private var position: UnsafePointer<tape_token>?
        private var end: UnsafePointer<tape_token>?

        fileprivate init(_ object: TapeValue?) {
            position = object.map { $0.token + 1 }
            end = object.map { $0.next.token }
        }

        mutating func next() -> (key: TapeValue, value: TapeValue)? {
            guard let key = position, key != end else { return nil }
            let value = TapeValue(token: key + 1)
            position = value.next.token
            return (TapeValue(token: key), value)
        }
    }

    struct Elements: Sequence, IteratorProtocol {
        private var position: UnsafePointer<tape_token>?
        private var end: UnsafePointer<tape_token>?

        fileprivate init(_ array: TapeValue?) {
            position = array.map { $0.token + 1 }
            end = array.map { $0.next.token }
        }

        mutating func next() -> TapeValue? {
            guard let token = position, token != end else { return nil }
            let element = TapeValue(token: token)
            position = element.next.token
            return element
        }
    }
}

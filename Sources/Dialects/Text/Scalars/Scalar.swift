import Telemetry

/// What a text without a type says: the rule of `value`, `csv` and of Homie's properties without a datatype.
enum Scalar: Equatable {
    /// Empty, `null`, `nan`, `inf`: no value.
    case missing
    case integer(Int64)
    case double(Double)
    /// `true`, `false`, `on`, `off`, `yes`, `no`, in any case.
    case boolean(Bool)
    /// Everything else.
    case text
    /// A number beyond 64 bits or the doubles, or of too many digits.
    case tooBig

    /// - Parameter text: trimmed.
    init(_ text: UnsafeRawBufferPointer) {
        if let number = NumberText.read(text) {
            switch number {
            case .integer(let value): self = .integer(value)
            case .double(let value): self = .double(value)
            case .tooBig: self = .tooBig
            }
        } else if Self.isMissing(text) {
            self = .missing
        } else if let value = Self.boolean(text) {
            self = .boolean(value)
        } else {
            self = .text
        }
    }

    static func boolean(_ text: UnsafeRawBufferPointer) -> Bool? {
        guard (2...5).contains(text.count) else { return nil }
        if text.equalsIgnoringCase("true") || text.equalsIgnoringCase("on") || text.equalsIgnoringCase("yes") { return true }
        return text.equalsIgnoringCase("false") || text.equalsIgnoringCase("off") || text.equalsIgnoringCase("no") ? false : nil
    }

    private static func isMissing(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let first = text.first else { return true }
        guard text.count <= 9 else { return false }
        let isSigned = first == UInt8(ascii: "-") || first == UInt8(ascii: "+")
        let word = isSigned ? text.slice(1..<text.count) : text
        if word.equalsIgnoringCase("nan") || word.equalsIgnoringCase("inf") || word.equalsIgnoringCase("infinity") { return true }
        return text.equalsIgnoringCase("null")
    }
}

extension ReadingBuilder {
    /// Appends a field whose type its text tells.
    ///
    /// - Parameter text: trimmed, valid UTF-8.
    mutating func append(_ name: UnsafeRawBufferPointer, scalar text: UnsafeRawBufferPointer, in batch: inout ReadingBatch)
        throws(Rejection)
    {
        switch Scalar(text) {
        case .missing: break
        case .integer(let value): try append(name, integer: value, in: &batch)
        case .double(let value): try append(name, double: value, in: &batch)
        case .boolean(let value): try append(name, boolean: value, in: &batch)
        case .text: try append(name, string: text, in: &batch)
        case .tooBig: throw .numberTooBig(text, field: name)
        }
    }
}

extension Rejection {
    static func numberTooBig(_ text: UnsafeRawBufferPointer, field name: UnsafeRawBufferPointer) -> Rejection {
        Rejection(
            .badValue,
            "field \"\(excerpt(name))\": \(excerpt(text)) is a number beyond 64 bits, or of more than \(NumberText.byteLimit) characters")
    }

    static let notText = Rejection(.undecodable, "not UTF-8 text")
}

import Telemetry

/// One record of a SenML pack as it is written: names of JSON, labels of CBOR. Source: RFC 8428, sections 4.1 to 4.4 and 6.
struct SenMLRecord {
    /// As the devices write them: integers stay integers.
    enum Number {
        case integer(Int64), double(Double)

        var double: Double {
            switch self {
            case .integer(let value): Double(value)
            case .double(let value): value
            }
        }

        static func + (a: Number, b: Number) -> Number {
            if case .integer(let x) = a, case .integer(let y) = b {
                let (sum, overflow) = x.addingReportingOverflow(y)
                if !overflow { return .integer(sum) }
            }
            return .double(a.double + b.double)
        }
    }

    enum Value {
        case number(Number), text(UnsafeRawBufferPointer), boolean(Bool), data(TapeValue)
    }

    /// The newest version that is understood here, and the one of a pack that names none.
    private static let version: Int64 = 10

    var baseName: UnsafeRawBufferPointer?
    var baseTime: Number?
    var baseUnit: UnsafeRawBufferPointer?
    var baseValue: Number?
    var baseSum: Number?
    var name: UnsafeRawBufferPointer?
    var unit: UnsafeRawBufferPointer?
    var time: Number?
    var sum: Number?
    var value: Value?

    init(_ record: TapeValue) throws(Rejection) {
        guard record.kind == .object else { throw Rejection(.undecodable, "a record is an object") }
        for (key, value) in record.members {
            if key.kind == .integer { try set(label: key.integer, value) } else { try set(key.bytes, value) }
        }
    }

    private mutating func set(label: Int64, _ value: TapeValue) throws(Rejection) {
        // Labels that nobody has given a meaning need not be understood.
        guard (-6...8).contains(label) else { return }
        try set(UnsafeRawBufferPointer(Self.names[Int(label + 6)]), value)
    }

    /// From label -6 on.
    private static let names: [StaticString] = ["bs", "bv", "bu", "bt", "bn", "bver", "n", "u", "v", "vs", "vb", "s", "t", "ut", "vd"]

    private mutating func set(_ label: UnsafeRawBufferPointer, _ value: TapeValue) throws(Rejection) {
        switch label {
        case _ where label == "n": name = try Self.text(label, value)
        case _ where label == "v": self.value = .number(try Self.number(label, value))
        case _ where label == "t": time = try Self.number(label, value)
        case _ where label == "u": unit = try Self.text(label, value)
        case _ where label == "vs": self.value = .text(try Self.text(label, value))
        case _ where label == "vb":
            guard value.kind == .boolean else { throw Self.wrong(label, "true or false") }
            self.value = .boolean(value.boolean)
        case _ where label == "vd":
            guard value.kind == .text || value.kind == .binary else { throw Self.wrong(label, "base64url or bytes") }
            self.value = .data(value)
        case _ where label == "s": sum = try Self.number(label, value)
        case _ where label == "bn": baseName = try Self.text(label, value)
        case _ where label == "bt": baseTime = try Self.number(label, value)
        case _ where label == "bu": baseUnit = try Self.text(label, value)
        case _ where label == "bv": baseValue = try Self.number(label, value)
        case _ where label == "bs": baseSum = try Self.number(label, value)
        case _ where label == "bver":
            guard value.kind == .integer, (1...Self.version).contains(value.integer) else {
                throw Rejection(.undecodable, "SenML of a version that is not understood here")
            }
        case _ where label.last == UInt8(ascii: "_"):
            throw Rejection(.undecodable, "the label \"\(excerpt(label))\" has to be understood and is not")
        default: return
        }
    }

    private static func number(_ label: UnsafeRawBufferPointer, _ value: TapeValue) throws(Rejection) -> Number {
        switch value.kind {
        case .integer: return .integer(value.integer)
        case .double where value.double.isFinite: return .double(value.double)
        default: throw wrong(label, "a number")
        }
    }

    private static func text(_ label: UnsafeRawBufferPointer, _ value: TapeValue) throws(Rejection) -> UnsafeRawBufferPointer {
        guard let text = value.text else { throw wrong(label, "text") }
        return text
    }

    private static func wrong(_ label: UnsafeRawBufferPointer, _ what: String) -> Rejection {
        Rejection(.badValue, "\"\(excerpt(label))\" must be \(what)")
    }
}

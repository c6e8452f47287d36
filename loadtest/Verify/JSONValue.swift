/// A JSON document as a tree; integers are kept apart from numbers with a point or exponent, as the product does.
enum JSONValue: Equatable, Sendable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    subscript(key: String) -> JSONValue? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    var elements: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
    var text: String? { if case .string(let text) = self { text } else { nil } }

    /// Equal as a reading's value: a double may be printed without its `.0`, an integer may not become a double.
    func matches(_ expected: JSONValue) -> Bool {
        if case .double(let expected) = expected, case .integer(let found) = self { return Double(found) == expected }
        return self == expected
    }
}

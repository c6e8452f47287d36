import Foundation
import Gateway

/// A condition as `--where` takes it: `temp > 80`, `state != idle`, `note = "a b"`, `temp != null`.
enum ConditionText {
    private static let operators = ["<=", ">=", "!=", "=", "<", ">"]

    /// - Throws: usage, with the form it must have.
    static func parse(_ text: String) throws(GatewayError) -> JSONValue {
        guard let start = text.firstIndex(where: { "<>!=".contains($0) }),
            let symbol = operators.first(where: { text[start...].hasPrefix($0) })
        else { throw failure(text) }
        let field = text[..<start].trimmingCharacters(in: .whitespaces)
        let value = text[text.index(start, offsetBy: symbol.count)...].trimmingCharacters(in: .whitespaces)
        guard !field.isEmpty, !value.isEmpty else { throw failure(text) }
        let constant = constant(value)
        // `temp == 20`, `temp =~ 2.*`, `a > 1 and b > 2` are meant as something else.
        if constant == .string(value), value.contains(where: { "<>=!~".contains($0) }) {
            throw GatewayError(
                "\(TextTable.shown(text)): the operators are = != < <= > >=; a text that holds such signs needs quotes, as in "
                    + "'note = \"a>b\"', and of several conditions each has a --where of its own [--where]", .usage)
        }
        return .object(["field": .string(field), "op": .string(symbol), "value": constant])
    }

    /// All of them have to hold.
    static func all(_ texts: [String]) throws(GatewayError) -> JSONValue {
        var conditions: [JSONValue] = []
        for text in texts { conditions.append(try parse(text)) }
        return conditions.count > 1 ? .object(["and": .array(conditions)]) : conditions.first ?? .null
    }

    /// JSON where it is some; otherwise a string without quotes.
    private static func constant(_ text: String) -> JSONValue {
        // What is no JSON is meant as it stands.
        let value = try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        return switch value {
        case .array, .object, nil: .string(text)
        case let value?: value
        }
    }

    private static func failure(_ text: String) -> GatewayError {
        GatewayError("\(TextTable.shown(text)) is no condition such as 'temp > 80' or 'state != idle' [--where]", .usage)
    }
}

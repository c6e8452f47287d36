import Telemetry
import TelemetryStore

/// The form of `where`: `{"field":"temp","op":">","value":20}`, and `{"and":[…]}`, `{"or":[…]}`, `{"not":…}` of such.
///
/// A value is a string, a number or a boolean. `= null` asks for rows without the field, `!= null` for rows with it.
struct ConditionParameter {
    /// Comparisons of one condition; each is held against every row.
    private static let comparisonLimit = 256
    /// Nested and, or, not.
    private static let depthLimit = 12

    private let table: Table
    private var comparisonCount = 0

    static func parse(_ value: JSONValue, in table: Table) throws(Problem) -> RowCondition {
        var parameter = ConditionParameter(table: table)
        return try parameter.condition(value, path: "where", depth: 0)
    }

    private init(table: Table) { self.table = table }

    private mutating func condition(_ value: JSONValue, path: String, depth: Int) throws(Problem) -> RowCondition {
        guard depth <= Self.depthLimit else { throw Self.invalid("\(path) is nested more than \(Self.depthLimit) deep.") }
        guard case .object(let members) = value else { throw Self.malformed(path) }
        if members.count == 1 {
            switch (members[0].name, members[0].value) {
            case ("and", .array(let parts)): return .all(try conditions(parts, path: "\(path).and", depth: depth + 1))
            case ("or", .array(let parts)): return .any(try conditions(parts, path: "\(path).or", depth: depth + 1))
            case ("not", let part): return .not(try condition(part, path: "\(path).not", depth: depth + 1))
            default: throw Self.malformed(path)
            }
        }
        return try comparison(members, path: path)
    }

    private mutating func conditions(_ parts: [JSONValue], path: String, depth: Int) throws(Problem) -> [RowCondition] {
        guard !parts.isEmpty else { throw Self.invalid("\(path) must hold at least one condition.") }
        var conditions: [RowCondition] = []
        for (index, part) in parts.enumerated() { conditions.append(try condition(part, path: "\(path)[\(index)]", depth: depth)) }
        return conditions
    }

    private mutating func comparison(_ members: [JSONValue.Member], path: String) throws(Problem) -> RowCondition {
        comparisonCount += 1
        guard comparisonCount <= Self.comparisonLimit else {
            throw Self.invalid("where may hold at most \(Self.comparisonLimit) comparisons.")
        }
        guard members.map(\.name).sorted() == ["field", "op", "value"] else { throw Self.malformed(path) }
        var field = "", text = "", value = JSONValue.null
        for member in members {
            switch (member.name, member.value) {
            case ("field", .string(let name)): field = name
            case ("op", .string(let name)): text = name
            case ("value", let constant): value = constant
            default: throw Self.malformed(path)
            }
        }
        guard let op = RowCondition.Comparison(rawValue: text) else {
            let names = RowCondition.Comparison.allCases.map(\.rawValue).joined(separator: ", ")
            throw Self.invalid("\(path).op must be one of \(names).")
        }
        guard table.hasField(field) else { throw Self.invalid("\(path).field: table \(table.name) has no field \(field).") }
        return try Self.comparison(field, op, value, path: path)
    }

    private static func comparison(
        _ field: String, _ op: RowCondition.Comparison, _ value: JSONValue, path: String
    ) throws(Problem) -> RowCondition {
        switch value {
        case .null where op == .equal: return .not(.present(field))
        case .null where op == .notEqual: return .present(field)
        case .null: throw invalid("\(path).value: null is compared with = and != only.")
        case .boolean(let flag): return .compare(field, op, .boolean(flag))
        case .string(let text): return .compare(field, op, .string(text))
        case .number(let text):
            if let integer = Int64(text) { return .compare(field, op, .integer(integer)) }
            guard let double = Double(text), double.isFinite else { throw invalid("\(path).value is a number beyond all doubles.") }
            return .compare(field, op, .double(double))
        case .array, .object: throw invalid("\(path).value must be a string, a number, a boolean or null.")
        }
    }

    private static func malformed(_ path: String) -> Problem {
        invalid(#"\#(path) must be {"field":"temp","op":">","value":20}, or {"and":[…]}, {"or":[…]} or {"not":…} of such."#)
    }

    private static func invalid(_ detail: String) -> Problem { .invalid("where", detail) }
}

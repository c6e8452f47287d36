import Telemetry
import TelemetryCodec

/// What the values of a row must fulfil for it to be wanted.
package indirect enum RowCondition: Sendable, Hashable {
    package enum Comparison: String, Sendable, CaseIterable {
        case equal = "="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
    }

    /// A field's value against a constant. A row without the field fulfils none. Integers and doubles compare by value, exactly; strings
    /// by their UTF-8 bytes; false lies before true. A value of another kind than the constant's is only `!=`.
    case compare(String, Comparison, FieldValue)
    /// The row has a value of this field.
    case present(String)
    /// Fulfilled when empty.
    case all([RowCondition])
    /// Not fulfilled when empty.
    case any([RowCondition])
    case not(RowCondition)
}

/// A condition with the numbers of its fields: what rows are held against.
struct ResolvedCondition {
    private indirect enum Node {
        /// Nil: the table has no such field.
        case compare(UInt32?, RowCondition.Comparison, FieldValue, text: [UInt8])
        case present(UInt32?)
        case all([Node])
        case any([Node])
        case not(Node)
    }

    /// Fields that have to be read.
    private(set) var fields: Set<UInt32> = []
    private var root = Node.all([])

    init(_ condition: RowCondition, registry: NameRegistry) {
        root = resolve(condition, registry)
    }

    private mutating func resolve(_ condition: RowCondition, _ registry: NameRegistry) -> Node {
        switch condition {
        case .compare(let name, let comparison, let value):
            let text: [UInt8] = if case .string(let text) = value { Array(text.utf8) } else { [] }
            return .compare(number(name, registry), comparison, value, text: text)
        case .present(let name): return .present(number(name, registry))
        case .all(let parts): return .all(parts.map { resolve($0, registry) })
        case .any(let parts): return .any(parts.map { resolve($0, registry) })
        case .not(let part): return .not(resolve(part, registry))
        }
    }

    private mutating func number(_ name: String, _ registry: NameRegistry) -> UInt32? {
        let number = registry.field(name)
        if let number { fields.insert(number) }
        return number
    }

    /// - Parameter versions: physical rows of one time, newest first.
    func holds(for versions: some Collection<RowBuffer.Row>, in rows: RowBuffer) -> Bool { holds(root, versions, rows) }

    private func holds(_ node: Node, _ versions: some Collection<RowBuffer.Row>, _ rows: RowBuffer) -> Bool {
        switch node {
        case .compare(let field, let comparison, let value, let text):
            guard let cell = newest(field, versions, rows) else { return false }
            return rows.bytes.withUnsafeBytes { comparison.holds(cell, $0, value, text: text) }
        case .present(let field): return newest(field, versions, rows) != nil
        case .all(let parts): return parts.allSatisfy { holds($0, versions, rows) }
        case .any(let parts): return parts.contains { holds($0, versions, rows) }
        case .not(let part): return !holds(part, versions, rows)
        }
    }

    private func newest(_ field: UInt32?, _ versions: some Collection<RowBuffer.Row>, _ rows: RowBuffer) -> Cell? {
        guard let field else { return nil }
        for version in versions {
            for index in Int(version.firstCell)..<Int(version.firstCell + version.cellCount) where rows.cells[index].field == field {
                return rows.cells[index].cell
            }
        }
        return nil
    }
}

extension RowCondition.Comparison {
    /// - Parameter text: the constant's bytes when it is a string.
    fileprivate func holds(_ cell: Cell, _ arena: UnsafeRawBufferPointer, _ value: FieldValue, text: [UInt8]) -> Bool {
        switch (cell.type, value) {
        case (.integer, .integer(let constant)): return holds(order(cell.integer, constant))
        case (.integer, .double(let constant)): return holds(order(cell.integer, constant))
        case (.double, .integer(let constant)): return holds(order(constant, cell.double).map { -$0 })
        case (.double, .double(let constant)): return holds(order(cell.double, constant))
        case (.boolean, .boolean(let constant)): return holds(order(cell.boolean ? 1 : 0, constant ? 1 : 0))
        case (.string, .string):
            let bytes = UnsafeRawBufferPointer(rebasing: arena[cell.byteRange])
            return holds(order(text.withRawBytes { compareBytes(bytes, $0) }, 0))
        default: return self == .notEqual
        }
    }

    /// - Parameter order: negative when the value is the smaller one; nil when there is no order (NaN).
    private func holds(_ order: Int?) -> Bool {
        guard let order else { return self == .notEqual }
        return switch self {
        case .equal: order == 0
        case .notEqual: order != 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        case .greaterOrEqual: order >= 0
        }
    }

    private func order<Value: Comparable>(_ a: Value, _ b: Value) -> Int? { a < b ? -1 : a > b ? 1 : a == b ? 0 : nil }

    /// Rounding an integer keeps its order to a double, but may make them equal. Then the double is a whole number, 2^63 at most.
    private func order(_ integer: Int64, _ double: Double) -> Int? {
        guard Double(integer) == double else { return order(Double(integer), double) }
        return Int64(exactly: double).map { integer < $0 ? -1 : integer > $0 ? 1 : 0 } ?? -1
    }
}

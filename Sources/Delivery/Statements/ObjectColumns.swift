import ObjectStorage
import Parquet

/// The columns of a task's objects, as their footers tell.
///
/// Objects need not agree: a field may have come later, or hold integers here and doubles there. All columns of the newest objects are
/// taken; of two types of one column the one that holds both, a text where none does.
struct ObjectColumns {
    /// More would only find what has long been gone.
    private static let objectLimit = 16

    let destination: any ObjectDestination

    /// - Parameter objects: the newest last.
    /// - Throws: what the destination throws; `ParquetError` for what is no object.
    func columns(of objects: [DeliveredObject]) throws -> [TableStatement.Column] {
        var order: [String] = []
        var types: [String: ParquetType] = [:]
        for object in objects.suffix(Self.objectLimit).reversed() {
            let key = try ObjectKey(object.key)
            let footer = try ParquetFooter.read(byteCount: object.byteCount) { try destination.read(key, offset: $0, count: $1) }
            for column in footer.columns {
                guard let type = column.type else { continue }
                if let known = types[column.name] {
                    types[column.name] = known == type ? type : Self.common(known, type)
                } else {
                    order.append(column.name)
                    types[column.name] = type
                }
            }
        }
        return order.map { TableStatement.Column(name: $0, type: types[$0] ?? .string) }
    }

    private static func common(_ a: ParquetType, _ b: ParquetType) -> ParquetType {
        [a, b].allSatisfy { $0 == .int64 || $0 == .double } ? .double : .string
    }
}

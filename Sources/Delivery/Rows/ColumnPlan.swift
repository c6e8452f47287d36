import Parquet
import Telemetry
import TelemetryStore

/// The columns of an intent's objects: device, time, the bucket if it is asked for, then the fields by name.
///
/// A field of one type has one column of that type. Integers join doubles where each of them is exactly a double. Every other mixture is
/// split: the first type of `precedence` keeps the field's name, each further one gets `<field>:<type>`. No value is lost or altered.
/// See docs/decisions/0006-mixed-types-in-objects.md.
struct ColumnPlan {
    static let deviceColumn = 0
    static let timeColumn = 1
    static let bucketColumn = 2
    private static let precedence: [FieldType] = [.double, .integer, .boolean, .string, .binary]

    struct Column: Equatable {
        /// Index in the scan's fields.
        var field: Int
        var type: FieldType
        /// A double column that takes the field's integers, too.
        var takesIntegers = false
        /// False: a further column of a split field.
        var isFirst = true
    }

    let columns: [Column]
    let hasBucketColumn: Bool
    /// The row columns, then `columns`.
    let schema: ParquetSchema

    /// How many columns stand before those of the fields.
    var rowColumnCount: Int { hasBucketColumn ? 3 : 2 }

    /// - Parameter fields: of the scan, names distinct.
    init(_ fields: [PartitionScan.Field], survey: TypeSurvey, hasBucketColumn: Bool) throws(ParquetError) {
        let rowColumns = Self.rowColumns(hasBucketColumn)
        let ordered = fields.indices.sorted { fields[$0].name.utf8.lexicographicallyPrecedes(fields[$1].name.utf8) }
        let columns = ordered.flatMap { Self.columns(of: $0, survey.types(of: $0, declared: fields[$0].types), survey) }
        let names = Self.names(of: columns, fields, behind: rowColumns)
        self.columns = columns
        self.hasBucketColumn = hasBucketColumn
        schema = try ParquetSchema(
            rowColumns + zip(names, columns).map { ParquetColumn($0, $1.type.parquetType, isOptional: true) })
    }

    private static func rowColumns(_ hasBucket: Bool) -> [ParquetColumn] {
        [
            ParquetColumn("device", .string, isOptional: false), ParquetColumn("time", .timestampMicrosUTC, isOptional: false),
        ] + (hasBucket ? [ParquetColumn("bucket", .int64, isOptional: false)] : [])
    }

    private static func columns(of field: Int, _ types: Set<FieldType>, _ survey: TypeSurvey) -> [Column] {
        var ordered = precedence.filter(types.contains)
        let takesIntegers = ordered.starts(with: [.double, .integer]) && survey.integersAreExact(in: field)
        if takesIntegers { ordered.remove(at: 1) }
        return ordered.enumerated().map { index, type in
            Column(field: field, type: type, takesIntegers: index == 0 && takesIntegers, isFirst: index == 0)
        }
    }

    /// Fields keep their names, unless a row column has it; what is left is told apart by the type, and by a number if need be.
    private static func names(
        of columns: [Column], _ fields: [PartitionScan.Field], behind rowColumns: [ParquetColumn]
    ) -> [String] {
        var taken = Set(rowColumns.map(\.name))
        var names = columns.map { column in
            let name = fields[column.field].name
            return column.isFirst && taken.insert(name).inserted ? name : nil
        }
        for (index, column) in columns.enumerated() where names[index] == nil {
            let name = "\(fields[column.field].name):\(column.type.name)"
            var candidate = name
            var number = 2
            while !taken.insert(candidate).inserted {
                candidate = "\(name):\(number)"
                number += 1
            }
            names[index] = candidate
        }
        return names.compactMap { $0 }
    }
}

extension FieldType {
    fileprivate var parquetType: ParquetType {
        switch self {
        case .integer: .int64
        case .double: .double
        case .boolean: .boolean
        case .string: .string
        case .binary: .binary
        }
    }
}

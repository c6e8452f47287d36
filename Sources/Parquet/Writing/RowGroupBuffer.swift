/// Rows on their way into a row group, filled column by column; no allocation per value once the arrays have grown.
///
/// Every column must have the same number of rows when the group is written. A value of another type than the column's is a
/// programmer's error and traps.
package struct RowGroupBuffer: Sendable {
    package let schema: ParquetSchema
    private(set) var columns: [ColumnBuffer]

    package init(_ schema: ParquetSchema) {
        self.schema = schema
        columns = schema.columns.map { ColumnBuffer($0) }
    }

    /// Rows of the first column.
    package var rowCount: Int { columns[0].rowCount }
    package var isEmpty: Bool { rowCount == 0 }

    /// What the rows take as plain values, before encoding and compression.
    package var plainByteCount: Int { columns.reduce(0) { $0 + $1.plainByteCount } }

    /// Appends to an `int64` or `timestampMicrosUTC` column.
    package mutating func append(_ value: Int64, to column: Int) {
        let type = columns[column].column.type
        precondition(type == .int64 || type == .timestampMicrosUTC)
        columns[column].append(word: UInt64(bitPattern: value))
    }

    package mutating func append(_ value: Double, to column: Int) {
        precondition(columns[column].column.type == .double)
        columns[column].append(word: value.bitPattern)
    }

    package mutating func append(_ value: Bool, to column: Int) {
        precondition(columns[column].column.type == .boolean)
        columns[column].append(word: value ? 1 : 0)
    }

    /// Appends one value to `count` rows of a `string` (UTF-8) or `binary` column. Copied.
    package mutating func append(_ value: UnsafeRawBufferPointer, count: Int = 1, to column: Int) {
        precondition(columns[column].column.type.isByteArray)
        columns[column].append(value, count: count)
    }

    package mutating func append(_ value: String, count: Int = 1, to column: Int) {
        var value = value
        value.withUTF8 { append(UnsafeRawBufferPointer($0), count: count, to: column) }
    }

    package mutating func appendNull(to column: Int, count: Int = 1) { columns[column].appendNulls(count) }

    /// Forgets the rows, keeps the memory.
    package mutating func removeAll() {
        for column in columns.indices { columns[column].removeAll() }
    }
}

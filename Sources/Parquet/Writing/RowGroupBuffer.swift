/// Rows on their way into a row group, filled column by column; no allocation per value once the arrays have grown.
///
/// Every column must have the same number of rows when the group is written. A value of another type than the column's is a
/// programmer's error and traps.
///
/// Many values at a time come as *words* of 64 bits: an integer or time in two's complement, the IEEE 754 bits of a double, 0 or 1 for a
/// boolean, and for a byte string the number that `number(of:in:)` gave for it.
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

    /// Forgets the rows, keeps the memory.
    package mutating func removeAll() {
        for column in columns.indices { columns[column].removeAll() }
    }
}

// Many rows at a time.
extension RowGroupBuffer {
    /// Appends rows that all have a value.
    package mutating func append(words: UnsafeBufferPointer<UInt64>, to column: Int) { columns[column].append(words) }

    /// Appends `rows.count` rows.
    ///
    /// - Parameter words: the values of the rows that have one, in order.
    /// - Parameter bitmap: which those are: bit `r & 7` of byte `r >> 3` for row `r` of `rows`.
    package mutating func append(
        words: UnsafeBufferPointer<UInt64>, bitmap: UnsafeRawBufferPointer, rows: Range<Int>, to column: Int
    ) {
        columns[column].append(words, bitmap: bitmap, rows: rows)
    }

    /// Appends one value to `count` rows.
    package mutating func append(repeating word: UInt64, count: Int, to column: Int) { columns[column].append(word: word, count: count) }

    /// The word for a byte string in a `string` (UTF-8) or `binary` column, until the buffer is emptied. Copied. Ask for what will be
    /// appended only: bounds and Bloom filter take every string that was asked for as one that occurs.
    package mutating func number(of value: UnsafeRawBufferPointer, in column: Int) -> UInt64 {
        precondition(columns[column].column.type.isByteArray)
        return UInt64(columns[column].number(of: value))
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
}

// One value.
extension RowGroupBuffer {
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
}

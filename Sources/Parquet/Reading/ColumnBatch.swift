/// One column of a batch: a word a row, of the column's kind.
///
/// Valid until the scan's next batch. Rows count from 0; one beyond the batch is a programmer's error and traps.
package struct ColumnBatch {
    package let column: ReadableColumn
    package let rowCount: Int
    /// Rows without a value; their words are 0.
    package let nullCount: Int
    /// By row. Of `text` and `bytes`: equal words are equal strings, so that a run of them is known without a look at the bytes; equal
    /// strings may have different words.
    package let words: UnsafeBufferPointer<UInt64>
    private let presence: UnsafeBufferPointer<UInt8>
    private let arena: UnsafeRawBufferPointer
    /// Keeps the memory.
    private let vector: ColumnVector

    init(_ column: ReadableColumn, _ vector: ColumnVector, rowCount: Int) {
        self.column = column
        self.rowCount = rowCount
        self.vector = vector
        nullCount = vector.nullCount
        words = UnsafeBufferPointer(start: vector.words, count: rowCount)
        presence = UnsafeBufferPointer(start: vector.presence, count: rowCount)
        arena = vector.arena.bytes
    }

    @inline(__always)
    package func hasValue(_ row: Int) -> Bool {
        precondition(row >= 0 && row < rowCount)
        return presence[row] == 1
    }

    @inline(__always)
    private func word(_ row: Int) -> UInt64? { hasValue(row) ? words[row] : nil }

    /// Of `integer`, `unsigned`, `boolean` (0 and 1) and `timestamp` columns. Nil: no value, or one beyond `Int64.max`.
    package func integer(_ row: Int) -> Int64? {
        guard let word = word(row) else { return nil }
        return column.kind == .unsigned ? Int64(exactly: word) : Int64(bitPattern: word)
    }

    /// Of `double`, `integer` and `unsigned` columns; the nearest double of an integer beyond 2^53.
    package func double(_ row: Int) -> Double? {
        guard let word = word(row) else { return nil }
        return switch column.kind {
        case .double: Double(bitPattern: word)
        case .unsigned: Double(word)
        default: Double(Int64(bitPattern: word))
        }
    }

    package func boolean(_ row: Int) -> Bool? { word(row).map { $0 != 0 } }

    /// Microseconds since the epoch, of `timestamp` columns; nanoseconds are cut towards the past. Nil: no value, or a time that
    /// microseconds in 64 bits cannot say. `words` has `Int64.min` or `Int64.max` for that.
    package func microseconds(_ row: Int) -> Int64? {
        guard let value = word(row).map(Int64.init(bitPattern:)), value != .min, value != .max else { return nil }
        return value
    }

    /// Of `text` and `bytes` columns. Valid until the next batch.
    package func bytes(_ row: Int) -> UnsafeRawBufferPointer? {
        precondition(column.kind == .text || column.kind == .bytes, "words of numbers name no bytes")
        guard let word = word(row) else { return nil }
        let start = Int(word >> 32)
        return UnsafeRawBufferPointer(rebasing: arena[start..<(start + Int(word & 0xFFFF_FFFF))])
    }

    /// Of `text` columns, for few values: an allocation each. What is not UTF-8 is replaced.
    package func string(_ row: Int) -> String? { bytes(row).map { String(decoding: $0, as: UTF8.self) } }
}

/// Some rows of a row group, all columns of the scan aligned. Valid until the scan's next batch.
package struct RowBatch {
    package let rowGroup: Int
    /// Of the file.
    package let firstRow: Int64
    package let rowCount: Int
    /// In the order in which the scan was asked for them.
    package let columns: [ColumnBatch]
}

/// The values of one column of the row group under construction.
///
/// Every value is one 64-bit word: two's complement, IEEE 754 bits, 0 or 1, or the number of a byte string in `dictionary`.
struct ColumnBuffer: Sendable {
    let column: ParquetColumn
    /// Definition level of every row: 1 = has a value. Empty as long as every row has one.
    private(set) var levels: [UInt8] = []
    /// One per value; nulls have none.
    private(set) var words: [UInt64] = []
    private(set) var dictionary = ByteDictionary()
    private(set) var rowCount = 0
    /// Bytes of the byte strings, repetitions included, lengths not.
    private(set) var stringByteCount = 0

    init(_ column: ParquetColumn) { self.column = column }

    /// Of the byte strings.
    var longestByteCount: Int { dictionary.longestByteCount }

    /// What the rows take as plain values.
    var plainByteCount: Int { words.count * (column.type.isByteArray ? 4 : 8) + stringByteCount }

    var nullCount: Int { rowCount - words.count }
    var hasNulls: Bool { !levels.isEmpty }

    mutating func append(word: UInt64, count: Int = 1) {
        if column.type.isByteArray { stringByteCount += dictionary.byteCount(Int(word)) * count }
        if count == 1 { words.append(word) } else { words.append(contentsOf: repeatElement(word, count: count)) }
        noteValues(count)
    }

    /// Rows that all have values.
    mutating func append(_ values: UnsafeBufferPointer<UInt64>) {
        noteBytes(values)
        words.append(contentsOf: values)
        noteValues(values.count)
    }

    /// Rows some of which have values.
    /// - Parameter values: of the rows that have one, in order.
    /// - Parameter bitmap: bit `r & 7` of byte `r >> 3` says whether row `r` has a value.
    mutating func append(_ values: UnsafeBufferPointer<UInt64>, bitmap: UnsafeRawBufferPointer, rows: Range<Int>) {
        guard values.count < rows.count else {
            precondition(values.count == rows.count, "more values than rows")
            return append(values)
        }
        materializeLevels()
        levels.reserveCapacity(levels.count + rows.count)
        var present = 0
        for row in rows {
            let level = bitmap[row >> 3] >> UInt8(row & 7) & 1
            present += Int(level)
            levels.append(level)
        }
        precondition(present == values.count, "as many values as bits")
        noteBytes(values)
        words.append(contentsOf: values)
        rowCount += rows.count
    }

    mutating func append(_ value: UnsafeRawBufferPointer, count: Int) {
        guard count > 0 else { return }
        append(word: UInt64(number(of: value)), count: count)
    }

    mutating func appendNulls(_ count: Int) {
        guard count > 0 else { return }
        materializeLevels()
        levels.append(contentsOf: repeatElement(0, count: count))
        rowCount += count
    }

    mutating func removeAll() {
        levels.removeAll(keepingCapacity: true)
        words.removeAll(keepingCapacity: true)
        dictionary.removeAll()
        rowCount = 0
        stringByteCount = 0
    }

    /// The word of a byte string. A value often equals the one before it: a status, a device.
    mutating func number(of value: UnsafeRawBufferPointer) -> Int {
        if let last = words.last, dictionary.equals(Int(last), value) { return Int(last) }
        return dictionary.index(of: value)
    }

    private mutating func noteValues(_ count: Int) {
        if hasNulls { levels.append(contentsOf: repeatElement(1, count: count)) }
        rowCount += count
    }

    /// Traps when a word is no number of a byte string.
    private mutating func noteBytes(_ values: UnsafeBufferPointer<UInt64>) {
        guard column.type.isByteArray else { return }
        for value in values { stringByteCount += dictionary.byteCount(Int(value)) }
    }

    private mutating func materializeLevels() {
        precondition(column.isOptional, "null in required column '\(column.name)'")
        if levels.isEmpty { levels.append(contentsOf: repeatElement(1, count: rowCount)) }
    }
}

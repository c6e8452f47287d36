/// The values of one column of the row group under construction.
///
/// Every value is one 64-bit word: two's complement, IEEE 754 bits, 0 or 1, or the number of a byte string in `dictionary`.
struct ColumnBuffer {
    let column: ParquetColumn
    /// Definition level of every row, optional columns only: 1 = has a value.
    private(set) var levels: [UInt8] = []
    /// One per value; nulls have none.
    private(set) var words: [UInt64] = []
    private(set) var dictionary = ByteDictionary()
    private(set) var rowCount = 0
    /// Bytes of the byte strings, repetitions included, lengths not.
    private(set) var stringByteCount = 0

    init(_ column: ParquetColumn) { self.column = column }

    /// What the rows take as plain values.
    var plainByteCount: Int { words.count * (column.type.isByteArray ? 4 : 8) + stringByteCount }

    var nullCount: Int { rowCount - words.count }

    mutating func append(word: UInt64) {
        if column.isOptional { levels.append(1) }
        words.append(word)
        rowCount += 1
    }

    mutating func append(_ value: UnsafeRawBufferPointer, count: Int) {
        guard count > 0 else { return }
        let index = index(of: value)
        if column.isOptional { levels.append(contentsOf: repeatElement(1, count: count)) }
        words.append(contentsOf: repeatElement(UInt64(index), count: count))
        rowCount += count
        stringByteCount += value.count * count
    }

    mutating func appendNulls(_ count: Int) {
        precondition(column.isOptional, "null in required column '\(column.name)'")
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

    /// A value often equals the one before it: a status, a device.
    private mutating func index(of value: UnsafeRawBufferPointer) -> Int {
        if let last = words.last, dictionary.equals(Int(last), value) { return Int(last) }
        return dictionary.index(of: value)
    }
}

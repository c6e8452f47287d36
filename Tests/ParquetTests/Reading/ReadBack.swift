import IndependentReaders

@testable import Parquet

/// Whole files in memory, and their rows as tests write them down.
enum ReadBack {
    static func reader(_ bytes: [UInt8], _ options: ParquetReaderOptions = .init()) throws -> ParquetReader {
        try ParquetReader(byteCount: bytes.count, options: options) { offset, count in Array(bytes[offset..<(offset + count)]) }
    }

    /// - Parameter columns: positions; all that can be read when nil.
    static func rows(
        _ reader: ParquetReader, columns: [Int]? = nil, rowGroups: Range<Int>? = nil, where conditions: [ParquetCondition] = []
    ) throws -> [[TestValue]] {
        let columns = columns ?? reader.columns.indices.filter { reader.columns[$0].kind != nil }
        let scan = try reader.scan(columns: columns, rowGroups: rowGroups, where: conditions)
        var rows: [[TestValue]] = []
        while let batch = try scan.next() {
            for row in 0..<batch.rowCount { rows.append(batch.columns.map { TestValue($0, row) }) }
        }
        return rows
    }

    static func rows(of bytes: [UInt8], _ options: ParquetReaderOptions = .init()) throws -> [[TestValue]] {
        try rows(try reader(bytes, options))
    }
}

extension TestValue {
    /// - Parameter column: `unsigned` beyond `Int64.max` comes as a double.
    init(_ column: ColumnBatch, _ row: Int) {
        guard column.hasValue(row) else {
            self = .null
            return
        }
        switch column.column.kind {
        case .integer: self = .integer(column.integer(row) ?? 0)
        case .unsigned: self = column.integer(row).map { .integer($0) } ?? .double(column.double(row) ?? 0)
        case .double: self = .double(column.double(row) ?? 0)
        case .boolean: self = .boolean(column.boolean(row) ?? false)
        case .text: self = .string(column.string(row) ?? "")
        case .bytes: self = .binary(Array(column.bytes(row) ?? UnsafeRawBufferPointer(start: nil, count: 0)))
        case .timestamp: self = column.microseconds(row).map { .time($0) } ?? .string("a time too far")
        case nil: self = .null
        }
    }
}

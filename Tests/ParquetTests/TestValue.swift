import IndependentReaders
import Testing

@testable import Parquet

/// A value as tests write it down.
enum TestValue: Hashable {
    case null
    case integer(Int64)
    case double(Double)
    case boolean(Bool)
    case string(String)
    case binary([UInt8])
    case time(Int64)

    /// As dump_parquet.py prints it.
    var text: String? {
        switch self {
        case .null: nil
        case .integer(let value): "i:\(value)"
        case .double(let value): IndependentReaders.text(value)
        case .boolean(let value): "o:\(value)"
        case .string(let value): "s:\(value)"
        case .binary(let value): IndependentReaders.text(binary: value)
        case .time(let value): "t:\(value)"
        }
    }
}

/// A whole table, and the row groups it is cut into.
struct TestTable {
    var columns: [ParquetColumn]
    var rows: [[TestValue]]
    var rowsPerGroup = Int.max

    func write(_ options: ParquetWriterOptions = .test) throws -> (bytes: [UInt8], footer: ParquetFooter) {
        let sink = ByteSink()
        let schema = try ParquetSchema(columns)
        let writer = try ParquetWriter(schema: schema, options: options) { sink.bytes.append(contentsOf: $0) }
        var buffer = RowGroupBuffer(schema)
        for row in rows {
            for (column, value) in row.enumerated() { buffer.append(value, to: column) }
            if buffer.rowCount == rowsPerGroup { try writer.write(&buffer) }
        }
        try writer.write(&buffer)
        let footer = try writer.finish()
        #expect(writer.byteCount == sink.bytes.count)
        return (sink.bytes, footer)
    }
}

private final class ByteSink { var bytes: [UInt8] = [] }

extension ParquetWriterOptions {
    static var test: ParquetWriterOptions { ParquetWriterOptions(version: "1.2.3", build: "test") }

    static var plain: ParquetWriterOptions {
        var options = test
        options.encoding = .plain
        return options
    }
}

extension RowGroupBuffer {
    mutating func append(_ value: TestValue, to column: Int) {
        switch value {
        case .null: appendNull(to: column)
        case .integer(let value), .time(let value): append(value, to: column)
        case .double(let value): append(value, to: column)
        case .boolean(let value): append(value, to: column)
        case .string(let value): append(value, to: column)
        case .binary(let value): value.withUnsafeBytes { append($0, to: column) }
        }
    }
}

extension ParquetFooter {
    static func read(_ bytes: [UInt8]) throws -> ParquetFooter {
        try read(byteCount: bytes.count) { offset, count in Array(bytes[offset..<(offset + count)]) }
    }
}

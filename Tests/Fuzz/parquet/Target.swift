import FuzzSupport

@testable import Parquet

/// A Parquet file, ours or a stranger's: read, or refused. Checksums are not looked at, so that damage gets to the decoders.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = FuzzInput(data, count)
    let bytes = input.bytes
    var options = ParquetReaderOptions()
    options.verifiesChecksums = false
    options.batchRowCount = input.isResealed ? 64 : 1_024
    options.windowByteCount = input.isResealed ? 100 : 4_096
    // A page or batch that claims more is refused: the memory of one input is bounded.
    options.pageByteCountLimit = 1 << 20
    options.batchByteCountLimit = 1 << 20
    let read = { (offset: Int, count: Int) in Array(bytes[offset..<(offset + count)]) }
    guard let reader = try? ParquetReader(byteCount: bytes.count, options: options, read: read) else { return 0 }
    let columns = reader.columns.indices.filter { reader.columns[$0].kind != nil }.prefix(50)
    let conditions = columns.prefix(3).map { ParquetCondition(column: $0, condition(of: reader.columns[$0])) }
    for conditions in [[], conditions] { try? exhaust(reader, Array(columns), conditions) }
    return 0
}

private func condition(of column: ReadableColumn) -> ParquetCondition.Test {
    switch column.kind {
    case .text: .oneOf([Array("a".utf8), Array("device 3".utf8)])
    case .bytes: .prefix([7])
    default: .within(0...1_000_000)
    }
}

/// A few bytes may stand for 2^60 nulls: some of them do.
private func exhaust(_ reader: ParquetReader, _ columns: [Int], _ conditions: [ParquetCondition]) throws {
    let scan = try reader.scan(columns: columns, where: conditions)
    while scan.rowCount < 10_000, let batch = try scan.next() {
        for column in batch.columns {
            for row in 0..<batch.rowCount {
                switch column.column.kind {
                case .text, .bytes: _ = column.bytes(row)?.reduce(0, ^)
                case .timestamp: _ = column.microseconds(row)
                case .double: _ = column.double(row)
                default: _ = column.integer(row)
                }
            }
        }
    }
}

@_cdecl("fuzz_parquet_main")
public func start(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
    runFuzzer(count, arguments, fuzz)
}

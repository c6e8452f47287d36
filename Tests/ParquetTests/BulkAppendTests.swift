import Testing

@testable import Parquet

@Suite struct BulkAppendTests {
    /// Whole spans give the same file as one value at a time.
    @Test(arguments: 1...20) func spansGiveWhatSingleValuesGive(seed: UInt64) throws {
        var random = SplitMix(seed)
        let schema = try ParquetSchema([
            ParquetColumn("device", .string, isOptional: false), ParquetColumn("v", .int64, isOptional: true),
            ParquetColumn("s", .string, isOptional: true),
        ])
        var (single, bulk) = (RowGroupBuffer(schema), RowGroupBuffer(schema))
        for span in 0..<Int.random(in: 1...6, using: &random) {
            let firstBit = Int.random(in: 0...20, using: &random)
            let count = Int.random(in: 0...400, using: &random)
            let isDense = Bool.random(using: &random)
            let values = (0..<count).map { _ in isDense || Bool.random(using: &random) ? Int64.random(in: -9...9, using: &random) : nil }
            for value in values {
                single.append("d\(span)", to: 0)
                if let value { single.append(value, to: 1) } else { single.appendNull(to: 1) }
                if let value { single.append("s\(value)", to: 2) } else { single.appendNull(to: 2) }
            }
            append(values, firstBit: firstBit, "d\(span)", to: &bulk)
        }
        #expect(single.rowCount == bulk.rowCount && single.plainByteCount == bulk.plainByteCount)
        #expect(try write(&single, schema) == write(&bulk, schema), "seed \(seed)")
    }

    private func append(_ values: [Int64?], firstBit: Int, _ device: String, to buffer: inout RowGroupBuffer) {
        buffer.append(device, count: values.count, to: 0)
        var bitmap = [UInt8](repeating: 0, count: (firstBit + values.count + 7) / 8 + 1)
        for (row, value) in values.enumerated() where value != nil { bitmap[(firstBit + row) >> 3] |= 1 << UInt8((firstBit + row) & 7) }
        let present = values.compactMap { $0 }
        let words = [
            present.map { UInt64(bitPattern: $0) },
            present.map { value in Array("s\(value)".utf8).withUnsafeBytes { buffer.number(of: $0, in: 2) } },
        ]
        for column in 1...2 {
            words[column - 1].withUnsafeBufferPointer { words in
                bitmap.withUnsafeBytes { buffer.append(words: words, bitmap: $0, rows: firstBit..<(firstBit + values.count), to: column) }
            }
        }
    }

    @Test func oneWordFillsManyRows() throws {
        let schema = try ParquetSchema([ParquetColumn("v", .double, isOptional: true)])
        var (single, bulk) = (RowGroupBuffer(schema), RowGroupBuffer(schema))
        for _ in 0..<100 { single.append(1.5, to: 0) }
        single.appendNull(to: 0, count: 3)
        bulk.append(repeating: 1.5.bitPattern, count: 100, to: 0)
        bulk.append(repeating: 1.5.bitPattern, count: 0, to: 0)
        bulk.appendNull(to: 0, count: 3)
        #expect(try write(&single, schema) == write(&bulk, schema))
    }

    private func write(_ buffer: inout RowGroupBuffer, _ schema: ParquetSchema) throws -> [UInt8] {
        var bytes: [UInt8] = []
        let writer = try ParquetWriter(schema: schema, options: .test) { bytes.append(contentsOf: $0) }
        try writer.write(&buffer)
        _ = try writer.finish()
        return bytes
    }
}

import Testing

@testable import Parquet

/// What the writer wrote is what the reader finds.
@Suite struct RoundTripTests {
    private static let columns: [ParquetColumn] = [
        ParquetColumn("device", .string, isOptional: false), ParquetColumn("time", .timestampMicrosUTC, isOptional: false),
        ParquetColumn("integer", .int64, isOptional: true), ParquetColumn("double", .double, isOptional: true),
        ParquetColumn("boolean", .boolean, isOptional: true), ParquetColumn("string", .string, isOptional: true),
        ParquetColumn("binary", .binary, isOptional: true), ParquetColumn("other", .timestampMicrosUTC, isOptional: true),
        ParquetColumn("flag", .boolean, isOptional: false), ParquetColumn("count", .int64, isOptional: false),
        ParquetColumn("level", .double, isOptional: false), ParquetColumn("blob", .binary, isOptional: false),
    ]

    private static func edges(_ index: Int) -> [TestValue] {
        let integers: [Int64] = [.min, .max, 0, -1, 1]
        let doubles = [Double.infinity, -.infinity, -0.0, 0, .leastNonzeroMagnitude, .greatestFiniteMagnitude]
        let strings = ["", "a", "é–\u{1F6F0}", "\n\"\u{0}", String(repeating: "long ", count: 300)]
        return [
            .string(strings[index % 5]), .time(integers[1 + index % 4] / 2), .integer(integers[index % 5]), .double(doubles[index % 6]),
            .boolean(index % 3 == 0), .string(strings[(index / 2) % 5]), .binary(Array(strings[index % 3].utf8)), .time(Int64(index) - 7),
            .boolean(index % 2 == 0), .integer(integers[(index / 3) % 5]), .double(doubles[index % 6]), .binary([UInt8(index % 256)]),
        ]
    }

    private static func table(_ count: Int, nullEvery: Int, rowsPerGroup: Int = .max) -> TestTable {
        let rows = (0..<count).map { index in
            edges(index).enumerated().map { columns[$0].isOptional && (index + $0) % nullEvery == 0 ? TestValue.null : $1 }
        }
        return TestTable(columns: columns, rows: rows, rowsPerGroup: rowsPerGroup)
    }

    @Test(arguments: [ParquetWriterOptions.Encoding.compact, .plain], [0, 1, 2, 7, 8, 9, 63, 1_000, 20_001])
    func everyTypeComesBack(encoding: ParquetWriterOptions.Encoding, count: Int) throws {
        var options = ParquetWriterOptions.test
        options.encoding = encoding
        for nullEvery in [1, 2, 100_000] {
            let table = Self.table(count, nullEvery: nullEvery, rowsPerGroup: count > 10_000 ? 12_000 : .max)
            #expect(try ReadBack.rows(of: table.write(options).bytes) == table.rows, "null every \(nullEvery)")
        }
    }

    /// Batches, windows and pages that end anywhere.
    @Test(arguments: [1, 3, 64, 999], [1, 100, 5_000])
    func sizesOfBatchesAndWindowsDoNotMatter(batchRowCount: Int, windowByteCount: Int) throws {
        let table = Self.table(1_500, nullEvery: 5, rowsPerGroup: 550)
        var options = ParquetReaderOptions()
        (options.batchRowCount, options.windowByteCount) = (batchRowCount, windowByteCount)
        #expect(try ReadBack.rows(of: table.write().bytes, options) == table.rows)
    }

    @Test(arguments: UInt64(0)..<10) func randomTablesComeBack(seed: UInt64) throws {
        var random = SplitMix(seed)
        var options = ParquetReaderOptions()
        options.batchRowCount = Int.random(in: 1...9_000, using: &random)
        let count = Int.random(in: 0...15_000, using: &random)
        let (nullEvery, rowsPerGroup) = (Int.random(in: 1...50, using: &random), Int.random(in: 2_000...40_000, using: &random))
        let table = Self.table(count, nullEvery: nullEvery, rowsPerGroup: rowsPerGroup)
        #expect(try ReadBack.rows(of: table.write().bytes, options) == table.rows)
    }

    @Test func columnsComeInTheOrderAskedFor() throws {
        let table = Self.table(500, nullEvery: 3, rowsPerGroup: 200)
        let reader = try ReadBack.reader(try table.write().bytes)
        #expect(reader.columns.map(\.name) == Self.columns.map(\.name))
        let kinds: [ReadableColumn.Kind] = [
            .text, .timestamp, .integer, .double, .boolean, .text, .bytes, .timestamp, .boolean, .integer, .double, .bytes,
        ]
        #expect(reader.columns.map(\.kind) == kinds)
        #expect(reader.column(named: "count")?.index == 9 && reader.column(named: "none") == nil)
        #expect(try ReadBack.rows(reader, columns: [9, 0, 9]) == table.rows.map { [$0[9], $0[0], $0[9]] })
        #expect(try ReadBack.rows(reader, columns: [5], rowGroups: 1..<2) == table.rows[200..<400].map { [$0[5]] })
        #expect(try ReadBack.rows(reader, columns: []) == table.rows.map { _ in [] })
    }

    @Test func batchesSayWhereTheyStand() throws {
        let table = Self.table(500, nullEvery: 3, rowsPerGroup: 200)
        var options = ParquetReaderOptions()
        options.batchRowCount = 150
        let scan = try ReadBack.reader(try table.write().bytes, options).scan(columns: [2], rowGroups: 1..<3)
        var places: [[Int]] = []
        while let batch = try scan.next() {
            places.append([batch.rowGroup, Int(batch.firstRow), batch.rowCount, batch.columns[0].nullCount])
            #expect(batch.columns[0].nullCount == (0..<batch.rowCount).count { !batch.columns[0].hasValue($0) })
        }
        #expect(places == [[1, 200, 150, 50], [1, 350, 50, 16], [2, 400, 100, 34]])
        #expect(scan.rowCount == 300 && scan.skippedRowGroupCount == 0)
        let end = try scan.next()
        #expect(end?.rowCount == nil)
    }

    /// A window at a time, one behind the other: memory does not grow with the file.
    @Test func noMoreIsReadThanNeeded() throws {
        let table = TestTable(
            columns: [ParquetColumn("a", .double, isOptional: false), ParquetColumn("b", .double, isOptional: false)],
            rows: (0..<60_000).map { [.double(Double($0) * 0.1), .double(Double($0) * 0.7)] })
        let bytes = try table.write(.plain).bytes
        let chunk = try ParquetFooter.read(bytes).rowGroups[0].chunks[1]
        var options = ParquetReaderOptions()
        options.windowByteCount = 10_000
        final class Log { var ranges: [Range<Int>] = [] }
        let log = Log()
        let reader = try ParquetReader(byteCount: bytes.count, options: options) { offset, count in
            log.ranges.append(offset..<(offset + count))
            return Array(bytes[offset..<(offset + count)])
        }
        log.ranges = []
        let rows = try ReadBack.rows(reader, columns: [1])
        #expect(rows == table.rows.map { [$0[1]] })
        let column = Int(chunk.dataPageOffset)..<Int(chunk.dataPageOffset + chunk.compressedByteCount)
        #expect(log.ranges.allSatisfy { column.contains($0.lowerBound) && $0.upperBound <= column.upperBound })
        #expect(log.ranges.map(\.count).reduce(0, +) < column.count + 40_000)
    }
}

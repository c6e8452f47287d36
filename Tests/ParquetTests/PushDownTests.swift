import Foundation
import IndependentReaders
import Testing

@testable import Parquet

/// Readers skip row groups and pages by what the writer says of them.
@Suite(.enabled(if: IndependentReaders.python != nil, "\(IndependentReaders.reasonToSkip)"))
struct PushDownTests {
    private static let rowCount = 1_000_000
    private static let rowsPerDevice = 200_000
    private static let rowsPerGroup = 131_072
    private static let newest: Int64 = 1_767_225_600_000_000
    private static let second: Int64 = 1_000_000

    /// Five devices, d0, d2, ... d8, of a reading a second, newest first, across eight row groups.
    /// - Returns: sum of the values, and rows without one.
    private func write(to path: String) throws -> (sum: Int, nullCount: Int) {
        let schema = try ParquetSchema([
            ParquetColumn("device", .string, isOptional: false), ParquetColumn("time", .timestampMicrosUTC, isOptional: false),
            ParquetColumn("value", .int64, isOptional: true),
        ])
        var options = ParquetWriterOptions.test
        options.sortingColumns = [SortingColumn(column: 0, isDescending: false), SortingColumn(column: 1, isDescending: true)]
        var bytes = Data()
        let writer = try ParquetWriter(schema: schema, options: options) { bytes.append(contentsOf: $0) }
        var buffer = RowGroupBuffer(schema)
        var random = SplitMix(1)
        var (sum, nullCount) = (0, 0)
        for row in 0..<Self.rowCount {
            if row % Self.rowsPerDevice == 0 || buffer.isEmpty {
                let rest = min(Self.rowsPerDevice - row % Self.rowsPerDevice, Self.rowsPerGroup - buffer.rowCount, Self.rowCount - row)
                buffer.append("d\(row / Self.rowsPerDevice * 2)", count: rest, to: 0)
            }
            buffer.append(Self.newest - Int64(row % Self.rowsPerDevice) * Self.second, to: 1)
            let value = Int64.random(in: 0..<1_000, using: &random)
            if value == 7 {
                buffer.appendNull(to: 2)
                nullCount += 1
            } else {
                buffer.append(value, to: 2)
                sum += Int(value)
            }
            if buffer.columns[2].rowCount == Self.rowsPerGroup { try writer.write(&buffer) }
        }
        try writer.write(&buffer)
        #expect(try writer.finish().rowGroups.count == 8)
        try bytes.write(to: URL(fileURLWithPath: path))
        return (sum, nullCount)
    }

    @Test func fewRowsAreFoundInFewPages() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("push-down-\(UUID().uuidString).parquet")
        defer { try? FileManager.default.removeItem(at: url) }
        let (sum, nullCount) = try write(to: url.path)
        let found = try IndependentReaders.pushDown(url.path, device: "d8", absent: "d7", since: Self.newest - 999 * Self.second)
        // d8 has rows 800 000 ... 999 999: all of row group 7 and, but for the end of d6, group 6, which begins at 786 432. Its newest
        // thousand are on the first page of group 6. d7 lies within that page's bounds; only Bloom filter or dictionary say it is absent.
        for reader in ["pyarrow", "duckdb", "polars"] {
            #expect(found.groups[reader]?.prefix(2) == [[200_000, 2], [1_000, 1]], "\(reader)")
            #expect(found.groups[reader]?[2][0] == 0, "\(reader)")
        }
        #expect(found.groups["fastparquet"]?.map { $0[1] } == [2, 2, 1])
        #expect(found.sparkRows == [[200_000, 131_072 + 82_496], [1_000, 20_000], [0, 0], [0, 20_000]])
        let all = [Bool](repeating: true, count: 8)
        #expect(found.bloomExcludes == [all, all[..<6] + [false, false]])
        for (reader, whole) in found.whole { #expect(whole == [Self.rowCount, sum, nullCount], "\(reader)") }
        #expect(found.whole.count == 4)
    }
}

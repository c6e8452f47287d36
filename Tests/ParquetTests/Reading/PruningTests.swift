import Foundation
import IndependentReaders
import Testing

@testable import Parquet

/// Conditions leave out what statistics, indices and filters rule out, and never a row that fulfils them.
@Suite struct PruningTests {
    private static let device = 0
    private static let time = 1
    private static let columns = [
        ParquetColumn("device", .string, isOptional: false), ParquetColumn("time", .timestampMicrosUTC, isOptional: true),
        ParquetColumn("value", .double, isOptional: true),
    ]

    /// Sorted by device and time; every tenth time is null.
    private static func rows(devices: Int, each: Int) -> [[TestValue]] {
        (0..<(devices * each)).map { index in
            let time: TestValue = index % 10 == 9 ? .null : .time(Int64(index % each) * 1_000)
            return [.string("device-\(100 + index / each)"), time, .double(Double(index) / 3)]
        }
    }

    private static func condition(_ test: ParquetCondition.Test, on column: Int = time) -> ParquetCondition {
        ParquetCondition(column: column, test)
    }

    private static func fulfils(_ row: [TestValue], _ condition: ParquetCondition) -> Bool {
        switch (condition.test, row[condition.column]) {
        case (.within(let range), .time(let value)): range.contains(value)
        case (.oneOf(let values), .string(let value)): values.contains(Array(value.utf8))
        case (.prefix(let prefix), .string(let value)): value.utf8.starts(with: prefix)
        default: false
        }
    }

    /// - Returns: rows read, row groups skipped.
    @discardableResult private static func scan(
        _ bytes: [UInt8], _ rows: [[TestValue]], _ conditions: [ParquetCondition], _ name: String = ""
    ) throws -> (rowCount: Int, skippedRowGroupCount: Int) {
        var options = ParquetReaderOptions()
        options.batchRowCount = 700
        options.windowByteCount = 3_000
        let reader = try ReadBack.reader(bytes, options)
        let scan = try reader.scan(columns: [2, 0, 1], where: conditions)
        var found: [Int] = []
        while let batch = try scan.next() {
            for row in 0..<batch.rowCount {
                let index = Int(batch.firstRow) + row
                found.append(index)
                // Aligned, wherever each column's pages begin.
                #expect([1, 2, 0].map { TestValue(batch.columns[$0], row) } == rows[index], "\(name), row \(index)")
            }
        }
        #expect(found == Set(found).sorted())
        let wanted = rows.indices.filter { row in conditions.allSatisfy { fulfils(rows[row], $0) } }
        #expect(Set(wanted).isSubset(of: found), "\(name)")
        return (found.count, scan.skippedRowGroupCount)
    }

    @Test func rowGroupsAreSkippedByTheirBounds() throws {
        let rows = Self.rows(devices: 10, each: 300)
        let bytes = try TestTable(columns: Self.columns, rows: rows, rowsPerGroup: 300).write().bytes
        func scan(_ conditions: ParquetCondition...) throws -> [Int] {
            let result = try Self.scan(bytes, rows, conditions)
            return [result.rowCount, result.skippedRowGroupCount]
        }
        let names = ["device-103", "device-107", "elsewhere"].map { Array($0.utf8) }
        #expect(try scan() == [3_000, 0])
        #expect(try scan(Self.condition(.oneOf(names), on: Self.device)) == [600, 8])
        #expect(try scan(Self.condition(.oneOf([Array("device".utf8)]), on: Self.device)) == [0, 10])
        #expect(try scan(Self.condition(.oneOf([]), on: Self.device)) == [0, 10])
        #expect(try scan(Self.condition(.prefix(Array("device-10".utf8)), on: Self.device)) == [3_000, 0])
        #expect(try scan(Self.condition(.prefix(Array("device-104".utf8)), on: Self.device)) == [300, 9])
        #expect(try scan(Self.condition(.prefix(Array("e".utf8)), on: Self.device)) == [0, 10])
        #expect(try scan(Self.condition(.prefix([]), on: Self.device)) == [3_000, 0])
        #expect(try scan(Self.condition(.within(-5 ... -1))) == [0, 10])
        // The bounds themselves are values.
        #expect(try scan(Self.condition(.within(-5...0))) == [3_000, 0])
        #expect(try scan(Self.condition(.within(298_000...(.max)))) == [3_000, 0])
        #expect(try scan(Self.condition(.within(300_000...(.max)))) == [0, 10])
        #expect(try scan(Self.condition(.within(298_000...298_000)))[1] == 0)
        #expect(try scan(Self.condition(.oneOf(names), on: Self.device), Self.condition(.within(-5 ... -1))) == [0, 10])
    }

    @Test func pagesAreSkippedByTheirIndex() throws {
        let rows = Self.rows(devices: 20, each: 5_000)
        let bytes = try TestTable(columns: Self.columns, rows: rows).write().bytes
        let device = Self.condition(.oneOf([Array("device-107".utf8)]), on: Self.device)
        let result = try Self.scan(bytes, rows, [device])
        #expect(result.rowCount >= 5_000 && result.rowCount <= 40_000)
        let both = try Self.scan(bytes, rows, [device, Self.condition(.within(0...10_000))])
        #expect(both.rowCount <= result.rowCount)
    }

    @Test func groupsOfNullsFulfilNothing() throws {
        let rows = (0..<50).map { _ in [TestValue.string("a"), .null, .null] }
        let bytes = try TestTable(columns: Self.columns, rows: rows).write().bytes
        #expect(try Self.scan(bytes, rows, [Self.condition(.within(.min ... .max))]).rowCount == 0)
    }

    @Test func rangesOfRowsIntersect() {
        let left = RowRanges([0..<10, 10..<20, 30..<40, 50..<60])
        #expect(left.ranges == [0..<20, 30..<40, 50..<60])
        #expect(left.intersection(RowRanges([5..<35, 39..<55])).ranges == [5..<20, 30..<35, 39..<40, 50..<55])
        #expect(left.intersection(RowRanges()).ranges == [])
    }

    @Test func conditionsOnColumnsThatCannotBeReadAreRefused() throws {
        var footer = ParquetFooter()
        footer.columns = [.init(name: "price", stored: StoredType(.int32, .other("DECIMAL")), isOptional: true)]
        let column = ReadableColumn(footer.columns[0], index: 0)
        #expect(column.kind == nil && column.reason == "is a DECIMAL in int32")
    }

    /// Small pages with indices; the scan seeks within chunks, with dictionaries before and nulls between.
    @Test(.enabled(if: IndependentReaders.python != nil, "\(IndependentReaders.reasonToSkip)"))
    func indicesOfOthersAreUnderstood() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("indexed-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        try IndependentReaders.writeIndexedFiles(into: directory)
        // As write_parquet.py makes them.
        let rows = (0..<6_000).map { row -> [TestValue] in
            let time: TestValue = row % 10 == 9 ? .null : .time(Int64(row % 300) * 1_000)
            return [.string("device-\(100 + row / 300)"), time, row % 7 == 3 ? .null : .double(Double(row) / 3)]
        }
        var random = SplitMix(1)
        for name in ["plain-1.0", "plain-2.0", "dictionary-1.0", "dictionary-2.0"] {
            let bytes = [UInt8](try Data(contentsOf: directory.appendingPathComponent("\(name).parquet")))
            for _ in 0..<30 {
                let first = Int64.random(in: 0...300_000, using: &random)
                let span = Self.condition(.within(first...(first + Int64.random(in: 0...20_000, using: &random))))
                let device = Self.condition(.oneOf([Array("device-\(Int.random(in: 100...121, using: &random))".utf8)]), on: Self.device)
                let byTime = try Self.scan(bytes, rows, [span], name)
                let byBoth = try Self.scan(bytes, rows, [span, device], name)
                #expect(byTime.rowCount < 3_000 && byBoth.rowCount < 300, "\(name)")
            }
        }
    }
}

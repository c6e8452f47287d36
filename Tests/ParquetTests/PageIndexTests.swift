import Testing

@testable import Parquet

@Suite struct PageIndexTests {
    private struct Indexes {
        var chunk: ParquetFooter.ColumnChunk
        var column: ColumnIndex?
        var offset: OffsetIndex
    }

    /// Writes one column as one row group, and reads its indexes back from the file.
    private func indexes(_ type: ParquetType, _ values: [TestValue], _ options: ParquetWriterOptions = .test) throws -> Indexes {
        let table = TestTable(columns: [ParquetColumn("v", type, isOptional: true)], rows: values.map { [$0] })
        let (bytes, footer) = try table.write(options)
        #expect(try ParquetFooter.read(bytes) == footer)
        let chunk = footer.rowGroups[0].chunks[0]
        func piece(_ range: ParquetFooter.FileRange) -> [UInt8] { Array(bytes[Int(range.offset)...].prefix(Int(range.byteCount))) }
        return Indexes(
            chunk: chunk, column: try chunk.columnIndex.map { try ColumnIndex(decoding: piece($0)) },
            offset: try OffsetIndex(decoding: piece(try #require(chunk.offsetIndex))))
    }

    private func bytes(_ value: Int64) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }

    @Test func pagesHaveBoundsPlacesAndCounts() throws {
        // Page 0: 0 ... 19 999, page 1: nulls, page 2: -1.
        let values = (0..<40_001).map { $0 < 20_000 ? TestValue.integer(Int64($0)) : $0 < 40_000 ? .null : .integer(-1) }
        let found = try indexes(.int64, values)
        let column = try #require(found.column)
        #expect(column.isNullPage == [false, true, false])
        #expect(column.minima == [bytes(0), [], bytes(-1)] && column.maxima == [bytes(19_999), [], bytes(-1)])
        #expect(column.nullCounts == [0, 20_000, 0] && column.nanCounts == nil)
        #expect(column.order == .descending)
        #expect(found.offset.pages.map(\.firstRow) == [0, 20_000, 40_000] && found.offset.plainByteCounts == nil)
        #expect(found.offset.pages[0].offset == found.chunk.dataPageOffset)
        for (page, next) in zip(found.offset.pages, found.offset.pages.dropFirst()) {
            #expect(page.offset + Int64(page.compressedByteCount) == next.offset)
        }
        let start = found.chunk.dictionaryPageOffset ?? found.chunk.dataPageOffset
        let last = try #require(found.offset.pages.last)
        #expect(last.offset + Int64(last.compressedByteCount) == start + found.chunk.compressedByteCount)
    }

    @Test func orderOfBoundsIsComputed() throws {
        func order(_ firsts: [Int64]) throws -> ColumnIndex.BoundaryOrder? {
            try indexes(.int64, firsts.flatMap { first in (0..<20_000).map { .integer(first + $0) } }).column?.order
        }
        #expect(try order([0, 5, 5, 90_000]) == .ascending)
        #expect(try order([90_000, 5, 5, -7]) == .descending)
        #expect(try order([0, 5, 4]) == .unordered)
        #expect(try order([-1, 0]) == .ascending)
        #expect(try indexes(.int64, [.null]).column?.order == .ascending)
    }

    @Test func nanKeepsBoundsAway() throws {
        let values = (0..<20_001).map { TestValue.double($0 == 3 ? .nan : 1) }
        let found = try indexes(.double, values)
        #expect(found.column == nil && found.offset.pages.count == 2)
        #expect(found.chunk.statistics.minimum == nil && found.chunk.statistics.maximum == nil && found.chunk.statistics.nanCount == 1)
        #expect(try indexes(.double, [.double(1), .null]).column?.nanCounts == [0])
    }

    @Test func longTextIsCutAtACharacterAndRoundedUp() throws {
        // 255 bytes, then a character of two: the cut is before it.
        let prefix = String(repeating: "a", count: 255)
        let found = try indexes(.string, [.string(prefix + "äz"), .string(prefix + "ö")])
        let (low, high) = (Array(prefix.utf8), Array((String(repeating: "a", count: 254) + "b").utf8))
        #expect(found.column?.minima == [low] && found.column?.maxima == [high])
        let statistics = found.chunk.statistics
        #expect(statistics.minimum == low && statistics.maximum == high && !statistics.minimumIsExact && !statistics.maximumIsExact)
        let exact = try indexes(.string, [.string(prefix + "a")]).chunk.statistics
        #expect(exact.minimumIsExact && exact.maximumIsExact && exact.maximum?.count == 256)
    }

    @Test func lastCharactersThatCannotBeRaisedAreDropped() {
        func upper(_ text: String) -> String? {
            EncodedBounds.upperBound(Array((text + String(repeating: "z", count: 256)).utf8), isText: true)
                .map { String(decoding: $0, as: UTF8.self) }
        }
        let top = String(repeating: "\u{10FFFF}", count: 63)
        #expect(upper("abc\u{D7FF}" + top) == "abc\u{E000}")
        #expect(upper("abcd" + top) == "abce")
        #expect(upper(top + "\u{10FFFF}") == nil)
        #expect(EncodedBounds.upperBound([UInt8](repeating: 0xFF, count: 257), isText: false) == nil)
        #expect(EncodedBounds.upperBound([1, 0xFF] + [UInt8](repeating: 0xFF, count: 255), isText: false) == [2])
        #expect(EncodedBounds.upperBound([UInt8](repeating: 0xFF, count: 256), isText: false)?.count == 256)
        // No UTF-8: there is nothing to say.
        #expect(EncodedBounds.lowerBound([0xC3] + [UInt8](repeating: 0x41, count: 300), isText: true) == nil)
    }

    /// Bounds that cannot be cut short are left out, of the chunk and of its pages.
    @Test func boundsThatCannotBeCutAreLeftOut() throws {
        let found = try indexes(.binary, [.binary([UInt8](repeating: 0xFF, count: 300)), .binary([1])])
        #expect(found.column == nil && found.chunk.statistics.minimum == nil && found.chunk.statistics.maximum == nil)
        #expect(found.offset.plainByteCounts == [301] && found.chunk.plainByteCount == 301)
    }

    @Test func longValuesCutPagesByBytes() throws {
        let values = (0..<10).flatMap { [TestValue.null, .binary([UInt8($0)] + [UInt8](repeating: 9, count: 400_000))] }
        let found = try indexes(.binary, values + [.binary([UInt8](repeating: 1, count: 3 << 20)), .binary([1])])
        // Two values of 400 001 bytes fit a page of 1 MiB; nulls go with the page before; the long one is alone.
        #expect(found.offset.pages.map(\.firstRow) == [0, 5, 9, 13, 17, 20, 21])
        #expect(found.column?.nullCounts == [3, 2, 2, 2, 1, 0, 0])
        #expect(found.offset.plainByteCounts == [800_002, 800_002, 800_002, 800_002, 800_002, 3 << 20, 1])
    }

    /// Further cuts do not shift the common ones.
    @Test func pagesOfAllColumnsBeginAtTheSameRows() throws {
        let values = (0..<40_000).map { TestValue.string($0 == 10 ? String(repeating: "x", count: 2 << 20) : "unique \($0)") }
        let rows = try indexes(.string, values, .plain).offset.pages.map(\.firstRow)
        #expect(rows == [0, 10, 11, 20_000])
    }

    @Test func onlyTheColumnsAskedForHaveBloomFilters() throws {
        let columns = [
            ParquetColumn("device", .string, isOptional: false), ParquetColumn("other", .int64, isOptional: true),
            ParquetColumn("flag", .boolean, isOptional: true),
        ]
        let table = TestTable(columns: columns, rows: [[.string("a"), .integer(1), .boolean(true)]])
        #expect(try table.write().footer.rowGroups[0].chunks.map { $0.bloomFilter != nil } == [true, false, false])
        var options = ParquetWriterOptions.test
        options.bloomFilterColumns = ["other", "flag", "none"]
        #expect(try table.write(options).footer.rowGroups[0].chunks.map { $0.bloomFilter != nil } == [false, true, false])
        options.bloomFilterColumns = []
        #expect(try table.write(options).footer.rowGroups[0].chunks.allSatisfy { $0.bloomFilter == nil })
    }

    @Test func damagedIndexesThrowAndNeverTrap() throws {
        var column = ColumnIndex()
        (column.isNullPage, column.minima, column.maxima, column.nullCounts) = ([false, true], [[1], []], [[2], []], [0, 5])
        column.nanCounts = [1, 0]
        var offset = OffsetIndex()
        offset.pages = [.init(offset: 4, compressedByteCount: 7, firstRow: 0), .init(offset: 11, compressedByteCount: 9, firstRow: 3)]
        offset.plainByteCounts = [1, 2]
        #expect(try ColumnIndex(decoding: column.encoded()) == column)
        #expect(try OffsetIndex(decoding: offset.encoded()) == offset)
        for bytes in [column.encoded(), offset.encoded()] {
            for position in bytes.indices {
                for bit in 0..<8 {
                    var damaged = bytes
                    damaged[position] ^= 1 << UInt8(bit)
                    _ = try? ColumnIndex(decoding: damaged)
                    _ = try? OffsetIndex(decoding: damaged)
                }
            }
        }
        for count in offset.encoded().indices {
            #expect(throws: ParquetError.self) { try OffsetIndex(decoding: Array(offset.encoded().prefix(count))) }
        }
        column.minima.removeLast()
        #expect(throws: ParquetError.self) { try ColumnIndex(decoding: column.encoded()) }
    }
}

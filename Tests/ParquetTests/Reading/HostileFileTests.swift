import Foundation
import IndependentReaders
import Testing

@testable import Parquet

/// Damaged files give errors, or, where no checksum guards them, other values; never a trap, a read outside the bytes, or an endless loop.
@Suite struct HostileFileTests {
    private static let columns = [
        ParquetColumn("device", .string, isOptional: false), ParquetColumn("time", .timestampMicrosUTC, isOptional: false),
        ParquetColumn("value", .double, isOptional: true), ParquetColumn("count", .int64, isOptional: true),
        ParquetColumn("text", .string, isOptional: true), ParquetColumn("flag", .boolean, isOptional: true),
    ]

    private static func row(_ index: Int) -> [TestValue] {
        let value: TestValue = index % 3 == 0 ? .null : .double(Double(index) / 7)
        let text: TestValue = index % 5 == 0 ? .null : .string("text \(index)")
        return [
            .string("device \(index % 7)"), .time(Int64(index) * 1_000), value, .integer(Int64(index * index)), text,
            .boolean(index % 4 == 0),
        ]
    }

    private static func table(_ count: Int) -> TestTable { TestTable(columns: columns, rows: (0..<count).map(row), rowsPerGroup: 60) }

    /// Reads all that can be read, at most `limit` rows: damage may claim 2^60 of them.
    private static func exhaust(_ bytes: [UInt8], verifiesChecksums: Bool, limit: Int64 = 100_000) throws {
        var options = ParquetReaderOptions()
        options.verifiesChecksums = verifiesChecksums
        options.pageByteCountLimit = 16 << 20
        let reader = try ReadBack.reader(bytes, options)
        let columns = reader.columns.indices.filter { reader.columns[$0].kind != nil }
        let conditions = columns.prefix(2).compactMap { index in
            switch reader.columns[index].kind {
            case .timestamp, .integer: ParquetCondition(column: index, .within(5_000...70_000))
            case .text, .bytes: ParquetCondition(column: index, .prefix(Array("device".utf8)))
            default: nil
            }
        }
        for conditions in [[], conditions] {
            let scan = try reader.scan(columns: columns, where: conditions)
            while scan.rowCount < limit, let batch = try scan.next() {
                for column in batch.columns where column.column.kind == .text || column.column.kind == .bytes {
                    // Every byte that a word names is touched.
                    for row in 0..<batch.rowCount { _ = column.bytes(row)?.reduce(0, ^) }
                }
            }
        }
    }

    @Test func everyFlippedByteOfOurFilesIsFoundOrHarmless() throws {
        let table = Self.table(100)
        let bytes = try table.write().bytes
        var refused = 0
        for position in bytes.indices {
            for value in [bytes[position] ^ 1, bytes[position] ^ 0x80, 0, 0xFF] where value != bytes[position] {
                var damaged = bytes
                damaged[position] = value
                do { try Self.exhaust(damaged, verifiesChecksums: true) } catch let error as ParquetError {
                    refused += 1
                    #expect(!error.detail.isEmpty)
                }
                _ = try? Self.exhaust(damaged, verifiesChecksums: false)
            }
        }
        #expect(refused > bytes.count)
    }

    @Test func everyTruncationIsRefused() throws {
        let bytes = try Self.table(100).write().bytes
        for count in bytes.indices {
            #expect(throws: ParquetError.self) { try Self.exhaust(Array(bytes[..<count]), verifiesChecksums: true) }
        }
    }

    @Test func aFlippedBitOfAPageIsRefusedByItsChecksum() throws {
        let (bytes, footer) = try Self.table(100).write()
        let chunk = footer.rowGroups[0].chunks[1]
        var damaged = bytes
        damaged[Int(chunk.firstPageOffset + chunk.compressedByteCount) - 1] ^= 1
        let error = #expect(throws: ParquetError.self) { try ReadBack.rows(of: damaged) }
        #expect(error?.description == "malformed: column 'time', page at offset \(chunk.dataPageOffset): its checksum does not fit")
        // Other columns are as good as before.
        #expect(try ReadBack.rows(try ReadBack.reader(damaged), columns: [2]) == Self.table(100).rows.map { [$0[2]] })
    }

    @Test func limitsAreKept() throws {
        let bytes = try Self.table(100).write().bytes
        var options = ParquetReaderOptions()
        options.pageByteCountLimit = 100
        let page = #expect(throws: ParquetError.self) { try ReadBack.rows(of: bytes, options) }
        #expect(page?.code == .tooLarge && page?.detail.contains("the limit is 100") == true)
        options = ParquetReaderOptions()
        options.batchByteCountLimit = 50
        #expect(throws: ParquetError.self) { try ReadBack.rows(of: bytes, options) }
    }

    /// A file whose footer says something else than the writer did.
    private static func read(_ change: (inout ParquetFooter) -> Void) throws -> ParquetError? {
        var (bytes, footer) = try table(100).write()
        bytes.removeLast(footer.encoded().count + ParquetFooter.tailByteCount)
        change(&footer)
        let tail = footer.encoded()
        bytes += tail + withUnsafeBytes(of: UInt32(tail.count).littleEndian) { Array($0) } + ParquetFooter.magic
        do {
            _ = try ReadBack.rows(of: bytes)
            return nil
        } catch let error as ParquetError {
            return error
        }
    }

    @Test func footersThatLieAreRefused() throws {
        #expect(try Self.read { _ in } == nil)
        let lzo = try Self.read { $0.rowGroups[0].chunks[1].codec = .lzo }
        #expect(lzo?.code == .unsupported && lzo?.detail.hasPrefix("column 'time', page at offset ") == true)
        #expect(lzo?.detail.hasSuffix(": codec LZO") == true)
        #expect(try Self.read { $0.rowGroups[0].chunks[1].codec = .lz4 }?.detail.contains("codec LZ4 in the framing of Hadoop") == true)
        let lies: [(inout ParquetFooter) -> Void] = [
            { $0.rowGroups[0].chunks[1].codec = .snappy }, { $0.rowGroups[0].chunks[1].codec = .gzip },
            { $0.rowGroups[0].chunks[1].codec = .brotli }, { $0.rowGroups[0].chunks[1].codec = .lz4Raw },
            { $0.rowGroups[0].chunks[1].codec = .uncompressed }, { $0.rowGroups[0].chunks[1].physicalType = .double },
            { $0.rowGroups[0].chunks[1].valueCount = 61 }, { $0.rowGroups[0].chunks[1].dataPageOffset = -1 },
            { $0.rowGroups[0].chunks[1].dataPageOffset = .max }, { $0.rowGroups[0].chunks[1].compressedByteCount = .max },
            { $0.rowGroups[0].chunks[1].compressedByteCount -= 1 }, { $0.rowGroups[0].chunks[1].compressedByteCount = 0 },
            { $0.rowGroups[0].chunks.removeLast() }, { $0.rowGroups[0].rowCount = -1 }, { $0.rowCount += 1 },
            { $0.columns[1].isOptional = true }, { $0.columns[2].isOptional = false }, { $0.columns.removeLast() },
        ]
        for (number, lie) in lies.enumerated() { #expect(try Self.read(lie) != nil, "lie \(number)") }
    }

    @Test func aScanEndsWithItsFirstError() throws {
        var bytes = try Self.table(100).write().bytes
        let chunk = try ParquetFooter.read(bytes).rowGroups[1].chunks[0]
        bytes[Int(chunk.firstPageOffset + chunk.compressedByteCount) - 1] ^= 1
        let scan = try ReadBack.reader(bytes).scan(columns: [0])
        #expect(try scan.next()?.rowCount == 60)
        #expect(throws: ParquetError.self) { try scan.next()?.rowCount }
        #expect(throws: ParquetError.self) { try scan.next()?.rowCount }
    }

    @Test func errorsOfReadingComeThrough() throws {
        struct Gone: Error {}
        let bytes = try Self.table(100).write().bytes
        var isGone = false
        let reader = try ParquetReader(byteCount: bytes.count) { offset, count in
            if isGone { throw Gone() }
            return Array(bytes[offset..<(offset + count)])
        }
        isGone = true
        #expect(throws: Gone.self) { try ReadBack.rows(reader) }
    }

    /// Bytes of foreign files flipped, zeroed, cut out, repeated; GAUGEHOUSE_MUTATIONS says how many times each, default 40.
    @Test(.enabled(if: IndependentReaders.python != nil, "\(IndependentReaders.reasonToSkip)"))
    func mutatedForeignFilesNeverTrap() throws {
        let count = ProcessInfo.processInfo.environment["GAUGEHOUSE_MUTATIONS"].flatMap(Int.init) ?? 40
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("mutated-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        for (number, file) in try IndependentReaders.writeForeignFiles(into: directory).enumerated() {
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file.path)))
            // Sound, it must be read to the end.
            try Self.exhaust(bytes, verifiesChecksums: true)
            var random = SplitMix(UInt64(number))
            for _ in 0..<count { _ = try? Self.exhaust(Self.mutated(bytes, &random), verifiesChecksums: false, limit: 20_000) }
        }
    }

    private static func mutated(_ bytes: [UInt8], _ random: inout SplitMix) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            // Half of them in the footer, which steers everything.
            let from = Bool.random(using: &random) ? max(4, bytes.count - 3_000) : 4
            let start = Int.random(in: from..<(bytes.count - 8), using: &random)
            let end = min(start + Int.random(in: 1...16, using: &random), bytes.count - 8)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[start] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes[start] = UInt8.random(in: 0...255, using: &random)
            case 2: for index in start..<end { bytes[index] = 0 }
            case 3: for index in start..<end { bytes[index] = 0xFF }
            default: for index in start..<end { bytes[index] = bytes[index - 4] }
            }
        }
        return bytes
    }
}

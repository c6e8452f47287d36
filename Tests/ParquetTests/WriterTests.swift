import Testing

@testable import Parquet

@Suite struct WriterTests {
    private let small = TestTable(
        columns: [
            ParquetColumn("device", .string, isOptional: false), ParquetColumn("time", .timestampMicrosUTC, isOptional: false),
            ParquetColumn("value", .double, isOptional: true),
        ],
        rows: [
            [.string("a"), .time(2), .double(1.5)], [.string("a"), .time(1), .null], [.string("b"), .time(-1), .double(-0.0)],
        ])

    private let everyEncoding: TestTable = {
        var random = SplitMix(3)
        let rows = (0..<2_000).map { index -> [TestValue] in
            let noise = Double.random(in: 0.5..<1, using: &random)
            return [
                .string("d\(index / 700)"), .time(Int64(1_000_000 - index * 500)), .double(noise),
                index % 9 == 0 ? .null : .double(Double(Int(noise * 50)) / 10), .string("note \(index * 77)"),
            ]
        }
        let types: [ParquetType] = [.string, .timestampMicrosUTC, .double, .double, .string]
        let columns = types.enumerated().map { ParquetColumn($0 == 0 ? "device" : "c\($0)", $1, isOptional: $0 == 3) }
        return TestTable(columns: columns, rows: rows)
    }()

    @Test func footerThatIsReadIsTheFooterThatWasWritten() throws {
        var options = ParquetWriterOptions.test
        options.keyValues = [KeyValue("task", "archive"), KeyValue("empty", "")]
        options.sortingColumns = [SortingColumn(column: 0, isDescending: false), SortingColumn(column: 1, isDescending: true)]
        var table = small
        table.rowsPerGroup = 1
        let (bytes, footer) = try table.write(options)
        let read = try ParquetFooter.read(bytes)
        #expect(read == footer)
        #expect(read.rowCount == 3 && read.rowGroups.count == 3)
        #expect(read.createdBy == "gaugehouse version 1.2.3 (build test)")
        #expect(read.value(forKey: "task") == "archive" && read.value(forKey: "none") == nil)
        #expect(read.columns.map(\.type) == [.string, .timestampMicrosUTC, .double])
        #expect(read.rowGroups[0].sortingColumns == options.sortingColumns)
    }

    @Test func bytesAreGolden() throws {
        let (bytes, _) = try small.write()
        let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(hex == goldenFile)
    }

    /// One column chunk of each encoding, nulls, a Bloom filter and page indexes, by its XXH64.
    @Test func bytesOfEveryEncodingAreGolden() throws {
        let (bytes, footer) = try everyEncoding.write()
        let encodings = footer.rowGroups[0].chunks.map { $0.encodings.last { $0 != .rle } }
        #expect(encodings == [.rleDictionary, .deltaBinaryPacked, .byteStreamSplit, .rleDictionary, .plain])
        #expect(bytes.withUnsafeBytes { XXHash64.hash($0) } == 0x734F_7833_12E2_2267)
    }

    @Test func sameRowsGiveTheSameBytes() throws {
        #expect(try small.write().bytes == small.write().bytes)
        #expect(try everyEncoding.write().bytes == everyEncoding.write().bytes)
        #expect(try everyEncoding.write().bytes != everyEncoding.write(.plain).bytes)
    }

    @Test func offsetsAndSizesTileTheFile() throws {
        var table = small
        table.rows = (0..<50_000).map { [.string("d\($0 / 100)"), .time(Int64($0)), .double(Double($0))] }
        table.rowsPerGroup = 30_000
        let (bytes, footer) = try table.write()
        var offset: Int64 = 4
        for group in footer.rowGroups {
            #expect(group.fileOffset == offset)
            for chunk in group.chunks {
                #expect((chunk.dictionaryPageOffset ?? chunk.dataPageOffset) == offset)
                #expect(chunk.pageCounts.last?.count == Int32((chunk.valueCount + 19_999) / 20_000))
                offset += chunk.compressedByteCount
            }
            offset = take(group.chunks.compactMap(\.bloomFilter), from: offset)
        }
        let chunks = footer.rowGroups.flatMap(\.chunks)
        offset = take(chunks.compactMap(\.columnIndex) + chunks.compactMap(\.offsetIndex), from: offset)
        #expect(Int(offset) + footer.encoded().count + 8 == bytes.count)
    }

    /// Pieces of the file that stand behind each other.
    private func take(_ ranges: [ParquetFooter.FileRange], from offset: Int64) -> Int64 {
        var offset = offset
        for range in ranges {
            #expect(range.offset == offset && range.byteCount > 0)
            offset += Int64(range.byteCount)
        }
        return offset
    }

    /// The specification would leave NaN out of the bounds. But then duckdb and Spark, to whom NaN is above all numbers, skip it.
    @Test func boundsOfDoublesWidenZeroAndAreLeftOutBesideNaN() throws {
        func statistics(_ values: [Double]) throws -> ColumnStatistics {
            let table = TestTable(columns: [ParquetColumn("v", .double, isOptional: true)], rows: values.map { [.double($0)] } + [[.null]])
            return try table.write().footer.rowGroups[0].chunks[0].statistics
        }
        func bytes(_ value: Double) -> [UInt8] { withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
        let zeros = try statistics([0.0])
        #expect(zeros.minimum == bytes(-0.0) && zeros.maximum == bytes(0.0) && zeros.nanCount == 0 && zeros.nullCount == 1)
        let infinite = try statistics([-0.0, .infinity, -.infinity])
        #expect(infinite.minimum == bytes(-.infinity) && infinite.maximum == bytes(.infinity) && infinite.nanCount == 0)
        for values in [[.nan], [1, .nan, 2]] as [[Double]] {
            let none = try statistics(values)
            #expect(none.minimum == nil && none.maximum == nil && none.nanCount == 1)
        }
    }

    @Test func boundsOfBytesAreUnsigned() throws {
        let values: [[UInt8]] = [[0x7F, 1], [0x80], [], [0xFF, 0]]
        let bounds = try TestTable(columns: [ParquetColumn("v", .binary, isOptional: false)], rows: values.map { [.binary($0)] })
            .write().footer.rowGroups[0].chunks[0].statistics
        #expect(bounds.minimum == [] && bounds.maximum == [0xFF, 0] && bounds.minimumIsExact && bounds.maximumIsExact)
    }

    @Test func schemaMustHaveDistinctColumns() {
        #expect(throws: ParquetError.self) { try ParquetSchema([]) }
        #expect(throws: ParquetError.self) {
            try ParquetSchema([ParquetColumn("a", .int64, isOptional: true), ParquetColumn("a", .double, isOptional: true)])
        }
    }

    @Test func errorOfTheSinkEndsTheWrite() throws {
        struct Full: Error {}
        let schema = try ParquetSchema(small.columns)
        var room = 10
        let writer = try ParquetWriter(schema: schema, options: .test) {
            room -= $0.count
            if room < 0 { throw Full() }
        }
        var buffer = RowGroupBuffer(schema)
        for (column, value) in small.rows[0].enumerated() { buffer.append(value, to: column) }
        #expect(throws: Full.self) { try writer.write(&buffer) }
    }

    @Test func valuesAboveTheLimitAreRefused() throws {
        var options = ParquetWriterOptions.test
        options.valueByteCountLimit = 5
        let columns = [ParquetColumn("v", .binary, isOptional: false)]
        _ = try TestTable(columns: columns, rows: [[.binary([1, 2, 3, 4, 5])]]).write(options)
        let error = #expect(throws: ParquetError.self) {
            try TestTable(columns: columns, rows: [[.binary([1])], [.binary([1, 2, 3, 4, 5, 6])]]).write(options)
        }
        #expect(error?.code == .value && error?.detail == "column 'v' has a value of 6 bytes, above the limit of 5")
    }

    @Test func damagedFootersThrowAndNeverTrap() throws {
        let (bytes, footer) = try small.write()
        let footerStart = bytes.count - footer.encoded().count - 8
        for position in footerStart..<bytes.count {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[position] ^= 1 << UInt8(bit)
                _ = try? ParquetFooter.read(damaged)
            }
        }
        for count in 0..<bytes.count {
            #expect(throws: ParquetError.self) { try ParquetFooter.read(Array(bytes[..<count])) }
        }
    }
}

/// The table `small`, byte for byte; read with pyarrow, duckdb, polars, fastparquet and Spark when it was taken.
private let goldenFile = """
    504152311500151e152a15d7d4fbd1021c1506150015061506000028b52ffd200f650000300100000061620100288a1615001530153a15ecdfe\
    482041c1506150015061506000028b52ffd2018a500006002000100ffffffffffffffff020060e00160011500152c153e15e790cffc0e1c1506\
    150015061506000028b52ffd2016b10000020000000305000000000000f83f000000000000008015401c1c00001c1c00001c1c0000000080040\
    0000002080300000000100001000002204000000100008008002000801911021918016119180162150219160000191102191808ffffffffffff\
    ffff19180802000000000000001502191600001911021918080000000000000080191808000000000000f83f150219160239160000191c16081\
    55816000019160600191c1660156816000000191c16c801156c160000001504194c4806736368656d61150600150c2500180664657669636525\
    004c1c00000015042500180474696d6525144c8c111c2c0000000000150a2502180576616c7565001606191c193c26001c150c1915001918066\
    46576696365150c1606164c165826083c3600280162180161111100191c1500150015020016b402155e1c1606000016b604151a169203152200\
    26001c150419150019180474696d65150c1606165e166826603c3600280802000000000000001808ffffffffffffffff111100191c150015001\
    502000016d004151416b403153e0026001c150a1925000619180576616c7565150c1606165a166c26c8013c36022808000000000000f83f1808\
    00000000000000801111160000191c150015001502000016e404151616f2031544001684021606260816ac0214000028256761756765686f757\
    3652076657273696f6e20312e322e3320286275696c64207465737429193c1c00001c00001c0000006401000050415231
    """

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

    @Test func sameRowsGiveTheSameBytes() throws {
        #expect(try small.write().bytes == small.write().bytes)
        #expect(try small.write().bytes != small.write(.plain).bytes)
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
        }
        #expect(Int(offset) + footer.encoded().count + 8 == bytes.count)
    }

    @Test func encodingsFitTheData() throws {
        let strings = (0..<1_000).map { [TestValue.string("status-\($0 % 3)"), .string("unique-\($0)"), .integer(Int64($0))] }
        let columns = [
            ParquetColumn("status", .string, isOptional: true), ParquetColumn("unique", .string, isOptional: true),
            ParquetColumn("count", .int64, isOptional: true),
        ]
        let table = TestTable(columns: columns, rows: strings)
        let compact = try table.write().footer.rowGroups[0].chunks
        #expect(compact[0].encodings == [.plain, .rleDictionary, .rle])
        #expect(compact[1].encodings == [.plain, .rle] && compact[1].dictionaryPageOffset == nil)
        #expect(compact[2].encodings == [.deltaBinaryPacked, .rle])
        let plain = try table.write(.plain).footer.rowGroups[0].chunks
        #expect(plain.allSatisfy { $0.encodings == [.plain, .rle] && $0.dictionaryPageOffset == nil })
    }

    @Test func boundsOfDoublesLeaveNaNOutAndWidenZero() throws {
        func statistics(_ values: [Double]) throws -> ColumnStatistics {
            let table = TestTable(columns: [ParquetColumn("v", .double, isOptional: true)], rows: values.map { [.double($0)] } + [[.null]])
            return try table.write().footer.rowGroups[0].chunks[0].statistics
        }
        func bytes(_ value: Double) -> [UInt8] { withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
        let zeros = try statistics([0.0, .nan])
        #expect(zeros.minimum == bytes(-0.0) && zeros.maximum == bytes(0.0) && zeros.nanCount == 1 && zeros.nullCount == 1)
        let infinite = try statistics([-0.0, .infinity, -.infinity])
        #expect(infinite.minimum == bytes(-.infinity) && infinite.maximum == bytes(.infinity) && infinite.nanCount == 0)
        let none = try statistics([.nan])
        #expect(none.minimum == nil && none.maximum == nil && none.nanCount == 1)
    }

    @Test func boundsOfBytesAreUnsignedAndLeftOutWhenLong() throws {
        func statistics(_ values: [[UInt8]]) throws -> ColumnStatistics {
            try TestTable(columns: [ParquetColumn("v", .binary, isOptional: false)], rows: values.map { [.binary($0)] })
                .write().footer.rowGroups[0].chunks[0].statistics
        }
        let bounds = try statistics([[0x7F, 1], [0x80], [], [0xFF, 0]])
        #expect(bounds.minimum == [] && bounds.maximum == [0xFF, 0])
        let long = try statistics([[1], [UInt8](repeating: 2, count: 257)])
        #expect(long.minimum == nil && long.maximum == nil && long.nullCount == 0)
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

/// The table `small`, byte for byte; read with pyarrow and duckdb when it was taken.
private let goldenFile = """
    5041523115041514152615c1dcf5d00d3c15041500000028b52ffd200a51000001000000610100000062150015061518159acdf0b10a1c15\
    06151015061506000028b52ffd20031900000103041500151c152e15eff0d5f7071c1506150a15061506000028b52ffd200e710000800104\
    03040301000000010000001500152c153e15e790cffc0e1c1506150015061506000028b52ffd2016b10000020000000305000000000000f8\
    3f00000000000000801504194c4806736368656d61150600150c2500180664657669636525004c1c00000015042500180474696d6525144c\
    8c111c2c0000000000150a2502180576616c7565001606191c193c26001c150c19250010191806646576696365150c1606166e1692012654\
    26081c3600280162180161111100192c1504150015020015001510150200000026001c150419150a19180474696d65150c1606164a165c26\
    9a013c3600280802000000000000001808ffffffffffffffff111100191c1500150a150200000026001c150a1925000619180576616c7565\
    150c1606165a166c26f6013c36022808000000000000f83f180800000000000000801111160000191c150015001502000000169202160626\
    0816da0214000028256761756765686f7573652076657273696f6e20312e322e3320286275696c64207465737429193c1c00001c00001c00\
    00004901000050415231
    """

import Testing

@testable import Parquet

@Suite struct EncodingChoiceTests {
    private static func used(_ type: ParquetType, _ values: [TestValue]) throws -> [ParquetEncoding] {
        let table = TestTable(columns: [ParquetColumn("v", type, isOptional: true)], rows: values.map { [$0] })
        return try table.write().footer.rowGroups[0].chunks[0].encodings
    }

    @Test func encodingsFitTheData() throws {
        var random = SplitMix(7)
        let noise = (0..<20_000).map { _ in TestValue.double(Double.random(in: 0.5..<1, using: &random)) }
        #expect(try Self.used(.double, noise) == [.byteStreamSplit, .rle])
        let decimals = (0..<20_000).map { _ in TestValue.double(Double(Int.random(in: 0...60, using: &random)) / 10) }
        #expect(try Self.used(.double, decimals) == [.plain, .rleDictionary, .rle])
        let times = (0..<20_000).map { TestValue.time(1_700_000_000_000_000 - Int64($0) * 1_000_000 + Int64($0 * $0 % 977)) }
        #expect(try Self.used(.timestampMicrosUTC, times) == [.deltaBinaryPacked, .rle])
        let codes = (0..<20_000).map { _ in TestValue.integer([-1, 7, 1 << 40].randomElement(using: &random)!) }
        #expect(try Self.used(.int64, codes) == [.plain, .rleDictionary, .rle])
        #expect(try Self.used(.boolean, [.boolean(true), .boolean(false)]) == [.plain, .rle])
        #expect(try Self.used(.string, (0..<1_000).map { .string("status-\($0 % 3)") }) == [.plain, .rleDictionary, .rle])
        #expect(try Self.used(.string, (0..<1_000).map { .string("unique-\($0)") }) == [.plain, .rle])
        for type in ParquetType.allCases { #expect(try Self.used(type, [.null, .null]) == [.plain, .rle]) }
    }

    @Test func plainIsPlainEverywhere() throws {
        let columns = ParquetType.allCases.map { ParquetColumn("\($0)", $0, isOptional: true) }
        let rows = (0..<5_000).map { index in ParquetType.allCases.map { TestValue(repetitive: index % 5, $0) } }
        let chunks = try TestTable(columns: columns, rows: rows).write(.plain).footer.rowGroups[0].chunks
        for chunk in chunks {
            #expect(chunk.encodings == [.plain, .rle] && chunk.dictionaryPageOffset == nil)
            #expect(chunk.pageCounts == [.init(page: .data, encoding: .plain, count: 1)])
        }
    }

    /// Whatever is chosen by the sample is at most a hundredth larger than the best for the whole chunk.
    @Test(arguments: 1...8) func sampleChoosesAlmostTheSmallest(seed: UInt64) throws {
        var random = SplitMix(seed)
        let spread = 1 << Int.random(in: 1...20, using: &random)
        let scale = [1.0, 10, 1_000, 3].randomElement(using: &random)!
        var value = 1_000
        let values = (0..<60_000).map { _ in
            value += Int.random(in: -spread...spread, using: &random)
            return TestValue.double(Double(value) / scale)
        }
        let table = TestTable(columns: [ParquetColumn("v", .double, isOptional: false)], rows: values.map { [$0] })
        let compact = try table.write().footer.rowGroups[0].compressedByteCount
        let plain = try table.write(.plain).footer.rowGroups[0].compressedByteCount
        #expect(Double(compact) <= 1.01 * Double(plain), "seed \(seed)")
    }
}

extension TestValue {
    /// One of few values of each type.
    fileprivate init(repetitive number: Int, _ type: ParquetType) {
        switch type {
        case .int64: self = .integer(Int64(number))
        case .double: self = .double(Double(number))
        case .boolean: self = .boolean(number == 0)
        case .string: self = .string("\(number)")
        case .binary: self = .binary([UInt8(number)])
        case .timestampMicrosUTC: self = .time(Int64(number))
        }
    }
}

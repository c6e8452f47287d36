import Foundation
import IndependentReaders
import Testing

@testable import Parquet

/// pyarrow and duckdb must find every value and type that went in.
@Suite(.enabled(if: IndependentReaders.python != nil, "\(IndependentReaders.reasonToSkip)"))
struct IndependentReaderTests {
    private static let allTypes: [ParquetColumn] = [
        ParquetColumn("device", .string, isOptional: false), ParquetColumn("time", .timestampMicrosUTC, isOptional: false),
        ParquetColumn("integer", .int64, isOptional: true), ParquetColumn("double", .double, isOptional: true),
        ParquetColumn("boolean", .boolean, isOptional: true), ParquetColumn("string", .string, isOptional: true),
        ParquetColumn("binary", .binary, isOptional: true), ParquetColumn("späte \"Zeit\":t", .timestampMicrosUTC, isOptional: true),
    ]

    private static let edges: [[TestValue]] = [
        [
            .string("é–\u{1F6F0}"), .time(-1), .integer(.min), .double(.nan), .boolean(true), .string(""), .binary([]),
            .time(-2_208_988_800_000_001),
        ],
        [
            .string(""), .time(0), .integer(.max), .double(.infinity), .boolean(false), .string("\n\"\\\u{0}\u{7F}"),
            .binary([0, 255]), .time(0),
        ],
        [.string("a"), .time(.init(1) << 55), .integer(0), .double(-.infinity), .null, .null, .null, .null],
        [.string("a"), .time(1), .null, .double(-0.0), .null, .string("日本語"), .binary([0]), .time(1)],
        [.string("a"), .time(2), .integer(-1), .double(0.0), .boolean(true), .null, .null, .null],
        [.string("a"), .time(3), .integer(1), .double(.leastNonzeroMagnitude), .boolean(true), .string("x"), .null, .null],
        [.string("a"), .time(4), .integer(1), .double(.greatestFiniteMagnitude), .boolean(true), .string("x"), .null, .null],
    ]

    private static let nulls = [TestValue](repeating: .null, count: 6)

    /// Values only on the second page.
    private static func lateRow(_ index: Int64) -> [TestValue] {
        [.string("d"), .time(index)] + (index < 20_100 ? nulls : Array(edges[0][2...]))
    }

    private static func longBinary(_ index: Int) -> TestValue {
        .binary([UInt8](repeating: UInt8(index % 251), count: 700 + index / 2))
    }

    private static let cases: [(name: String, table: TestTable)] = [
        ("edges", TestTable(columns: allTypes, rows: edges)),
        ("edges in row groups of one", TestTable(columns: allTypes, rows: edges, rowsPerGroup: 1)),
        ("no rows", TestTable(columns: allTypes, rows: [])),
        ("one row", TestTable(columns: allTypes, rows: [edges[0]])),
        ("all null", TestTable(columns: allTypes, rows: (0..<50).map { [.string("d"), .time($0)] + nulls })),
        ("first page all null", TestTable(columns: allTypes, rows: (0..<20_500).map { lateRow($0) })),
        ("one value everywhere", TestTable(columns: allTypes, rows: [[TestValue]](repeating: edges[0], count: 300))),
        ("unique strings", TestTable(columns: [allTypes[0]], rows: (0..<5_000).map { [.string("unique device \($0 &* 7_919)")] })),
        ("dictionary above its limit", TestTable(columns: [allTypes[6]], rows: (0..<3_000).map { [longBinary($0)] })),
        ("many row groups", TestTable(columns: allTypes, rows: (0..<700).map { edges[$0 % edges.count] }, rowsPerGroup: 7)),
    ]

    @Test(arguments: [ParquetWriterOptions.Encoding.compact, .plain])
    func findWhatWasWritten(encoding: ParquetWriterOptions.Encoding) throws {
        try expectRoundTrips(Self.cases, encoding)
    }

    @Test(arguments: [ParquetWriterOptions.Encoding.compact, .plain])
    func findRandomTables(encoding: ParquetWriterOptions.Encoding) throws {
        let tables = (UInt64(1)...12).map { seed in (name: "seed \(seed)", table: TestTable(random: seed, columns: Self.allTypes)) }
        try expectRoundTrips(tables, encoding)
    }

    @Test func findKeyValues() throws {
        var options = ParquetWriterOptions.test
        options.keyValues = [KeyValue("gaugehouse.task", "archive"), KeyValue("gaugehouse.folder", "a=1/b=ü")]
        try withDirectory { directory in
            let path = directory.appendingPathComponent("a.parquet").path
            try Data(TestTable(columns: Self.allTypes, rows: Self.edges).write(options).bytes).write(to: URL(fileURLWithPath: path))
            #expect(try IndependentReaders.read([path])[0].keyValues == ["gaugehouse.task": "archive", "gaugehouse.folder": "a=1/b=ü"])
        }
    }

    private func expectRoundTrips(_ cases: [(name: String, table: TestTable)], _ encoding: ParquetWriterOptions.Encoding) throws {
        try withDirectory { directory in
            var options = ParquetWriterOptions.test
            options.encoding = encoding
            let paths = try cases.enumerated().map { index, entry in
                let url = directory.appendingPathComponent("\(index).parquet")
                try Data(entry.table.write(options).bytes).write(to: url)
                return url.path
            }
            for (file, entry) in zip(try IndependentReaders.read(paths), cases) { expect(file, holds: entry.table, entry.name) }
        }
    }

    private func expect(_ file: IndependentReaders.File, holds table: TestTable, _ name: String) {
        #expect(file.columns == table.columns.map { .init($0.name, $0.type.readerName, isNullable: $0.isOptional) }, "\(name)")
        #expect(file.rows.count == table.rows.count, "\(name)")
        for (row, (found, expected)) in zip(file.rows, table.rows).enumerated() where found != expected.map(\.text) {
            Issue.record("\(name), row \(row): \(found), not \(expected.map(\.text))")
            break
        }
    }

    private func withDirectory(_ body: (URL) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("parquet-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        try body(directory)
    }
}

extension ParquetType {
    fileprivate var readerName: String {
        switch self {
        case .int64: "int64"
        case .double: "double"
        case .boolean: "boolean"
        case .string: "string"
        case .binary: "binary"
        case .timestampMicrosUTC: "timestamp"
        }
    }
}

extension TestTable {
    /// Up to 60 000 rows: several pages; long runs, null stretches and noise.
    fileprivate init(random seed: UInt64, columns: [ParquetColumn]) {
        var random = SplitMix(seed)
        let count = Int.random(in: 0...(seed % 4 == 0 ? 60_000 : 3_000), using: &random)
        let stretch = Int.random(in: 1...200, using: &random)
        var row: [TestValue] = []
        var rows: [[TestValue]] = []
        for index in 0..<count {
            if index % stretch == 0 || seed % 3 == 0 { row = columns.map { TestValue(random: &random, $0) } }
            rows.append(row)
        }
        self.init(columns: columns, rows: rows, rowsPerGroup: Int.random(in: 1_000...70_000, using: &random))
    }
}

extension TestValue {
    fileprivate init(random: inout SplitMix, _ column: ParquetColumn) {
        if column.isOptional, Bool.random(using: &random) {
            self = .null
            return
        }
        switch column.type {
        case .int64: self = .integer(Int64.random(in: .min ... .max, using: &random) >> Int64.random(in: 0...63, using: &random))
        case .double: self = .double(Double.random(in: -1e6...1e6, using: &random))
        case .boolean: self = .boolean(Bool.random(using: &random))
        case .string: self = .string("s\(UInt16.random(in: 0...500, using: &random))")
        case .binary: self = .binary((0..<Int.random(in: 0...20, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) })
        case .timestampMicrosUTC: self = .time(Int64.random(in: -4_000_000_000_000_000...4_000_000_000_000_000, using: &random))
        }
    }
}

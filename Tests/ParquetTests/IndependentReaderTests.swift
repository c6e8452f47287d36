import Foundation
import IndependentReaders
import Testing

@testable import Parquet

/// pyarrow, duckdb, polars, fastparquet and Spark must find every value and type that went in.
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

    /// Cut bounds, and pages cut by bytes.
    private static func longTexts(_ index: Int) -> [TestValue] {
        let text = TestValue.string(String(repeating: "\(index) ", count: 40_000))
        return [.string(String(repeating: "ü", count: 200) + "\(index % 3)"), index % 7 == 0 ? .null : text]
    }

    private static let manyColumns: TestTable = {
        let types = ParquetType.allCases
        let columns = (0..<300).map { ParquetColumn("c\($0)", types[$0 % types.count], isOptional: $0 % 2 == 0) }
        var random = SplitMix(300)
        return TestTable(columns: columns, rows: (0..<20).map { _ in columns.map { TestValue(random: &random, $0) } }, rowsPerGroup: 15)
    }()

    /// Distinct without regard to case: duckdb renames others.
    private static let oddNames = [
        "a", " ", "a.b", "a b", "$", "`", "\"", "'", "\\", "[0]", "a/b=c", "ÄÖ\u{1F6F0}", "日本", "\n", "\t", "--", ";", "{}", "%s", "null",
        "select",
    ]

    private static let oddColumns = TestTable(
        columns: oddNames.map { ParquetColumn($0, .int64, isOptional: true) }, rows: [oddNames.map { .integer(Int64($0.count)) }])

    /// What each encoding is good for: noise, decimals, counters, statuses.
    private static func telemetryRow(_ index: Int64) -> [TestValue] {
        var random = SplitMix(UInt64(index))
        let noise = Double.random(in: 0.5..<1, using: &random)
        return [
            .string("d\(index / 10_000)"), .time(1_767_225_600_000_000 - index * 30_000_000), .integer(index * 3),
            index % 50 == 0 ? .null : .double(noise), .boolean(noise > 0.7), .string(noise > 0.9 ? "hot" : "ok"),
            .binary([UInt8(index & 3)]), index % 3 == 0 ? .null : .time(Int64(index % 11)),
        ]
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
        ("no optional values", TestTable(columns: allTypes, rows: (0..<3).map { [.string(""), .time($0)] + nulls }, rowsPerGroup: 2)),
        ("long strings", TestTable(columns: [allTypes[0], allTypes[5]], rows: (0..<40).map { longTexts($0) }, rowsPerGroup: 25)),
        ("300 columns", manyColumns),
        ("names of any characters", oddColumns),
        ("pages of every encoding", TestTable(columns: allTypes, rows: (0..<45_000).map { telemetryRow($0) }, rowsPerGroup: 30_000)),
        ("many row groups", TestTable(columns: allTypes, rows: (0..<700).map { edges[$0 % edges.count] }, rowsPerGroup: 7)),
    ]

    @Test(arguments: [ParquetWriterOptions.Encoding.compact, .plain])
    func findWhatWasWritten(encoding: ParquetWriterOptions.Encoding) throws {
        try expectRoundTrips(Self.cases, encoding)
    }

    /// Spark takes seconds to start: once, for files of both encodings.
    @Test func findWhatWasWrittenWithSpark() throws {
        let random = (UInt64(101)...102).map { seed in (name: "seed \(seed)", table: TestTable(random: seed)) }
        let plain = Self.cases.filter { ["edges", "first page all null", "long strings", "pages of every encoding"].contains($0.name) }
        try withDirectory { directory in
            var (paths, cases): ([String], [(name: String, table: TestTable)]) = ([], [])
            let ofEncoding: [(ParquetWriterOptions.Encoding, [(name: String, table: TestTable)])] = [
                (.compact, Self.cases + random), (.plain, plain),
            ]
            for (encoding, entries) in ofEncoding {
                paths += try write(entries, encoding, to: directory.appendingPathComponent("\(encoding)"))
                cases += entries
            }
            let files = try IndependentReaders.read(paths, spark: true)
            for (file, entry) in zip(files, cases) { expect(file, holds: entry.table, entry.name) }
        }
    }

    @Test func findAValueOf16MebibytesAmongOthers() throws {
        let long = TestValue.binary((0..<(16 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) })
        let columns = [ParquetColumn("v", .binary, isOptional: true)]
        try expectRoundTrips([("16 MiB", TestTable(columns: columns, rows: [[.binary([1])], [long], [.null], [.binary([])]]))], .compact)
    }

    /// Random schemas and rows.
    @Test(arguments: [ParquetWriterOptions.Encoding.compact, .plain])
    func findRandomSchemas(encoding: ParquetWriterOptions.Encoding) throws {
        try expectRoundTrips((UInt64(1)...30).map { seed in (name: "seed \(seed)", table: TestTable(random: seed)) }, encoding)
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
            let paths = try write(cases, encoding, to: directory)
            for (file, entry) in zip(try IndependentReaders.read(paths), cases) { expect(file, holds: entry.table, entry.name) }
        }
    }

    private func write(
        _ cases: [(name: String, table: TestTable)], _ encoding: ParquetWriterOptions.Encoding, to directory: URL
    ) throws -> [String] {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        var options = ParquetWriterOptions.test
        options.encoding = encoding
        return try cases.enumerated().map { index, entry in
            let url = directory.appendingPathComponent("\(index).parquet")
            try Data(entry.table.write(options).bytes).write(to: url)
            return url.path
        }
    }

    private func expect(_ file: IndependentReaders.File, holds table: TestTable, _ name: String) {
        #expect(file.columns == table.columns.map { .init($0.name, $0.type.readerName, isNullable: $0.isOptional) }, "\(name)")
        #expect(file.rows.count == table.rows.count, "\(name)")
        for (row, (found, expected)) in zip(file.rows, table.rows).enumerated() where found != expected.map(\.text) {
            Issue.record("\(name), row \(row): \("\(found)".prefix(2_000)), not \("\(expected.map(\.text))".prefix(2_000))")
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
    /// One to eight columns of any type; 0 to 2 000 rows.
    fileprivate init(random seed: UInt64) {
        var random = SplitMix(seed &* 7_919)
        let columns = (0..<Int.random(in: 1...8, using: &random)).map {
            ParquetColumn("c\($0)", ParquetType.allCases.randomElement(using: &random)!, isOptional: Bool.random(using: &random))
        }
        var repeated: [[TestValue]] = []
        let rows = (0..<Int.random(in: 0...2_000, using: &random)).map { _ in
            if repeated.isEmpty || UInt8.random(in: 0..<8, using: &random) == 0 {
                repeated.append(columns.map { TestValue(random: &random, $0) })
            }
            return repeated.suffix(20).randomElement(using: &random)!
        }
        self.init(columns: columns, rows: rows, rowsPerGroup: Int.random(in: 1...1_500, using: &random) + rows.count / 20)
    }

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

import Foundation
import IndependentReaders
import Testing

@testable import Parquet

/// What pyarrow, duckdb, polars and fastparquet write, in every encoding, codec and page version that they can be asked for, is read
/// as they read it themselves.
@Suite(.enabled(if: IndependentReaders.python != nil, "\(IndependentReaders.reasonToSkip)"))
struct ForeignFileTests {
    @Test func everyValueIsAsItsWriterReadsIt() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("foreign-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let files = try IndependentReaders.writeForeignFiles(into: directory)
        #expect(files.count > 80)
        for file in files {
            do {
                try check(file)
            } catch {
                Issue.record("\(file.name): \(error)")
            }
        }
    }

    private func check(_ file: IndependentReaders.ForeignFile) throws {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file.path)))
        // Batches that end within pages, and pages that end within batches.
        var options = ParquetReaderOptions()
        options.batchRowCount = 271
        let reader = try ReadBack.reader(bytes, options)
        for column in file.columns {
            guard let expected = column.values else {
                expectRefusal(reader, column.name, file.name)
                continue
            }
            guard let index = reader.column(named: column.name)?.index else {
                Issue.record("\(file.name): no column '\(column.name)'")
                continue
            }
            let found = try ReadBack.rows(reader, columns: [index]).map { $0[0].text }
            #expect(found.count == expected.count, "\(file.name), \(column.name)")
            for (row, (value, wanted)) in zip(found, expected).enumerated() where value != wanted {
                Issue.record("\(file.name), \(column.name), row \(row): \(value ?? "null"), not \(wanted ?? "null")")
                break
            }
        }
    }

    /// All columns that stand for it are refused, and say their name.
    private func expectRefusal(_ reader: ParquetReader, _ name: String, _ file: String) {
        let leaves = reader.columns.filter { $0.name == name || $0.name.hasPrefix("\(name).") }
        #expect(!leaves.isEmpty, "\(file): \(name)")
        for leaf in leaves {
            #expect(leaf.kind == nil, "\(file): \(leaf.name)")
            let error = #expect(throws: ParquetError.self) { try reader.scan(columns: [leaf.index]) }
            #expect(error?.code == .unsupported && error?.detail.hasPrefix("column '\(leaf.name)' ") == true, "\(file): \(leaf.name)")
        }
    }
}

import Foundation

/// Reads Parquet files with pyarrow, duckdb, polars and fastparquet, and Spark if asked to, in one Python process. For tests.
///
/// The interpreter comes from GAUGEHOUSE_PYTHON, which `make test` sets to its virtual environment.
package enum IndependentReaders {
    /// What all readers found in a file.
    package struct File: Sendable {
        package struct Column: Sendable, Equatable {
            package var name: String
            /// int64, double, boolean, string, binary, timestamp.
            package var type: String
            package var isNullable: Bool

            package init(_ name: String, _ type: String, isNullable: Bool) {
                self.name = name
                self.type = type
                self.isNullable = isNullable
            }
        }

        package var columns: [Column]
        package var rowGroupCount: Int
        package var keyValues: [String: String]
        /// Row-major; see dump_parquet.py for the texts.
        package var rows: [[String?]]
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package static var python: String? {
        ProcessInfo.processInfo.environment["GAUGEHOUSE_PYTHON"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// What a test without them says.
    package static let reasonToSkip = "GAUGEHOUSE_PYTHON names no Python with the readers; `make test` sets it"

    /// - Parameter spark: Spark reads them, too. It takes seconds to start.
    /// - Throws: `Failure` when a reader refuses a file or two disagree; says what they said.
    package static func read(_ paths: [String], spark: Bool = false) throws -> [File] {
        try withFolder { folder in
            let output = folder.appendingPathComponent("dump")
            _ = try run("dump_parquet.py", (spark ? ["--spark", folder.path] : []) + [output.path] + paths)
            return try parse(String(contentsOf: output, encoding: .utf8), count: paths.count)
        }
    }

    /// How much readers look at for few rows.
    package struct PushDown: Decodable, Sendable {
        /// By reader, for device, device and time, absent device: rows found, row groups looked at.
        package var groups: [String: [[Int?]]]
        /// For device, device and time, absent device, the same without Bloom filter: rows found, rows of the pages looked at.
        package var sparkRows: [[Int]]
        /// By row group, for the absent device, then for the other one.
        package var bloomExcludes: [[Bool]]
        /// By reader: rows, sum of `value`, nulls in it.
        package var whole: [String: [Int]]
    }

    /// Asks every reader for few rows of a file with columns device, time and value; see push_down.py.
    package static func pushDown(_ path: String, device: String, absent: String, since microseconds: Int64) throws -> PushDown {
        try withFolder { folder in
            let output = try run("push_down.py", [path, folder.path, device, absent, "\(microseconds)"])
            return try JSONDecoder().decode(PushDown.self, from: output)
        }
    }

    /// A file that other libraries wrote, and what they say is in it.
    package struct ForeignFile: Sendable, Decodable {
        package struct Column: Sendable, Decodable {
            package var name: String
            /// Nil: of a type that is not to be read.
            package var values: [String?]?
        }

        package var name: String
        package var columns: [Column]
        package var path = ""

        private enum CodingKeys: CodingKey { case name, columns }
    }

    /// Has pyarrow, duckdb, polars and fastparquet write their files into a directory.
    /// - Throws: `Failure` with what they said.
    package static func writeForeignFiles(into directory: URL) throws -> [ForeignFile] {
        _ = try run("write_parquet.py", [directory.path])
        var files: [ForeignFile] = []
        while let data = try? Data(contentsOf: directory.appendingPathComponent("\(files.count).json")) {
            var file = try JSONDecoder().decode(ForeignFile.self, from: data)
            file.path = directory.appendingPathComponent("\(files.count).parquet").path
            files.append(file)
        }
        return files
    }

    /// Has pyarrow write files with small pages and their index: `{plain,dictionary}-{1.0,2.0}.parquet`.
    package static func writeIndexedFiles(into directory: URL) throws { _ = try run("write_parquet.py", [directory.path, "indexed"]) }

    private static func withFolder<R>(_ body: (URL) throws -> R) throws -> R {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("readers-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }

    /// - Returns: what the script printed.
    private static func run(_ script: String, _ arguments: [String]) throws -> Data {
        guard let python else { throw Failure(description: "GAUGEHOUSE_PYTHON is not set") }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        process.arguments = ["-B", folder.appendingPathComponent(script).path] + arguments
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        // What it prints fits the pipe; what it complains about need not.
        let message = errors.fileHandleForReading.readDataToEndOfFile()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(description: String(decoding: message, as: UTF8.self)) }
        return text
    }

    /// The text of a double as the script writes it.
    package static func text(_ value: Double) -> String {
        let digits = String(value.bitPattern, radix: 16)
        return value.isNaN ? "d:nan" : "d:" + String(repeating: "0", count: 16 - digits.count) + digits
    }

    package static func text(binary bytes: some Sequence<UInt8>) -> String {
        "b:" + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private struct Summary: Decodable {
        var rows: Int
        var rowGroups: Int
        var keyValues: [String: String]
    }

    private static func parse(_ text: String, count: Int) throws -> [File] {
        let decoder = JSONDecoder()
        // JSON escapes line breaks and everything beyond ASCII, so a line is a value.
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
        return try (0..<count).map { _ in
            let columns = try JSONSerialization.jsonObject(with: Data(lines.removeFirst().utf8)) as? [[Any]] ?? []
            let summary = try decoder.decode(Summary.self, from: Data(lines.removeFirst().utf8))
            var rows: [[String?]] = []
            while let line = lines.popFirst(), !line.isEmpty { rows.append(try decoder.decode([String?].self, from: Data(line.utf8))) }
            guard rows.count == summary.rows else { throw Failure(description: "\(rows.count) of \(summary.rows) rows") }
            return File(
                columns: columns.map {
                    .init($0[0] as? String ?? "", $0[1] as? String ?? "", isNullable: $0[2] as? Bool ?? false)
                },
                rowGroupCount: summary.rowGroups, keyValues: summary.keyValues, rows: rows)
        }
    }
}

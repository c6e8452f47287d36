import Foundation

/// Reads Parquet files with pyarrow and duckdb, both, in one Python process. For tests.
///
/// The interpreter comes from GAUGEHOUSE_PYTHON, which `make test` sets to its virtual environment.
package enum IndependentReaders {
    /// What both readers found in a file.
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
    package static let reasonToSkip = "GAUGEHOUSE_PYTHON names no Python with pyarrow and duckdb; `make test` sets it"

    /// - Throws: `Failure` when a reader refuses a file or the two disagree; says what they said.
    package static func read(_ paths: [String]) throws -> [File] {
        guard let python else { throw Failure(description: "GAUGEHOUSE_PYTHON is not set") }
        let output = FileManager.default.temporaryDirectory.appendingPathComponent("dump-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: output) }
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("dump_parquet.py")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = [script.path, output.path] + paths
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let message = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(description: String(decoding: message, as: UTF8.self)) }
        return try parse(String(contentsOf: output, encoding: .utf8), count: paths.count)
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

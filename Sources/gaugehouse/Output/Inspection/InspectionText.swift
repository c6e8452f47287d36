import Foundation
import Telemetry
import TelemetryStore

/// An inspection's report as `verify` prints it: findings with what to do, then what is in the store.
enum InspectionText {
    static func text(_ report: InspectionReport, _ directory: String) -> String {
        var parts = Finding.Severity.allCases.compactMap { severity in findings(report.findings.filter { $0.severity == severity }) }
        parts.append(summary(report))
        parts += report.tables.compactMap(usage)
        let damage = report.findings.count { $0.severity == .damage }
        parts.append(damage == 0 ? "\(directory): sound" : "\(directory): DAMAGED, \(damage) \(damage == 1 ? "finding" : "findings")")
        return parts.joined(separator: "\n\n")
    }

    /// One paragraph a kind, so that what to do is said once.
    private static func findings(_ findings: [Finding]) -> String? {
        guard !findings.isEmpty else { return nil }
        var paragraphs: [String] = []
        for kind in FindingKind.allCases {
            let same = findings.filter { $0.kind == kind }
            guard !same.isEmpty else { continue }
            let lines = same.map { finding in
                "\(kind.severity.rawValue): \(finding.file)\(finding.offset.map { " at offset \($0)" } ?? ""): \(finding.detail)"
            }
            paragraphs.append((lines + ["  \(kind.advice)"]).joined(separator: "\n"))
        }
        return paragraphs.joined(separator: "\n")
    }

    private static func summary(_ report: InspectionReport) -> String {
        let rows = report.tables.map { table in
            let states = PartitionState.allCases.compactMap { state in table.partitions[state].map { "\($0) \(state.rawValue)" } }
            return [
                table.name, states.joined(separator: ", "), "\(table.segmentCount)", "\(table.rowCount)", "\(table.loggedRowCount)",
                "\(table.byteCount)", "\(table.deviceCount)", "\(table.fieldCount)",
            ]
        }
        let columns = ["TABLE", "PARTITIONS", "SEGMENTS", "ROWS", "LOGGED", "BYTES", "DEVICES", "FIELDS"]
        let log = report.log
        let span = log.readingCount == 0 ? "" : ", readings \(log.firstSequence ?? 0) to \(log.lastSequence ?? 0)"
        return TextTable(columns: columns, rows: rows).text
            + "\n\nlog: \(log.fileCount) \(log.fileCount == 1 ? "file" : "files"), \(log.byteCount) bytes, "
            + "\(log.recordCount) records\(span)"
            + "\ncheckpoint: \(report.checkpointByteCount) bytes"
    }

    private static func usage(_ table: InspectionReport.Table) -> String? {
        guard let usage = table.usage else { return nil }
        var rows = usage.columns.map { column in
            let encodings = column.encodings.sorted { $0.value > $1.value }.map { "\($0.key) \(percent($0.value, of: column.byteCount))" }
            return line(
                column.field, column.type.name, column.valueCount, column.byteCount, usage.byteCount, encodings.joined(separator: ", "))
        }
        let others = [
            ("(times)", usage.timeByteCount), ("(commit times)", usage.commitTimeByteCount), ("(statistics)", usage.statisticsByteCount),
            ("(index)", usage.indexByteCount), ("(headers)", usage.frameByteCount),
        ]
        for (name, byteCount) in others where byteCount > 0 { rows.append(line(name, "", usage.rowCount, byteCount, usage.byteCount, "")) }
        rows.append(line("(all)", "", usage.rowCount, usage.byteCount, usage.byteCount, ""))
        let columns = ["FIELD", "TYPE", "VALUES", "BYTES", "BYTES/VALUE", "SHARE", "ENCODING"]
        let note = usage.isEstimated ? " (segments of version 1: columns by their share of the raw bytes)" : ""
        return "table \(table.name)\(note)\n" + TextTable(columns: columns, rows: rows).text
    }

    private static func line(_ name: String, _ type: String, _ values: Int, _ bytes: Int, _ all: Int, _ note: String) -> [String] {
        let each = values > 0 ? String(format: "%.2f", Double(bytes) / Double(values)) : ""
        return [name, type, "\(values)", "\(bytes)", each, percent(bytes, of: all), note]
    }

    private static func percent(_ part: Int, of whole: Int) -> String {
        whole > 0 ? String(format: "%.1f%%", 100 * Double(part) / Double(whole)) : ""
    }
}

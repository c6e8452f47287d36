import Telemetry
import TelemetryStore

/// An inspection's report as `verify --json` prints it.
enum InspectionJSON {
    static func value(_ report: InspectionReport) -> JSONValue {
        .object([
            "sound": .boolean(report.isSound),
            "findings": .array(report.findings.map(value)),
            "tables": .array(report.tables.map(value)),
            "log": .object([
                "files": number(report.log.fileCount), "records": number(report.log.recordCount),
                "readings": number(report.log.readingCount), "bytes": number(report.log.byteCount),
                "first": sequence(report.log.firstSequence), "last": sequence(report.log.lastSequence),
            ]),
            "checkpoint_bytes": number(report.checkpointByteCount),
        ])
    }

    private static func value(_ finding: Finding) -> JSONValue {
        .object([
            "severity": .string(finding.severity.rawValue), "kind": .string(finding.kind.rawValue), "file": .string(finding.file),
            "offset": finding.offset.map(number) ?? .null, "detail": .string(finding.detail), "advice": .string(finding.kind.advice),
        ])
    }

    private static func value(_ table: InspectionReport.Table) -> JSONValue {
        var states: [String: JSONValue] = [:]
        for (state, count) in table.partitions { states[state.rawValue] = number(count) }
        var object: [String: JSONValue] = [
            "name": .string(table.name), "partitions": .object(states), "segments": number(table.segmentCount),
            "rows": number(table.rowCount), "logged_rows": number(table.loggedRowCount), "bytes": number(table.byteCount),
            "devices": number(table.deviceCount), "fields": number(table.fieldCount),
        ]
        if let usage = table.usage { object["usage"] = value(usage) }
        return .object(object)
    }

    private static func value(_ usage: TableUsage) -> JSONValue {
        .object([
            "rows": number(usage.rowCount), "bytes": number(usage.byteCount), "time_bytes": number(usage.timeByteCount),
            "commit_time_bytes": number(usage.commitTimeByteCount), "statistics_bytes": number(usage.statisticsByteCount),
            "index_bytes": number(usage.indexByteCount), "header_bytes": number(usage.frameByteCount),
            "estimated": .boolean(usage.isEstimated), "columns": .array(usage.columns.map(value)),
        ])
    }

    private static func value(_ column: TableUsage.Column) -> JSONValue {
        .object([
            "field": .string(column.field), "type": .string(column.type.name), "values": number(column.valueCount),
            "bytes": number(column.byteCount), "encodings": .object(column.encodings.mapValues(number)),
        ])
    }

    private static func number(_ value: Int) -> JSONValue { .integer(Int64(value)) }

    private static func sequence(_ value: UInt64?) -> JSONValue { value.map { .integer(Int64(clamping: $0)) } ?? .null }
}

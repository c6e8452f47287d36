import Telemetry
import TelemetryCodec

/// Reads the sections of one log record's payload. Source: docs/format/log.md.
enum GroupPayload {
    enum Section {
        case field(table: TableNumber, number: UInt32, name: UnsafeRawBufferPointer)
        case device(table: TableNumber, number: UInt32, name: UnsafeRawBufferPointer)
        case rows(table: TableNumber, count: Int, base: Int64, rows: UnsafeRawBufferPointer)
        case note(source: String, bytes: UnsafeRawBufferPointer)
    }

    static func next(_ cursor: inout ByteCursor) throws(CodecError) -> Section {
        switch LogFormat.Section(rawValue: try cursor.byte()) {
        case .field:
            return .field(
                table: try cursor.fixed(UInt16.self), number: UInt32(truncatingIfNeeded: try cursor.varint()),
                name: try cursor.countedBytes())
        case .device:
            return .device(
                table: try cursor.fixed(UInt16.self), number: UInt32(truncatingIfNeeded: try cursor.varint()),
                name: try cursor.countedBytes())
        case .rows:
            let table = try cursor.fixed(UInt16.self)
            let count = Int(try cursor.fixed(UInt32.self))
            let byteCount = Int(try cursor.fixed(UInt32.self))
            let base = try cursor.fixed(Int64.self)
            return .rows(table: table, count: count, base: base, rows: try cursor.slice(byteCount))
        case .note: return .note(source: try cursor.countedString(), bytes: try cursor.countedBytes())
        case nil: throw .malformed
        }
    }

    /// Definitions of all names that the log does not know yet.
    /// - Returns: per table the counts to mark as logged once the record is durable; nil: nothing new.
    static func appendDefinitions(_ tables: [TableCore], into output: inout RawBuffer) -> [(devices: Int, fields: Int)?] {
        var counts: [(devices: Int, fields: Int)?] = []
        for table in tables {
            table.registry.readingNames { names in
                for number in names.loggedFields..<names.fields.count {
                    append(.field, table.number, UInt32(number), names.fields, into: &output)
                }
                for number in names.loggedDevices..<names.devices.count {
                    append(.device, table.number, UInt32(number), names.devices, into: &output)
                }
                let isNew = names.loggedDevices < names.devices.count || names.loggedFields < names.fields.count
                counts.append(isNew ? (names.devices.count, names.fields.count) : nil)
            }
        }
        return counts
    }

    private static func append(
        _ kind: LogFormat.Section, _ table: TableNumber, _ number: UInt32, _ names: borrowing NameTable, into output: inout RawBuffer
    ) {
        output.append(kind.rawValue)
        output.append(fixed: UInt16(table))
        output.append(varint: UInt64(number))
        names.withName(number) { output.append(counted: $0) }
    }

    static func append(_ note: CommitNote, into output: inout RawBuffer) {
        output.append(LogFormat.Section.note.rawValue)
        output.append(counted: note.source)
        note.bytes.withUnsafeBytes { output.append(counted: $0) }
    }
}

import Telemetry
import TelemetryCodec

/// Rows of one device as columns. Source: docs/format/segment.md, "Block".
///
/// Columns are keyed by field and type: a field that changed its type has a column for each, and a row has a value in one of them.
struct BlockEncoder: ~Copyable {
    private struct Column {
        var field: UInt32
        var type: FieldType
        var entries: [(row: Int32, cell: Cell)] = []
    }

    private var columns: [Column] = []
    private var values = RawBuffer(capacity: 1 << 14)

    /// Appends one block of `rows[range]` (newest first).
    mutating func encode(
        _ rows: borrowing RowBuffer, _ range: Range<Int>, hasCommitTimes: Bool, fields: inout SegmentFields,
        into output: inout RawBuffer
    ) {
        output.append(varint: range.count)
        encodeTimes(rows, range, \.time, into: &output)
        if hasCommitTimes { encodeTimes(rows, range, \.commitTime, into: &output) }
        collectColumns(rows, range)
        output.append(varint: columns.count)
        rows.bytes.withUnsafeBytes { arena in
            for column in columns {
                output.append(varint: fields.local(column.field, column.type))
                output.append(column.type.rawValue)
                encode(column, rowCount: range.count, arena: arena, into: &output)
            }
        }
    }

    /// First time zigzag, then for each following row the zigzag difference to the row before.
    private func encodeTimes(
        _ rows: borrowing RowBuffer, _ range: Range<Int>, _ key: KeyPath<RowBuffer.Row, Int64>, into output: inout RawBuffer
    ) {
        var previous: Int64 = 0
        for index in range {
            let time = rows.rows[index][keyPath: key]
            output.append(zigzag: time &- previous)
            previous = time
        }
    }

    private mutating func collectColumns(_ rows: borrowing RowBuffer, _ range: Range<Int>) {
        columns.removeAll(keepingCapacity: true)
        for (position, index) in range.enumerated() {
            let row = rows.rows[index]
            for (hint, entry) in rows.cells(of: row).enumerated() {
                guard let type = entry.cell.type else { continue }
                let column = column(field: entry.field, type: type, hint: hint)
                columns[column].entries.append((Int32(position), entry.cell))
            }
        }
    }

    private mutating func column(field: UInt32, type: FieldType, hint: Int) -> Int {
        if hint < columns.count, columns[hint].field == field, columns[hint].type == type { return hint }
        if let found = columns.firstIndex(where: { $0.field == field && $0.type == type }) { return found }
        columns.append(Column(field: field, type: type))
        return columns.count - 1
    }

    /// Presence (0: in every row; 1: bitmap follows), byte count of the values, values.
    private mutating func encode(_ column: Column, rowCount: Int, arena: UnsafeRawBufferPointer, into output: inout RawBuffer) {
        if column.entries.count == rowCount {
            output.append(UInt8(0))
        } else {
            output.append(UInt8(1))
            var bitmap = [UInt8](repeating: 0, count: (rowCount + 7) / 8)
            for entry in column.entries { bitmap[Int(entry.row) >> 3] |= 1 << UInt8(entry.row & 7) }
            bitmap.withUnsafeBytes { output.append($0) }
        }
        values.removeAll()
        encodeValues(column, arena: arena)
        output.append(varint: values.count)
        values.withBytes { output.append($0) }
    }

    private mutating func encodeValues(_ column: Column, arena: UnsafeRawBufferPointer) {
        switch column.type {
        case .integer:
            var previous: Int64 = 0
            for entry in column.entries {
                values.append(zigzag: entry.cell.integer &- previous)
                previous = entry.cell.integer
            }
        case .double:
            for entry in column.entries { values.append(fixed: entry.cell.bits) }
        case .boolean:
            var bits = [UInt8](repeating: 0, count: (column.entries.count + 7) / 8)
            for (index, entry) in column.entries.enumerated() where entry.cell.boolean { bits[index >> 3] |= 1 << UInt8(index & 7) }
            bits.withUnsafeBytes { values.append($0) }
        case .string, .binary:
            for entry in column.entries { values.append(counted: UnsafeRawBufferPointer(rebasing: arena[entry.cell.byteRange])) }
        }
    }
}

/// The fields of one segment, numbered in the order they came, and the types each has in it.
struct SegmentFields {
    private(set) var entries: [(number: UInt32, types: UInt8)] = []
    private var locals: [UInt32: Int] = [:]

    /// Number of the table's field inside the segment.
    mutating func local(_ number: UInt32, _ type: FieldType) -> Int {
        let index = locals[number] ?? entries.count
        if index == entries.count {
            entries.append((number, 0))
            locals[number] = index
        }
        entries[index].types |= 1 << type.rawValue
        return index
    }
}

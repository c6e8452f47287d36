import Telemetry
import TelemetryCodec

/// Rows of neighbouring devices on their way into a frame, as columns. Reused from frame to frame.
///
/// Columns are keyed by field and type: a field that changed its type has a column for each, and a row has a value in one of them.
struct FrameBuilder: ~Copyable {
    struct Column {
        /// The table's number of the field.
        var field: UInt32
        var type: FieldType
        /// Row in the frame and `Cell.bits` of each value; bytes are slices of the frame's arena.
        var rows: [Int32] = []
        var bits: [UInt64] = []
    }

    private(set) var times: [Int64] = []
    private(set) var commitTimes: [Int64] = []
    private(set) var pieces = FramePieces()
    /// Of this frame those that have values; the others wait for the next one.
    private(set) var columns: [Column] = []
    private(set) var usedColumnCount = 0
    /// Strings and binaries.
    private(set) var arena: [UInt8] = []
    /// Position + 1 in `columns` by `field * 8 + type`; 0: none.
    private var positions: [Int32] = []

    var rowCount: Int { times.count }
    var pieceCount: Int { pieces.count }
    var isEmpty: Bool { times.isEmpty }
    /// A frame of several devices has its size, or no more may be added.
    var isFull: Bool {
        rowCount >= SegmentFormat.rowsPerSharedFrame || arena.count >= SegmentFormat.bytesPerFrame
            || usedColumnCount >= SegmentFormat.columnsPerFrame
    }

    mutating func removeAll() {
        times.removeAll(keepingCapacity: true)
        commitTimes.removeAll(keepingCapacity: true)
        pieces = FramePieces()
        arena.removeAll(keepingCapacity: true)
        for index in columns.indices where !columns[index].rows.isEmpty {
            columns[index].rows.removeAll(keepingCapacity: true)
            columns[index].bits.removeAll(keepingCapacity: true)
        }
        usedColumnCount = 0
    }

    /// Adds rows of one device as one piece.
    mutating func append(_ rows: borrowing RowBuffer, _ range: Range<Int>) {
        pieces.starts.append(Int32(rowCount))
        pieces.rowCount += range.count
        for index in range {
            let row = rows.rows[index]
            let position = Int32(truncatingIfNeeded: times.count)
            times.append(row.time)
            commitTimes.append(row.commitTime)
            for cell in Int(row.firstCell)..<Int(row.firstCell + row.cellCount) {
                append(rows.cells[cell], row: position, source: rows.bytes, hint: cell - Int(row.firstCell))
            }
        }
    }

    /// - Parameter hint: position of the cell in its row: rows repeat their fields in order, so the column is usually there.
    @inline(__always)
    private mutating func append(_ entry: RowBuffer.FieldCell, row: Int32, source: [UInt8], hint: Int) {
        guard let type = entry.cell.type else { return }
        var bits = entry.cell.bits
        if type.isBytes {
            bits = Cell.bytes(type, offset: arena.count, count: entry.cell.byteCount).bits
            arena.append(contentsOf: source[entry.cell.byteRange])
        }
        var column = hint
        if hint >= columns.count || columns[hint].field != entry.field || columns[hint].type != type {
            column = position(of: entry.field, type)
        }
        if columns[column].rows.isEmpty { usedColumnCount += 1 }
        columns[column].rows.append(row)
        columns[column].bits.append(bits)
    }

    private mutating func position(of field: UInt32, _ type: FieldType) -> Int {
        let key = Int(field) << 3 | Int(type.rawValue)
        if key >= positions.count { positions.append(contentsOf: repeatElement(0, count: key + 1 - positions.count)) }
        if positions[key] == 0 {
            columns.append(Column(field: field, type: type))
            positions[key] = Int32(columns.count)
        }
        return Int(positions[key]) - 1
    }
}

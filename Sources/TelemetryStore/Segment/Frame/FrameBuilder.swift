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
        let start = rowCount
        pieces.starts.append(Int32(start))
        pieces.rowCount += range.count
        rows.rows.withUnsafeBufferPointer { rowList in
            rows.cells.withUnsafeBufferPointer { cells in
                let selected = UnsafeBufferPointer(rebasing: rowList[range])
                for row in selected { times.append(row.time) }
                for row in selected { commitTimes.append(row.commitTime) }
                if FrameBuilder.isUniform(selected, cells) {
                    appendUniform(selected, cells, start: start, source: rows.bytes)
                } else {
                    for (index, row) in selected.enumerated() {
                        for hint in 0..<Int(row.cellCount) {
                            append(cells[Int(row.firstCell) + hint], row: Int32(start + index), source: rows.bytes, hint: hint)
                        }
                    }
                }
            }
        }
    }

    // MARK: - Cells

    /// True when all rows have the same fields with the same types in the same order: the usual case.
    private static func isUniform(
        _ rows: UnsafeBufferPointer<RowBuffer.Row>, _ cells: UnsafeBufferPointer<RowBuffer.FieldCell>
    ) -> Bool {
        let first = rows[0]
        for row in rows {
            guard row.cellCount == first.cellCount else { return false }
            for cell in 0..<Int(first.cellCount) {
                let (a, b) = (cells[Int(row.firstCell) + cell], cells[Int(first.firstCell) + cell])
                guard a.field == b.field, let aType = a.cell.type, let bType = b.cell.type, aType == bType else { return false }
            }
        }
        return true
    }

    /// Column by column, without a check per cell.
    private mutating func appendUniform(
        _ rows: UnsafeBufferPointer<RowBuffer.Row>, _ cells: UnsafeBufferPointer<RowBuffer.FieldCell>, start: Int, source: [UInt8]
    ) {
        for cell in 0..<Int(rows[0].cellCount) {
            let entry = cells[Int(rows[0].firstCell) + cell]
            guard let type = entry.cell.type else { continue }
            let column = column(of: entry.field, type, hint: cell)
            if columns[column].rows.isEmpty { usedColumnCount += 1 }
            columns[column].rows.append(contentsOf: Int32(start)..<Int32(start + rows.count))
            if type.isBytes {
                for row in rows { columns[column].bits.append(copyBytes(cells[Int(row.firstCell) + cell].cell, type, source)) }
            } else {
                columns[column].bits.appendUninitialized(rows.count) { output in
                    for index in 0..<rows.count { output[index] = cells[Int(rows[index].firstCell) + cell].cell.bits }
                }
            }
        }
    }

    private mutating func append(_ entry: RowBuffer.FieldCell, row: Int32, source: [UInt8], hint: Int) {
        guard let type = entry.cell.type else { return }
        let column = column(of: entry.field, type, hint: hint)
        if columns[column].rows.isEmpty { usedColumnCount += 1 }
        columns[column].rows.append(row)
        columns[column].bits.append(type.isBytes ? copyBytes(entry.cell, type, source) : entry.cell.bits)
    }

    private mutating func copyBytes(_ cell: Cell, _ type: FieldType, _ source: [UInt8]) -> UInt64 {
        let offset = arena.count
        arena.append(contentsOf: source[cell.byteRange])
        return Cell.bytes(type, offset: offset, count: cell.byteCount).bits
    }

    /// - Parameter hint: position of the cell in its row: rows repeat their fields in order, so the column is usually there.
    private mutating func column(of field: UInt32, _ type: FieldType, hint: Int) -> Int {
        if hint < columns.count, columns[hint].field == field, columns[hint].type == type { return hint }
        let key = Int(field) << 3 | Int(type.rawValue)
        if key >= positions.count { positions.append(contentsOf: repeatElement(0, count: key + 1 - positions.count)) }
        if positions[key] == 0 {
            columns.append(Column(field: field, type: type))
            positions[key] = Int32(columns.count)
        }
        return Int(positions[key]) - 1
    }
}

extension [UInt64] {
    /// Appends `count` words that `fill` writes.
    fileprivate mutating func appendUninitialized(_ count: Int, _ fill: (UnsafeMutablePointer<UInt64>) -> Void) {
        let start = self.count
        append(contentsOf: repeatElement(0, count: count))
        withUnsafeMutableBufferPointer { fill($0.baseAddress! + start) }
    }
}

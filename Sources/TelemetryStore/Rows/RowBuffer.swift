import Telemetry
import TelemetryCodec

/// Rows of one device on their way from heads and segments to a reader or a new segment; reused from device to device.
///
/// One physical row is one stored write of `(device, time)`; rows of equal time are versions, newest first once sorted.
struct RowBuffer {
    struct Row {
        var time: Int64
        var commitTime: Int64
        /// Orders versions of one time: source rank << 32 | position in the source; larger is newer.
        var order: UInt64
        var firstCell: Int32
        var cellCount: Int32
    }

    struct FieldCell {
        var field: UInt32
        var cell: Cell
    }

    /// Bytes of strings and binaries after which readers hand on what they have: some pieces' worth.
    static let bytesPerPass = 4 << 20

    var rows: [Row] = []
    var cells: [FieldCell] = []
    var bytes: [UInt8] = []

    var isEmpty: Bool { rows.isEmpty }

    mutating func removeAll() {
        rows.removeAll(keepingCapacity: true)
        cells.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
    }

    mutating func beginRow(time: Int64, commitTime: Int64, order: UInt64) {
        rows.append(Row(time: time, commitTime: commitTime, order: order, firstCell: Int32(cells.count), cellCount: 0))
    }

    mutating func reserve(rows rowCount: Int, cells cellCount: Int) {
        rows.reserveCapacity(rows.count + rowCount)
        cells.reserveCapacity(cells.count + cellCount)
    }

    /// Adds a cell to the row begun last; bytes are copied from `source`.
    @inline(__always)
    mutating func append(field: UInt32, cell: Cell, source: UnsafeRawBufferPointer) {
        append(field: field, cell: cell.type?.isBytes ?? false ? copy(cell, from: source) : cell)
    }

    /// Adds a cell to the row begun last; its bytes are in `bytes` already.
    @inline(__always)
    mutating func append(field: UInt32, cell: Cell) {
        cells.append(FieldCell(field: field, cell: cell))
        rows[rows.count - 1].cellCount += 1
    }

    /// The same cell with its bytes in `bytes`.
    mutating func copy(_ cell: Cell, from source: UnsafeRawBufferPointer) -> Cell {
        let offset = bytes.count
        bytes.append(contentsOf: source[cell.byteRange])
        return .bytes(cell.type ?? .binary, offset: offset, count: cell.byteCount)
    }

    /// Ends the row begun last: one without any wanted cell is as if it had not been read.
    mutating func endRow() {
        if rows[rows.count - 1].cellCount == 0 { rows.removeLast() }
    }

    func cells(of row: Row) -> ArraySlice<FieldCell> { cells[Int(row.firstCell)..<Int(row.firstCell + row.cellCount)] }

    /// Newest time first; of one time, newest version first.
    mutating func sortNewestFirst() {
        func isBefore(_ a: Row, _ b: Row) -> Bool { a.time != b.time ? a.time > b.time : a.order > b.order }
        if rows.count > 1, !isBefore(rows[0], rows[1]) { rows.reverse() }
        for index in rows.indices.dropFirst() where !isBefore(rows[index - 1], rows[index]) {
            rows.sort(by: isBefore)
            return
        }
    }

    /// Turns the rows from `start` on around when they rise in time, as those of a head do.
    mutating func reverseIfRising(from start: Int) {
        if rows.count - start > 1, rows[start].time < rows[start + 1].time { rows[start...].reverse() }
    }

    /// Forgets all rows but these, and the memory of the others.
    mutating func keep(_ range: Range<Int>) {
        if range.isEmpty { return removeAll() }
        var rest = RowBuffer()
        rest.append(rows[range], of: self)
        self = rest
    }

    /// Adds copies of rows of another buffer.
    mutating func append(_ selected: ArraySlice<Row>, of source: RowBuffer) {
        source.bytes.withUnsafeBytes { bytes in
            for row in selected {
                beginRow(time: row.time, commitTime: row.commitTime, order: row.order)
                for entry in source.cells(of: row) { append(field: entry.field, cell: entry.cell, source: bytes) }
            }
        }
    }

    /// Number of different times. The rows are sorted.
    var distinctTimeCount: Int {
        var count = rows.isEmpty ? 0 : 1
        for index in rows.indices.dropFirst() where rows[index].time != rows[index - 1].time { count += 1 }
        return count
    }

    /// Keeps the newest `maxVersions` values of each cell. With one version, the rows of a time become one row. The rows are sorted.
    mutating func coalesce(maxVersions: Int) {
        guard distinctTimeCount != rows.count else { return }
        var result = RowBuffer()
        swap(&result.bytes, &bytes)
        var kept: [UInt32: Int] = [:]
        var start = 0
        while start < rows.count {
            var end = start + 1
            while end < rows.count, rows[end].time == rows[start].time { end += 1 }
            if end == start + 1 {
                result.copyRow(rows[start], from: cells)
            } else {
                kept.removeAll(keepingCapacity: true)
                result.copyVersions(rows[start..<end], from: cells, maxVersions: maxVersions, kept: &kept)
            }
            start = end
        }
        self = result
    }

    private mutating func copyRow(_ row: Row, from source: [FieldCell]) {
        var copy = row
        copy.firstCell = Int32(cells.count)
        cells.append(contentsOf: source[Int(row.firstCell)..<Int(row.firstCell + row.cellCount)])
        rows.append(copy)
    }

    private mutating func copyVersions(
        _ versions: ArraySlice<Row>, from source: [FieldCell], maxVersions: Int, kept: inout [UInt32: Int]
    ) {
        for version in versions {
            let isMerged = maxVersions == 1 && version.order != versions.first?.order
            if !isMerged { beginRow(time: version.time, commitTime: version.commitTime, order: version.order) }
            for entry in source[Int(version.firstCell)..<Int(version.firstCell + version.cellCount)]
            where kept[entry.field, default: 0] < maxVersions {
                kept[entry.field, default: 0] += 1
                cells.append(entry)
                rows[rows.count - 1].cellCount += 1
            }
            if rows[rows.count - 1].cellCount == 0 { rows.removeLast() }
        }
    }
}

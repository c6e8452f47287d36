import Parquet
import Telemetry
import TelemetryStore

/// Cuts a scan into row groups of bounded size, sorted by device, then newest first.
///
/// The cuts follow from the rows alone, not from how the scan chunks them, so that a delivery that is taken up again makes the same
/// objects. The scan's order (bucket, device, time) is checked on the way: places in the ledger rest on it.
struct RowGroupSource {
    /// What a reader on a small machine can hold at once.
    static let rowLimit = 131_072
    static let byteLimit = 32 << 20

    private struct Slice {
        var chunk: PartitionScan.Chunk
        var rows: Range<Int>
    }

    private let scan: PartitionScan
    private let plan: ColumnPlan
    private let byteLimit: Int
    private var chunk: PartitionScan.Chunk?
    private var nextRow = 0
    /// The last row handed out; at the start, the row after which to begin.
    private(set) var position: ScanPosition?
    /// Of the last row group.
    private(set) var times: ClosedRange<Timestamp>?

    /// - Parameter position: rows up to this one are passed over.
    /// - Parameter byteLimit: of a row group's plain values.
    init(_ scan: PartitionScan, _ plan: ColumnPlan, after position: ScanPosition?, byteLimit: Int) throws {
        self.scan = scan
        self.plan = plan
        self.byteLimit = min(byteLimit, Self.byteLimit)
        self.position = position
        try advance()
    }

    /// Fills `buffer` with the next row group.
    /// - Returns: false when there are no more rows.
    mutating func fill(_ buffer: inout RowGroupBuffer) throws -> Bool {
        var slices: [Slice] = []
        var (rowCount, byteCount) = (0, 0)
        times = nil
        while let chunk, rowCount < Self.rowLimit, byteCount < byteLimit {
            let first = nextRow
            while nextRow < chunk.times.count, rowCount < Self.rowLimit, byteCount < byteLimit {
                byteCount += plainByteCount(chunk, row: nextRow)
                rowCount += 1
                nextRow += 1
            }
            try note(chunk, first..<nextRow)
            slices.append(Slice(chunk: chunk, rows: first..<nextRow))
            if nextRow == chunk.times.count { try advance() }
        }
        // Buckets cut across the ids' order. The sort is stable: slices of one device stay newest first.
        slices.sort { $0.chunk.device.utf8.lexicographicallyPrecedes($1.chunk.device.utf8) }
        for slice in slices { append(slice, to: &buffer) }
        return rowCount > 0
    }

    /// Takes the next chunk that has rows behind `position`.
    private mutating func advance() throws {
        chunk = nil
        while let next = try scan.next() {
            nextRow = try firstRow(of: next)
            guard nextRow < next.times.count else { continue }
            chunk = next
            return
        }
    }

    /// The first row of `chunk` behind `position`.
    private func firstRow(of chunk: PartitionScan.Chunk) throws -> Int {
        guard let position else { return 0 }
        if chunk.bucket == position.bucket, chunk.device == position.device {
            return chunk.times.firstIndex { $0 < position.time } ?? chunk.times.count
        }
        let isBehind =
            chunk.bucket == position.bucket
            ? position.device.utf8.lexicographicallyPrecedes(chunk.device.utf8) : chunk.bucket > position.bucket
        return isBehind ? 0 : chunk.times.count
    }

    private mutating func note(_ chunk: PartitionScan.Chunk, _ rows: Range<Int>) throws {
        for row in rows.dropFirst() where chunk.times[row] >= chunk.times[row - 1] {
            throw DeliveryError(.internal, .partition, "rows of device '\(chunk.device)' are not newest first")
        }
        let (newest, oldest) = (chunk.times[rows.lowerBound], chunk.times[rows.upperBound - 1])
        times = min(times?.lowerBound ?? oldest, oldest)...max(times?.upperBound ?? newest, newest)
        position = ScanPosition(bucket: chunk.bucket, device: chunk.device, time: oldest)
    }

    private func plainByteCount(_ chunk: PartitionScan.Chunk, row: Int) -> Int {
        var count = 8 + 4 + chunk.device.utf8.count + (plan.hasBucketColumn ? 8 : 0)
        let width = scan.fields.count
        for cell in chunk.cells[(row * width)..<((row + 1) * width)] {
            guard let type = cell.type else { continue }
            count += type.isBytes ? 4 + cell.byteCount : 8
        }
        return count
    }

    private func append(_ slice: Slice, to buffer: inout RowGroupBuffer) {
        buffer.append(slice.chunk.device, count: slice.rows.count, to: ColumnPlan.deviceColumn)
        for row in slice.rows { buffer.append(slice.chunk.times[row].microseconds, to: ColumnPlan.timeColumn) }
        if plan.hasBucketColumn { for _ in slice.rows { buffer.append(Int64(slice.chunk.bucket), to: ColumnPlan.bucketColumn) } }
        slice.chunk.bytes.withUnsafeBytes { arena in
            for (index, column) in plan.columns.enumerated() { append(column, slice, arena, to: &buffer, plan.rowColumnCount + index) }
        }
    }

    private func append(
        _ column: ColumnPlan.Column, _ slice: Slice, _ arena: UnsafeRawBufferPointer, to buffer: inout RowGroupBuffer, _ index: Int
    ) {
        let width = scan.fields.count
        for row in slice.rows {
            let cell = slice.chunk.cells[row * width + column.field]
            guard let type = cell.type, type == column.type || (column.takesIntegers && type == .integer) else {
                buffer.appendNull(to: index)
                continue
            }
            switch type {
            case .integer where column.takesIntegers: buffer.append(Double(cell.integer), to: index)
            case .integer: buffer.append(cell.integer, to: index)
            case .double: buffer.append(cell.double, to: index)
            case .boolean: buffer.append(cell.boolean, to: index)
            case .string, .binary: buffer.append(UnsafeRawBufferPointer(rebasing: arena[cell.byteRange]), to: index)
            }
        }
    }
}

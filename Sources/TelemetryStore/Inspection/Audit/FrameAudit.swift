import Telemetry
import TelemetryCodec

/// Frames of one segment: holds statistics to the values that they sum up, and measures the chunks.
struct FrameAudit {
    let segment: Segment
    let fields: [SparseIndex.Field]
    /// The frame at hand; pieces come frame by frame.
    private var frame: FrameReader?
    private var bits: [UInt64] = []

    init(segment: Segment, fields: [SparseIndex.Field]) {
        self.segment = segment
        self.fields = fields
    }

    /// Compares the piece's statistics with its rows; nil where they agree, or there are none.
    mutating func problem(of piece: SegmentPiece, _ rows: borrowing RowBuffer) throws(StoreError) -> String? {
        guard case .frame(let directory, let ordinal, _) = piece.place else { return nil }
        if frame?.directory !== directory { frame = FrameReader(segment, directory, access: .uncached) }
        let columns = PieceStatistics.columns(of: directory.columns.map(\.key))
        guard let stored = try frame!.statistics(of: ordinal, columnCount: columns.count) else { return nil }
        for (column, statistics) in zip(columns, stored) {
            guard case .field(let local, let type) = directory.columns[column.position].key, local < fields.count else { continue }
            collect(fields[local].number, type, rows)
            if bits.withUnsafeBufferPointer({ ColumnStatistics(type: type, bits: $0) }) != statistics {
                return "statistics of field '\(fields[local].name)' are not those of its values"
            }
        }
        return nil
    }

    private mutating func collect(_ field: UInt32, _ type: FieldType, _ rows: borrowing RowBuffer) {
        bits.removeAll(keepingCapacity: true)
        for entry in rows.cells where entry.field == field && entry.cell.type == type { bits.append(entry.cell.bits) }
    }

    /// Counts the bytes of the piece, and of its frame once.
    mutating func measure(_ piece: SegmentPiece, _ meter: inout UsageMeter) throws(StoreError) {
        switch piece.place {
        case .frame(let directory, 0, _):
            for (position, column) in directory.columns.enumerated() {
                meter.add(column, fields: fields, encoding: try encoding(position, of: directory))
            }
        case .frame: break
        case .block(let reference, let offset, let byteCount):
            let bytes = try segment.frame(reference)
            do throws(CodecError) {
                let layout = try bytes.withBytes { (bytes) throws(CodecError) in
                    let block = UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + byteCount)])
                    return try BlockLayout(block, hasCommitTimes: segment.footer.hasCommitTimes)
                }
                let share = Double(reference.compressedByteCount) / Double(max(reference.rawByteCount, 1))
                meter.add(layout, fields: fields, share: share)
            } catch {
                throw segment.damage(at: reference.offset, "the block at \(offset) in the frame is malformed")
            }
        }
    }

    private mutating func encoding(_ position: Int, of directory: FrameDirectory) throws(StoreError) -> String? {
        guard case .field(_, let type) = directory.columns[position].key else { return nil }
        try frame!.load([position])
        do throws(CodecError) {
            return try ColumnChunk(
                frame!.bytes(position), type: type, rowCount: directory.rowCount, pieceCount: directory.pieceCount
            ).encoding
        } catch {
            throw segment.damage(at: directory.columns[position].offset, "the column chunk is malformed")
        }
    }
}

import Telemetry
import TelemetryCodec

/// Turns pieces of one segment into rows, keeping what neighbouring pieces share: the frame and its decompressed chunks.
struct PieceReader {
    private let segment: Segment
    private let fields: [SparseIndex.Field]
    private let wanted: FieldSet?
    private let access: SegmentAccess
    private var frame: FrameReader?
    /// The wanted columns of `frame`: position in its directory, the table's field number, type.
    private var columns: [(position: Int, field: UInt32, type: FieldType)] = []
    /// Version 1: the frame of blocks read last.
    private var blocks: (reference: FrameReference, bytes: Bytes)?
    // Reused from piece to piece.
    private var times: [Int64] = []
    private var commitTimes = ColumnRun()
    private var runs: [ColumnRun] = []

    /// - Parameters:
    ///   - wanted: the table's fields to read; nil for all.
    init(_ segment: Segment, fields: [SparseIndex.Field], wanted: FieldSet?, access: SegmentAccess) {
        self.segment = segment
        self.fields = fields
        self.wanted = wanted
        self.access = access
    }

    /// How many rows of a piece are read at least, if it has them, and from which end.
    struct Portion {
        var rowCount: Int
        var order: RangeQuery.Order
    }

    /// Adds the piece's rows of `times` that have a wanted field to `buffer`, newest first.
    /// - Parameter portion: nil for all of them.
    /// - Returns: the times that are left to read; nil when none is.
    @discardableResult
    mutating func read(
        _ piece: SegmentPiece, times range: ClosedRange<Int64>, portion: Portion? = nil, into buffer: inout RowBuffer
    ) throws(StoreError) -> ClosedRange<Int64>? {
        switch piece.place {
        case .block(let reference, let offset, let byteCount):
            try readBlock(piece, reference, offset, byteCount, times: range, into: &buffer)
            return nil
        case .frame(let directory, let ordinal, let firstRow):
            try enter(directory)
            try frame!.readTimes(piece, ordinal: ordinal, firstRow: firstRow, into: &times)
            var selected = times.rows(in: range)
            let rest = portion.flatMap { times.cut(&selected, to: $0, of: range) }
            if !selected.isEmpty { try read(selected, of: piece, ordinal: ordinal, firstRow: firstRow, into: &buffer) }
            return rest
        }
    }

    /// Adds the times of the piece's rows, newest first; reads no other column, as long as none is wanted.
    mutating func readTimes(of piece: SegmentPiece, into result: inout [Int64]) throws(StoreError) {
        switch piece.place {
        case .block(let reference, let offset, let byteCount):
            var rows = RowBuffer()
            try readBlock(piece, reference, offset, byteCount, times: .min ... .max, into: &rows)
            result += rows.rows.map(\.time)
        case .frame(let directory, let ordinal, let firstRow):
            try enter(directory)
            try frame!.readTimes(piece, ordinal: ordinal, firstRow: firstRow, into: &times)
            result += times
        }
    }

    /// Makes `directory` the frame at hand and loads what is wanted of it.
    private mutating func enter(_ directory: FrameDirectory) throws(StoreError) {
        if frame?.directory === directory { return }
        frame = FrameReader(segment, directory, access: access)
        columns.removeAll(keepingCapacity: true)
        var needed = [0]
        if segment.footer.hasCommitTimes, let position = directory.position(of: .commitTimes) { needed.append(position) }
        for (position, column) in directory.columns.enumerated() {
            guard case .field(let local, let type) = column.key else { continue }
            guard local < fields.count else { throw segment.damage(at: column.offset, "a column has an unknown field") }
            guard wanted?.contains(fields[local].number) ?? true else { continue }
            columns.append((position, fields[local].number, type))
            needed.append(position)
        }
        try frame!.load(needed)
        while runs.count < columns.count { runs.append(ColumnRun()) }
    }

    private mutating func read(
        _ selected: Range<Int>, of piece: SegmentPiece, ordinal: Int, firstRow: Int, into buffer: inout RowBuffer
    ) throws(StoreError) {
        let rows = (firstRow + selected.lowerBound)..<(firstRow + selected.upperBound)
        var hasCommitTimes = false
        if segment.footer.hasCommitTimes, let position = frame!.directory.position(of: .commitTimes) {
            try frame!.read(position, type: .integer, rows: rows, ordinal: ordinal, firstRow: firstRow, into: &commitTimes)
            hasCommitTimes = true
        }
        for (index, column) in columns.enumerated() {
            try frame!.read(column.position, type: column.type, rows: rows, ordinal: ordinal, firstRow: firstRow, into: &runs[index])
        }
        buffer.reserve(rows: selected.count, cells: selected.count * columns.count)
        let byteLimit = buffer.bytes.count + SegmentFormat.bytesPerPiece
        for row in 0..<selected.count where buffer.bytes.count <= byteLimit {
            buffer.beginRow(
                time: times[selected.lowerBound + row], commitTime: hasCommitTimes ? Int64(bitPattern: commitTimes.bits[row]) : 0,
                order: piece.order(of: selected.lowerBound + row, rank: segment.rank))
            for index in columns.indices {
                guard let bits = runs[index][row] else { continue }
                let type = columns[index].type
                let cell =
                    type.isBytes
                    ? buffer.copy(Cell(type: type, bits: bits), from: frame!.bytes(columns[index].position)) : Cell(type: type, bits: bits)
                buffer.append(field: columns[index].field, cell: cell)
            }
            buffer.endRow()
        }
        guard buffer.bytes.count <= byteLimit else {
            throw segment.damage(at: frame!.directory.columns[0].offset, "a piece has more bytes than rows can bring")
        }
    }

    private mutating func readBlock(
        _ piece: SegmentPiece, _ reference: FrameReference, _ offset: Int, _ byteCount: Int, times range: ClosedRange<Int64>,
        into buffer: inout RowBuffer
    ) throws(StoreError) {
        if blocks?.reference != reference {
            blocks = (reference, try segment.frame(reference, access))
        }
        let bytes = blocks!.bytes
        guard offset + byteCount <= bytes.count else { throw segment.damage(at: reference.offset, "a block lies outside its frame") }
        let locals = fields.map { wanted?.contains($0.number) ?? true ? Int32($0.number) : -1 }
        do throws(CodecError) {
            try bytes.withBytes { (bytes) throws(CodecError) in
                try BlockDecoder.decode(
                    UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + byteCount)]),
                    hasCommitTimes: segment.footer.hasCommitTimes, fields: locals, times: range,
                    order: { piece.order(of: $0, rank: segment.rank) }, into: &buffer)
            }
        } catch {
            throw segment.damage(at: reference.offset, "the block at \(offset) in the frame is malformed")
        }
    }
}

extension [Int64] {
    /// Positions of falling times that lie in the range.
    func rows(in range: ClosedRange<Int64>) -> Range<Int> {
        let start = partitioningIndex { $0 <= range.upperBound }
        return start..<Swift.max(start, partitioningIndex { $0 < range.lowerBound })
    }

    /// Shortens `rows` to a portion that holds all rows of each of its times.
    /// - Returns: the part of `range` that is left.
    fileprivate func cut(_ rows: inout Range<Int>, to portion: PieceReader.Portion, of range: ClosedRange<Int64>) -> ClosedRange<Int64>? {
        guard rows.count > portion.rowCount else { return nil }
        if portion.order == .descending {
            var end = rows.lowerBound + portion.rowCount
            while end < rows.upperBound, self[end] == self[end - 1] { end += 1 }
            guard end < rows.upperBound, self[end] < self[end - 1] else { return nil }
            rows = rows.lowerBound..<end
            return range.lowerBound...(self[end - 1] - 1)
        }
        var start = rows.upperBound - portion.rowCount
        while start > rows.lowerBound, self[start - 1] == self[start] { start -= 1 }
        guard start > rows.lowerBound, self[start - 1] > self[start] else { return nil }
        rows = start..<rows.upperBound
        return (self[start] + 1)...range.upperBound
    }

    /// First position from which on all times belong.
    private func partitioningIndex(_ belongs: (Int64) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if belongs(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

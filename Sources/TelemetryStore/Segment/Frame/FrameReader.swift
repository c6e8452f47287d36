import Telemetry
import TelemetryCodec

/// Reads pieces of one frame: loads the chunks that are asked for, once, and decodes rows from them.
struct FrameReader {
    let segment: Segment
    let directory: FrameDirectory
    private let access: SegmentAccess
    private var chunks: [Bytes?]

    init(_ segment: Segment, _ directory: FrameDirectory, access: SegmentAccess) {
        self.segment = segment
        self.directory = directory
        self.access = access
        chunks = Array(repeating: nil, count: directory.columns.count)
    }

    /// Loads chunks, those that are not in memory with one read from the file.
    mutating func load(_ positions: [Int]) throws(StoreError) {
        var missing: [Int] = []
        for position in positions where chunks[position] == nil {
            if access != .uncached { chunks[position] = segment.cachedChunk(directory.columns[position]) }
            if chunks[position] == nil { missing.append(position) }
        }
        // Chunks follow each other in the directory's order, which says nothing about what they hold.
        guard let first = missing.min(), let last = missing.max() else { return }
        guard access != .memory else { throw .notInMemory }
        let columns = directory.columns
        let span = columns[first].offset..<(columns[last].offset + columns[last].byteCount)
        let stored = try segment.bytes(span)
        try stored.withBytes { (stored) throws(StoreError) in
            for position in missing {
                let start = columns[position].offset - span.lowerBound
                let slice = UnsafeRawBufferPointer(rebasing: stored[start..<(start + columns[position].byteCount)])
                chunks[position] = try segment.chunk(columns[position], stored: slice, isCached: access == .cached)
            }
        }
    }

    /// Times of the piece's rows, newest first.
    mutating func readTimes(_ piece: SegmentPiece, ordinal: Int, firstRow: Int, into times: inout [Int64]) throws(StoreError) {
        try load([0])
        try decoding(0) { (bytes) throws(CodecError) in
            let chunk = try ColumnChunk(
                times: bytes.buffer, rowCount: directory.rowCount, pieceCount: directory.pieceCount)
            try chunk.decodeTimes(
                rows: firstRow..<(firstRow + piece.rowCount), piece: ordinal, pieceStart: firstRow, first: piece.maxTime, into: &times)
        }
    }

    /// Values of one column for `rows` of the frame, which lie in one piece. `bytes` gives what string cells are slices of.
    mutating func read(
        _ position: Int, type: FieldType, rows: Range<Int>, ordinal: Int, firstRow: Int, into run: inout ColumnRun
    ) throws(StoreError) {
        try load([position])
        try decoding(position) { (bytes) throws(CodecError) in
            let chunk = try ColumnChunk(
                bytes.buffer, type: type, rowCount: directory.rowCount, pieceCount: directory.pieceCount)
            try chunk.decode(rows: rows, piece: ordinal, pieceStart: firstRow, into: &run)
        }
    }

    /// Statistics of a piece per numeric column of the frame; nil when it has none.
    mutating func statistics(of ordinal: Int, columnCount: Int) throws(StoreError) -> [ColumnStatistics?]? {
        guard let position = directory.position(of: .statistics) else { return nil }
        try load([position])
        var found: [ColumnStatistics?]?
        try decoding(position) { (bytes) throws(CodecError) in
            found = try PieceStatistics.decode(bytes.buffer, piece: ordinal, columnCount: columnCount)
        }
        return found
    }

    /// What the string and binary cells of a loaded column are slices of; valid as long as this reader.
    func bytes(_ position: Int) -> UnsafeRawBufferPointer { chunks[position]!.buffer }

    private func decoding(_ position: Int, _ body: (Bytes) throws(CodecError) -> Void) throws(StoreError) {
        do throws(CodecError) { try body(chunks[position]!) } catch {
            throw segment.damage(at: directory.columns[position].offset, "the column chunk is malformed")
        }
    }
}

import TelemetryCodec

/// Walks a segment's devices in key order, holding one index page and one frame. For merging and scanning; bypasses the cache.
struct SegmentCursor {
    let segment: Segment
    private let index: SparseIndex
    private var nextPage = 0
    private var pageBytes: Bytes?
    private var page: (any IndexPage)?
    private var position = 0
    private var reader: PieceReader

    /// The device the cursor stands on; nil at the end. The name stays valid until the next `advance`.
    private(set) var current: KeyedEntry?

    init(_ segment: Segment) throws(StoreError) {
        self.segment = segment
        index = try segment.index()
        reader = PieceReader(segment, fields: index.fields, wanted: nil, isCached: false)
        try advance()
    }

    mutating func advance() throws(StoreError) {
        current = nil
        while page == nil || position == page!.deviceCount {
            guard nextPage < index.pages.count else { return }
            let reference = index.pages[nextPage].frame
            let bytes = try segment.read(reference)
            do throws(CodecError) { page = try segment.page(bytes) } catch {
                throw segment.damage(at: reference.offset, "the index page is malformed")
            }
            (pageBytes, position) = (bytes, 0)
            nextPage += 1
        }
        do throws(CodecError) { current = try page!.entry(position) } catch {
            throw segment.damage(at: index.pages[nextPage - 1].frame.offset, "the index page is malformed")
        }
        position += 1
    }

    /// Adds all rows of the current device to `buffer`.
    mutating func readRows(into buffer: inout RowBuffer) throws(StoreError) {
        for piece in current?.entry.pieces ?? [] { try reader.read(piece, times: .min ... .max, into: &buffer) }
    }
}

/// Walks several segments of one partition as one: per device all physical rows, newest first.
struct SegmentMerger {
    private var cursors: [SegmentCursor]

    /// - Parameter segments: in order of flushes.
    init(_ segments: [Segment]) throws(StoreError) {
        cursors = []
        // The newest first: rows that came in order are then sorted as they are read.
        for segment in segments.reversed() { cursors.append(try SegmentCursor(segment)) }
    }

    /// Fills `rows` with the next device's rows.
    /// - Returns: nil at the end.
    mutating func next(into rows: inout RowBuffer) throws(StoreError) -> (bucket: Int, name: [UInt8], newRowCount: Int)? {
        rows.removeAll()
        var least: (bucket: Int, name: UnsafeRawBufferPointer)?
        for cursor in cursors {
            guard let key = cursor.current else { continue }
            if least == nil || compareKeys(key.bucket, key.name, least!.bucket, least!.name) < 0 { least = (key.bucket, key.name) }
        }
        guard let least else { return nil }
        let name = Array(least.name)
        var newRowCount = 0
        for index in cursors.indices {
            guard let key = cursors[index].current else { continue }
            guard key.bucket == least.bucket, name.withUnsafeBytes({ compareBytes(key.name, $0) }) == 0 else { continue }
            newRowCount += key.entry.newRowCount
            try cursors[index].readRows(into: &rows)
            try cursors[index].advance()
        }
        rows.sortNewestFirst()
        return (least.bucket, name, newRowCount)
    }
}

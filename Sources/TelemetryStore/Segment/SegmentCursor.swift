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
        reader = PieceReader(segment, fields: index.fields, wanted: nil, access: .uncached)
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

    /// Adds the rows of a piece of the current device to `buffer`.
    mutating func read(_ piece: SegmentPiece, times: ClosedRange<Int64>, into buffer: inout RowBuffer) throws(StoreError) {
        try reader.read(piece, times: times, into: &buffer)
    }
}

/// The pieces of one device in one window, from all segments and heads, in the order a page wants them.
struct PieceList {
    private enum Piece {
        case stored(SegmentPiece, Segment)
        case chunk(HeadChunkView, head: Head, rank: UInt64)

        var minTime: Int64 {
            switch self {
            case .stored(let piece, _): piece.minTime
            case .chunk(let chunk, _, _): chunk.minTime
            }
        }
        var maxTime: Int64 {
            switch self {
            case .stored(let piece, _): piece.maxTime
            case .chunk(let chunk, _, _): chunk.maxTime
            }
        }
        var rowCount: Int {
            switch self {
            case .stored(let piece, _): piece.rowCount
            case .chunk(let chunk, _, _): chunk.rowCount
            }
        }
    }

    /// Next piece last, so that taking it is cheap.
    private var pieces: [Piece] = []
    private let order: RangeQuery.Order

    init(
        _ sources: PartitionSources, _ times: ClosedRange<Int64>, bucket: Int, device: UnsafeRawBufferPointer, order: RangeQuery.Order
    ) throws(StoreError) {
        self.order = order
        for segment in sources.segments {
            for piece in try segment.find(bucket: bucket, device: device)?.pieces ?? [] where piece.overlaps(times) {
                pieces.append(.stored(piece, segment))
            }
        }
        for source in sources.heads {
            for chunk in source.chunks { pieces.append(.chunk(chunk, head: source.head, rank: source.rank)) }
        }
        if order == .descending {
            pieces.sort { $0.maxTime < $1.maxTime }
        } else {
            pieces.sort { $0.minTime > $1.minTime }
        }
    }

    var isEmpty: Bool { pieces.isEmpty }

    /// Reads pieces until they hold `rowCount` rows or none is left.
    mutating func readNext(
        atLeast rowCount: Int, times: ClosedRange<Int64>, wanted: Set<UInt32>, into rows: inout RowBuffer
    ) throws(StoreError) {
        var read = 0
        while read < rowCount, let piece = pieces.popLast() {
            read += piece.rowCount
            switch piece {
            case .stored(let piece, let segment): try segment.read(piece, times: times, wanted: wanted, into: &rows)
            case .chunk(let chunk, let head, let rank):
                withExtendedLifetime(head) { chunk.read(times: times, wanted: wanted, rank: rank, into: &rows) }
            }
        }
    }

    /// The times of which no unread piece can hold a row; nil when there are none.
    func completeTimes(within times: ClosedRange<Int64>) -> ClosedRange<Int64>? {
        guard let next = pieces.last else { return times }
        if order == .descending {
            return next.maxTime < times.upperBound ? max(next.maxTime + 1, times.lowerBound)...times.upperBound : nil
        }
        return next.minTime > times.lowerBound ? times.lowerBound...min(next.minTime - 1, times.upperBound) : nil
    }

    // MARK: - Groups

    /// Lists of pieces, in the same order, such that no time lies in two of them.
    func disjointGroups() -> [PieceList] {
        var groups: [PieceList] = []
        var reach = Int64.min
        for piece in pieces.reversed() {
            if groups.isEmpty || piece.minTime > reach { groups.append(PieceList(order: order)) }
            groups[groups.count - 1].pieces.insert(piece, at: 0)
            reach = max(reach, piece.maxTime)
        }
        return groups
    }

    private init(order: RangeQuery.Order) { self.order = order }

    /// Nil when there are several pieces, or the piece is in memory.
    var onlyStoredPiece: (piece: SegmentPiece, segment: Segment)? {
        guard pieces.count == 1, case .stored(let piece, let segment) = pieces[0] else { return nil }
        return (piece, segment)
    }
}

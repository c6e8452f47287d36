/// The pieces of one device in one window, from all segments and heads, in the order a page wants them.
struct PieceList {
    private enum Piece {
        /// - Parameter times: what of the piece is not read yet.
        case stored(SegmentPiece, Segment, times: ClosedRange<Int64>)
        case chunk(HeadChunkView, head: Head, rank: UInt64)

        var minTime: Int64 {
            switch self {
            case .stored(let piece, _, let times): max(piece.minTime, times.lowerBound)
            case .chunk(let chunk, _, _): chunk.minTime
            }
        }
        var maxTime: Int64 {
            switch self {
            case .stored(let piece, _, let times): min(piece.maxTime, times.upperBound)
            case .chunk(let chunk, _, _): chunk.maxTime
            }
        }
        var rowCount: Int {
            switch self {
            case .stored(let piece, _, _): piece.rowCount
            case .chunk(let chunk, _, _): chunk.rowCount
            }
        }
    }

    /// Next piece last, so that taking it is cheap.
    private var pieces: [Piece] = []
    private let order: RangeQuery.Order
    private let access: SegmentAccess

    init(
        _ sources: PartitionSources, _ times: ClosedRange<Int64>, bucket: Int, device: UnsafeRawBufferPointer, order: RangeQuery.Order,
        access: SegmentAccess = .cached
    ) throws(StoreError) {
        self.order = order
        self.access = access
        for segment in sources.segments {
            for piece in try segment.find(bucket: bucket, device: device, access)?.pieces ?? [] where piece.overlaps(times) {
                pieces.append(.stored(piece, segment, times: times))
            }
        }
        for source in sources.heads {
            for chunk in source.chunks { pieces.append(.chunk(chunk, head: source.head, rank: source.rank)) }
        }
        pieces.sort { PieceList.isBefore($1, $0, order) }
    }

    /// Rows of all pieces, those outside of the times included.
    var rowCount: Int { pieces.reduce(0) { $0 + $1.rowCount } }

    /// Reads pieces, or the next rows of one, until `rowCount` rows or `RowBuffer.bytesPerPass` are read, or none is left.
    mutating func readNext(
        atLeast rowCount: Int, times: ClosedRange<Int64>, wanted: FieldSet, into rows: inout RowBuffer
    ) throws(StoreError) {
        var passed = 0
        // At least as much as waits in `rows`, so that it is not moved in vain again and again.
        let byteLimit = rows.bytes.count + max(RowBuffer.bytesPerPass, rows.bytes.count)
        while passed < rowCount, rows.bytes.count < byteLimit, let piece = pieces.popLast() {
            switch piece {
            case .stored(let stored, let segment, let unread):
                let portion = PieceReader.Portion(rowCount: rowCount - passed, order: order)
                let rest = try segment.read(stored, times: unread, wanted: wanted, portion: portion, access: access, into: &rows)
                passed += rest == nil ? stored.rowCount : rowCount - passed
                if let rest { insert(.stored(stored, segment, times: rest)) }
            case .chunk(let chunk, let head, let rank):
                let start = rows.rows.count
                withExtendedLifetime(head) { chunk.read(times: times, wanted: wanted, rank: rank, into: &rows) }
                // Behind each other chunks are then mostly sorted already.
                if order == .descending { rows.reverseIfRising(from: start) }
                passed += chunk.rowCount
            }
        }
    }

    private mutating func insert(_ piece: Piece) {
        pieces.insert(piece, at: pieces.lastIndex { !PieceList.isBefore($0, piece, order) }.map { $0 + 1 } ?? 0)
    }

    /// True when `a` is read before `b`.
    private static func isBefore(_ a: Piece, _ b: Piece, _ order: RangeQuery.Order) -> Bool {
        order == .descending ? a.maxTime > b.maxTime : a.minTime < b.minTime
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
            if groups.isEmpty || piece.minTime > reach { groups.append(PieceList(order: order, access: access)) }
            groups[groups.count - 1].pieces.insert(piece, at: 0)
            reach = max(reach, piece.maxTime)
        }
        return groups
    }

    private init(order: RangeQuery.Order, access: SegmentAccess) { (self.order, self.access) = (order, access) }

    /// Nil when there are several pieces, or the piece is in memory.
    var onlyStoredPiece: (piece: SegmentPiece, segment: Segment)? {
        guard pieces.count == 1, case .stored(let piece, let segment, _) = pieces[0] else { return nil }
        return (piece, segment)
    }
}

/// Rows of a frame, cut into pieces: the rows of one device. Streams of values restart at each.
struct FramePieces {
    /// First row of each piece, ascending; the first is 0. No piece is empty.
    var starts: [Int32]
    var rowCount: Int

    init(starts: [Int32] = [], rowCount: Int = 0) {
        self.starts = starts
        self.rowCount = rowCount
    }

    var count: Int { starts.count }

    func rows(of piece: Int) -> Range<Int> {
        Int(starts[piece])..<(piece + 1 < starts.count ? Int(starts[piece + 1]) : rowCount)
    }
}

/// Merges the pieces of one device that may overlap in time: gives its rows newest first, and holds no more of them than it takes to be
/// sure of the next.
///
/// A row is sure once every piece that may hold its time is read. Pieces of a segment that was written in order are sure at once; those of
/// a shuffled backfill wait for one piece of each of the other segments.
struct PieceMerge {
    /// Newest time of each piece, falling.
    private let maxTimes: [Int64]
    private var nextPiece = 0
    /// Rows that are read and not sure.
    private var held = RowBuffer()

    init(maxTimes: [Int64]) { self.maxTimes = maxTimes }

    /// Adds the next rows to `rows`: all are older than those given before, and rows of one time come together.
    /// - Parameters:
    ///   - count: rows read at a time, unless their bytes are many; fewer may be sure.
    ///   - read: adds the rows of a piece, by its position in `maxTimes`.
    /// - Returns: false: none are left behind these.
    mutating func readRows<E: Error>(
        atLeast count: Int, into rows: inout RowBuffer, read: (_ piece: Int, _ rows: inout RowBuffer) throws(E) -> Void
    ) throws(E) -> Bool {
        let start = rows.rows.count
        rows.append(held.rows[...], of: held)
        // At least as much as was held, so that rows that wait for long are not moved in vain again and again.
        let rowLimit = rows.rows.count + max(count, rows.rows.count - start)
        let byteLimit = rows.bytes.count + max(RowBuffer.bytesPerPass, held.bytes.count)
        held.removeAll()
        while nextPiece < maxTimes.count {
            let isPass = rows.rows.count >= rowLimit || rows.bytes.count >= byteLimit
            if isPass, rows.rows[start...].contains(where: { $0.time > maxTimes[nextPiece] }) { break }
            try read(nextPiece, &rows)
            nextPiece += 1
        }
        rows.sortNewestFirst()
        guard nextPiece < maxTimes.count else { return false }
        let sure = rows.rows.lastIndex { $0.time > maxTimes[nextPiece] }.map { $0 + 1 } ?? 0
        guard sure < rows.rows.count else { return true }
        held.append(rows.rows[sure...], of: rows)
        rows.rows.removeSubrange(sure...)
        return true
    }
}

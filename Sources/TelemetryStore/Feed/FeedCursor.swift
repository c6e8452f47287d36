import Telemetry
import TelemetryCodec

/// A place in the feed: between two rows.
struct FeedCursor {
    /// One row on the way past a cursor.
    struct Row {
        var sequence: SequenceNumber
        var device: UInt32
        /// µs.
        var time: Int64
        var cells: UnsafeRawBufferPointer
    }

    let table: TableNumber
    var page: UInt64
    /// Everything up to this reading, of whatever table, lies before the cursor.
    var settled: SequenceNumber
    /// Shown readings of the table that lie before the cursor, counted as in `Feed`.
    var passed: Int
    /// Offset of the entry it stands in, and its place among that entry's rows.
    private var entry: Int
    private var row = 0
    private var rowOffset = 0
    private var silent = 0

    init(table: TableNumber, page: UInt64, entry: Int = 0, settled: SequenceNumber, passed: Int) {
        (self.table, self.page, self.entry, self.settled, self.passed) = (table, page, entry, settled, passed)
    }

    /// Goes on through the page, past silent rows and other tables, until `body` says that it has enough.
    /// - Parameters:
    ///   - count: bytes of the page that are written.
    ///   - limit: the newest reading to pass.
    ///   - budget: rows that may still be looked at, shown or not; goes down.
    ///   - body: takes a row and returns whether the next one is wanted. The row lies before the cursor then.
    /// - Returns: true when the page's end was reached.
    mutating func advance(
        through page: FeedPage, count: Int, limit: SequenceNumber, budget: inout Int, _ body: (Row) -> Bool
    ) -> Bool {
        while entry < count {
            let current = page.entry(at: entry)
            guard current.firstSequence <= limit else { return false }
            if current.table == table {
                guard advance(through: current, of: page, limit, &budget, body) else { return false }
            }
            settled = current.lastSequence
            entry = page.offset(behind: current, at: entry)
            (row, rowOffset, silent) = (0, 0, 0)
        }
        return true
    }

    /// - Returns: true when the entry's end was reached.
    private mutating func advance(
        through entry: FeedPage.Entry, of page: FeedPage, _ limit: SequenceNumber, _ budget: inout Int, _ body: (Row) -> Bool
    ) -> Bool {
        var cursor = ByteCursor(page.rows(of: entry, at: self.entry), offset: rowOffset)
        do throws(CodecError) {
            while row < entry.rowCount {
                guard entry.firstSequence + UInt64(row) <= limit, budget > 0 else { return false }
                budget -= 1
                let device = UInt32(truncatingIfNeeded: try cursor.varint())
                let time = entry.base &+ (try cursor.zigzag())
                let cells = try cursor.slice(Int(try cursor.fixed(UInt32.self)))
                let isSilent = silent < entry.silentCount && page.silentRow(silent, ofEntryAt: self.entry) == row
                settled = entry.firstSequence + UInt64(row)
                row += 1
                rowOffset = cursor.offset
                if isSilent { silent += 1 } else { passed += 1 }
                guard isSilent || body(Row(sequence: settled, device: device, time: time, cells: cells)) else { return false }
            }
        } catch {
            preconditionFailure("a section in memory does not decode: it was overwritten")
        }
        return true
    }
}

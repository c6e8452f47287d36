/// Cuts the rows of a column into data pages.
///
/// Every column is cut at the same rows, so that a reader that skips pages by one column skips whole pages of the others; where the
/// values are long, further cuts keep a page at a size that can be held in memory.
struct PageCutter {
    /// What is skipped or read at once: small enough to skip by, large enough to compress.
    static let rowLimit = 20_000
    /// Of the values. A single value may be longer.
    static let byteLimit = 1 << 20

    struct Page {
        var rows: Range<Int>
        /// Of the column's values.
        var words: Range<Int>
    }

    /// Values of any length stand in the pages themselves.
    private let countsBytes: Bool
    private var row = 0
    private var word = 0

    init(_ buffer: ColumnBuffer, _ encoding: ParquetEncoding) {
        countsBytes = buffer.column.type.isByteArray && encoding == .plain
    }

    /// The next page of `buffer`, or nil after the last.
    mutating func next(_ buffer: ColumnBuffer) -> Page? {
        guard row < buffer.rowCount else { return nil }
        let rows = row..<min((row / Self.rowLimit + 1) * Self.rowLimit, buffer.rowCount)
        let wordCount = buffer.hasNulls ? buffer.levels[rows].reduce(0) { $0 + Int($1) } : rows.count
        var page = Page(rows: rows, words: word..<(word + wordCount))
        if countsBytes { shorten(&page, buffer) }
        (row, word) = (page.rows.upperBound, page.words.upperBound)
        return page
    }

    /// Ends the page before the value that is too much.
    private func shorten(_ page: inout Page, _ buffer: ColumnBuffer) {
        var byteCount = 0
        for index in page.words {
            byteCount += 4 + buffer.dictionary.byteCount(Int(buffer.words[index]))
            guard byteCount > Self.byteLimit, index > page.words.lowerBound else { continue }
            let count = index - page.words.lowerBound
            page = Page(rows: page.rows.lowerBound..<row(ofValue: count, in: page.rows, buffer), words: page.words.lowerBound..<index)
            return
        }
    }

    /// The row of the value behind `count` others.
    private func row(ofValue count: Int, in rows: Range<Int>, _ buffer: ColumnBuffer) -> Int {
        guard buffer.hasNulls else { return rows.lowerBound + count }
        var left = count
        for row in rows where buffer.levels[row] == 1 {
            if left == 0 { return row }
            left -= 1
        }
        return rows.upperBound
    }
}

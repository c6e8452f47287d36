/// The rows of some columns, batch by batch. One owner, one thread at a time.
package final class ParquetScan {
    private let reader: ParquetReader
    private let cursors: [ColumnCursor]
    private let pruning: RowGroupPruning
    private var rowGroups: Range<Int>
    /// Of the row group at hand, the rows that are wanted; which of the ranges is at hand, and its first row that is not read yet.
    private var ranges: [Range<Int64>] = []
    private var rangeIndex = 0
    private var row: Int64 = 0
    private var rowGroup = 0
    /// Of the row group at hand, and of the next one, in the file.
    private var firstRow: Int64 = 0
    private var nextFirstRow: Int64
    private var hasFailed = false

    /// Row groups of which nothing was read, so far.
    package private(set) var skippedRowGroupCount = 0
    /// Rows of batches, so far.
    package private(set) var rowCount: Int64 = 0

    init(_ reader: ParquetReader, columns: [ReadableColumn], _ rowGroups: Range<Int>, _ conditions: [ParquetCondition]) {
        precondition(rowGroups.lowerBound >= 0 && rowGroups.upperBound <= reader.footer.rowGroups.count, "no such row groups")
        self.reader = reader
        self.rowGroups = rowGroups
        cursors = columns.map { ColumnCursor($0, reader) }
        pruning = RowGroupPruning(reader, conditions)
        rowGroup = rowGroups.lowerBound
        nextFirstRow = reader.footer.rowGroups[..<rowGroups.lowerBound].reduce(0) { $0 + $1.rowCount }
    }

    /// The next rows; nil after the last. The batch before must not be used any more.
    ///
    /// - Throws: `ParquetError`, with column and offset; what reading throws. The scan is then over, and every further call throws, too.
    package func next() throws -> RowBatch? {
        guard !hasFailed else { throw ParquetError(.malformed, "the scan went on after an error") }
        hasFailed = true
        let batch = try nextBatch()
        hasFailed = false
        return batch
    }

    private func nextBatch() throws -> RowBatch? {
        while rangeIndex == ranges.count {
            guard let group = rowGroups.popFirst() else { return nil }
            try open(group)
        }
        let range = row..<ranges[rangeIndex].upperBound
        let count = Int(min(range.upperBound - row, Int64(reader.options.batchRowCount)))
        for cursor in cursors {
            if cursor.row < row { try cursor.seek(to: range) }
            try cursor.read(count)
        }
        let columns = cursors.map { ColumnBatch($0.column, $0.vector, rowCount: count) }
        let batch = RowBatch(rowGroup: rowGroup, firstRow: firstRow + row, rowCount: count, columns: columns)
        pass(count)
        return batch
    }

    /// The rows are the caller's.
    private func pass(_ count: Int) {
        rowCount += Int64(count)
        row += Int64(count)
        guard row == ranges[rangeIndex].upperBound else { return }
        rangeIndex += 1
        if rangeIndex < ranges.count { row = ranges[rangeIndex].lowerBound }
    }

    private func open(_ number: Int) throws {
        let group = reader.footer.rowGroups[number]
        (rowGroup, firstRow) = (number, nextFirstRow)
        nextFirstRow += group.rowCount
        ranges = try pruning.rows(of: group).ranges
        rangeIndex = 0
        row = ranges.first?.lowerBound ?? 0
        if ranges.isEmpty {
            skippedRowGroupCount += 1
            return
        }
        let isWhole = ranges.count == 1 && ranges.first == 0..<group.rowCount
        for cursor in cursors {
            // Without a page to pass over, where pages stand need not be known.
            try cursor.open(group, isWhole ? nil : try pruning.offsetIndex(cursor.column.index, group))
        }
    }
}

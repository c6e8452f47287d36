import TelemetryCodec

/// Which rows of a row group may fulfil some conditions, by what the file says of its values.
struct RowGroupPruning {
    private let reader: ParquetReader
    private let conditions: [ParquetCondition]

    /// Far above any real index; keeps damage from asking for all memory.
    private static let indexByteCountLimit: Int64 = 128 << 20

    init(_ reader: ParquetReader, _ conditions: [ParquetCondition]) {
        self.reader = reader
        self.conditions = conditions
    }

    /// Empty: none.
    ///
    /// - Throws: `ParquetError.malformed` for an index or a filter that is damaged; what reading throws.
    func rows(of group: ParquetFooter.RowGroup) throws -> RowRanges {
        var rows = RowRanges([0..<group.rowCount])
        // Statistics are at hand; filters and indices are read, and only if statistics leave something.
        guard conditions.allSatisfy({ statisticsAllow($0, group) }) else { return RowRanges() }
        for condition in conditions where !rows.ranges.isEmpty {
            guard try filterAllows(condition, group) else { return RowRanges() }
            if let pages = try pageRows(condition, group) { rows = rows.intersection(pages) }
        }
        return rows
    }

    /// The index of a column's pages, if the file has one.
    func offsetIndex(_ column: Int, _ group: ParquetFooter.RowGroup) throws -> OffsetIndex? {
        let chunk = group.chunks[column]
        guard let bytes = try bytes(chunk.offsetIndex, "the offset index") else { return nil }
        let index = try OffsetIndex(decoding: bytes)
        try check(index, try reader.range(of: chunk), group)
        return index
    }

    private func statisticsAllow(_ condition: ParquetCondition, _ group: ParquetFooter.RowGroup) -> Bool {
        let statistics = group.chunks[condition.column].statistics
        if group.rowCount > 0, statistics.nullCount == group.rowCount { return false }
        return condition.mayHold(reader.columns[condition.column], minimum: statistics.minimum, maximum: statistics.maximum)
    }

    private func filterAllows(_ condition: ParquetCondition, _ group: ParquetFooter.RowGroup) throws -> Bool {
        // Fixed-length strings are hashed without a length, as the others are.
        guard case .oneOf(let values) = condition.test, let range = group.chunks[condition.column].bloomFilter else { return true }
        guard let filter = try BloomFilterProbe(reader, range) else { return true }
        return try values.contains { try filter.mayContain($0) }
    }

    /// Nil: no index.
    private func pageRows(_ condition: ParquetCondition, _ group: ParquetFooter.RowGroup) throws -> RowRanges? {
        let column = reader.columns[condition.column]
        guard let bytes = try bytes(group.chunks[column.index].columnIndex, "the column index"),
            let pages = try offsetIndex(column.index, group)?.pages
        else { return nil }
        let index = try ColumnIndex(decoding: bytes)
        guard index.isNullPage.count == pages.count else {
            throw ParquetError(.malformed, "column '\(column.name)': its two indices have different numbers of pages")
        }
        var rows = RowRanges()
        for (page, location) in pages.enumerated() where !index.isNullPage[page] {
            let end = page + 1 < pages.count ? pages[page + 1].firstRow : group.rowCount
            if condition.mayHold(column, minimum: index.minima[page], maximum: index.maxima[page]) {
                rows.append(location.firstRow..<end)
            }
        }
        return rows
    }

    private func bytes(_ range: ParquetFooter.FileRange?, _ what: String) throws -> [UInt8]? {
        guard let range, range.byteCount > 0 else { return nil }
        guard range.byteCount <= Self.indexByteCountLimit else {
            throw ParquetError(.tooLarge, "\(what) of \(range.byteCount) bytes")
        }
        return try reader.bytes(offset: range.offset, byteCount: Int64(range.byteCount), what)
    }

    /// Rows ascend from 0, pages ascend within the chunk.
    private func check(_ index: OffsetIndex, _ range: Range<Int>, _ group: ParquetFooter.RowGroup) throws(ParquetError) {
        var (row, offset): (Int64, Int64) = (-1, Int64(range.lowerBound))
        guard !index.pages.isEmpty || group.rowCount == 0 else { throw ParquetError(.malformed, "an offset index without pages") }
        for page in index.pages {
            let (end, isTooFar) = page.offset.addingReportingOverflow(Int64(page.compressedByteCount))
            guard page.firstRow > row, row >= 0 || page.firstRow == 0, page.firstRow < group.rowCount, page.compressedByteCount >= 0,
                page.offset >= offset, !isTooFar, end <= range.upperBound
            else { throw ParquetError(.malformed, "the offset index has a page at offset \(page.offset) with row \(page.firstRow)") }
            (row, offset) = (page.firstRow, end)
        }
    }
}

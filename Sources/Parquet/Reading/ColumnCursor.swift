import TelemetryCodec

/// Reads one column, row group after row group, row after row, page by page.
final class ColumnCursor {
    let column: ReadableColumn
    let vector: ColumnVector
    let reader: ParquetReader
    var window: ByteWindow

    /// The chunk at hand.
    var chunk = ParquetFooter.ColumnChunk()
    private var rowCount: Int64 = 0
    private var offsetIndex: OffsetIndex?
    /// Words of the dictionary, converted; strings in the vector's arena.
    var dictionary: [UInt64] = []
    var hasDictionary = false
    /// Next row of the group.
    var row: Int64 = 0

    /// The page at hand: of its rows so many are left.
    var pageRowsLeft = 0
    var page = RawBuffer()
    var levelBytes = RawBuffer()
    var levels: HybridDecoder?
    var values: ValueDecoder?
    let decompressor = PageDecompressor()
    /// Where the page's header stands, for messages.
    var pageOffset = 0

    init(_ column: ReadableColumn, _ reader: ParquetReader) {
        self.column = column
        self.reader = reader
        vector = ColumnVector(capacity: reader.options.batchRowCount, arenaByteCountLimit: reader.options.batchByteCountLimit)
        window = ByteWindow(byteCount: reader.options.windowByteCount, reader.read)
    }

    /// Goes to the first row of a row group.
    ///
    /// - Parameter offsetIndex: of this chunk, or nil; then pages are found one after another.
    /// - Throws: `ParquetError.malformed` when the chunk cannot be where the footer says.
    func open(_ group: ParquetFooter.RowGroup, _ offsetIndex: OffsetIndex?) throws {
        chunk = group.chunks[column.index]
        pageOffset = Int(clamping: chunk.firstPageOffset)
        try located {
            guard chunk.physicalType == column.stored.physicalType else {
                throw ParquetError(.malformed, "pages of \(chunk.physicalType) where the schema has \(column.stored.physicalType)")
            }
            guard chunk.valueCount == group.rowCount else {
                throw ParquetError(.malformed, "\(chunk.valueCount) values in a row group of \(group.rowCount)")
            }
            window.open(try reader.range(of: chunk))
        }
        rowCount = group.rowCount
        self.offsetIndex = offsetIndex
        (row, pageRowsLeft) = (0, 0)
        (levels, values) = (nil, nil)
        vector.arena.removeAll()
        dictionary.removeAll(keepingCapacity: true)
        hasDictionary = false
    }

    /// Reads the next `count` rows into the vector; at most its capacity, and no more than the group has left.
    func read(_ count: Int) throws {
        vector.startBatch()
        try located { try fill(count) }
    }

    /// Goes forward to a row, over whole pages without unpacking them.
    ///
    /// - Parameter range: the rows that are wanted next; not before the row at hand.
    func seek(to range: Range<Int64>) throws {
        try located {
            if range.lowerBound - row >= pageRowsLeft {
                row += Int64(pageRowsLeft)
                pageRowsLeft = 0
                try jump(to: range)
                while row < range.lowerBound, pageRowsLeft == 0 { try openPage(skippingTo: range.lowerBound) }
            }
            while row < range.lowerBound {
                vector.startBatch()
                try fill(Int(min(range.lowerBound - row, Int64(vector.capacity))))
            }
        }
    }

    private func fill(_ count: Int) throws {
        var filled = 0
        while filled < count {
            if pageRowsLeft == 0 {
                try openPage(skippingTo: row)
                continue
            }
            let step = min(count - filled, pageRowsLeft)
            try decode(step, at: filled)
            filled += step
            pageRowsLeft -= step
            row += Int64(step)
        }
    }

    /// Decodes `count` rows of the page at hand into the rows of the vector from `start` on.
    private func decode(_ count: Int, at start: Int) throws {
        let valueCount = try decodePresence(count, at: start)
        let words = vector.words + start
        guard values != nil else { throw ParquetError(.malformed, "values before the first page") }
        try dictionary.withUnsafeBufferPointer {
            try values?.decode(into: words, count: valueCount, dictionary: $0, arena: &vector.arena)
        }
        if values?.isConverted == false { column.conversion.convert(words, count: valueCount) }
        if valueCount < count {
            vector.spread(from: start, rowCount: count, valueCount: valueCount)
            vector.addNulls(count - valueCount)
        }
    }

    /// - Returns: how many of the rows have a value.
    private func decodePresence(_ count: Int, at start: Int) throws -> Int {
        let presence = vector.presence + start
        guard column.isOptional else {
            presence.update(repeating: 1, count: count)
            return count
        }
        try levels?.decode(into: presence, count: count)
        var valueCount = 0
        for index in 0..<count { valueCount &+= Int(presence[index]) }
        return valueCount
    }

    /// Goes to the page of the first wanted row, if the index knows one further on.
    private func jump(to range: Range<Int64>) throws {
        guard let first = offsetIndex?.pages.first else { return }
        if let last = offsetIndex?.page(of: range.upperBound - 1) {
            window.readAheadEnd = Int(clamping: last.offset) + Int(last.compressedByteCount)
        }
        guard let target = offsetIndex?.page(of: range.lowerBound), target.firstRow > row else { return }
        if row == 0, first.offset > window.position { try openDictionary(before: Int(first.offset)) }
        window.seek(Int(target.offset))
        row = target.firstRow
    }

    /// Whatever goes wrong within `body` is of this column, at the page at hand.
    private func located<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as CodecError {
            throw ParquetError(.malformed, "column '\(column.name)', page at offset \(pageOffset): \(error)")
        } catch let error as ParquetError {
            throw ParquetError(error.code, "column '\(column.name)', page at offset \(pageOffset): \(error.detail)")
        }
    }

    /// A data page begins.
    func startPage(rowCount count: Int) throws(ParquetError) {
        guard Int64(count) <= rowCount - row else {
            throw ParquetError(.malformed, "\(count) values where \(rowCount - row) rows are left")
        }
        pageRowsLeft = count
    }
}

extension OffsetIndex {
    /// The page with a row; nil before the first. Rows ascend from page to page.
    fileprivate func page(of row: Int64) -> Page? {
        var (low, high) = (0, pages.count)
        while low < high {
            let middle = (low + high) / 2
            if pages[middle].firstRow <= row { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? pages[low - 1] : nil
    }
}

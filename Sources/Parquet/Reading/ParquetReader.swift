/// Limits and sizes of a reader.
package struct ParquetReaderOptions: Sendable {
    /// A page that unpacks to more is refused: a few bytes can claim 2 GiB.
    package var pageByteCountLimit = 256 << 20
    /// Byte strings of one column in one batch, or in its dictionary.
    package var batchByteCountLimit = 256 << 20
    /// Of a batch: small enough for the caches, large enough that a call costs nothing.
    package var batchRowCount = 8_192
    /// What is read at once, a column; as few round trips as memory allows where reading has some.
    package var windowByteCount = 1 << 20
    /// Of pages that have one.
    package var verifiesChecksums = true

    package init() {}
}

/// Reads Parquet files with a flat schema, and the flat columns of others, whoever wrote them, from anything that gives ranges of bytes.
///
/// Memory: for each column of a scan one window, one page, one dictionary and one batch; the file may be of any size. Bytes are not
/// trusted: damage gives an error, never a trap, and a page that unpacks to more than the limit is refused before it is unpacked.
///
/// Not read, each refused by name: nested and repeated columns, decimals, intervals, levels in BIT_PACKED, the codecs LZO and LZ4 (of
/// Hadoop), encryption.
/// Source: parquet-format, README.md, Encodings.md, Compression.md.
package struct ParquetReader {
    /// Gives the bytes at (offset, count) of the file, exactly.
    package typealias Read = (_ offset: Int, _ count: Int) throws -> [UInt8]

    package let footer: ParquetFooter
    /// The leaves of the schema, in order.
    package let columns: [ReadableColumn]
    let byteCount: Int
    let options: ParquetReaderOptions
    let read: Read

    /// Reads the footer.
    ///
    /// - Parameters:
    ///   - byteCount: length of the file.
    ///   - read: is kept, and called by scans, too.
    /// - Throws: `ParquetError.malformed`; what `read` throws.
    package init(byteCount: Int, options: ParquetReaderOptions = .init(), read: @escaping Read) throws {
        precondition(options.batchRowCount > 0 && options.windowByteCount > 0, "a batch has rows, a window bytes")
        self.byteCount = byteCount
        self.options = options
        self.read = read
        footer = try ParquetFooter.read(byteCount: byteCount, read)
        columns = footer.columns.enumerated().map { ReadableColumn($1, index: $0) }
        try checkRowGroups()
    }

    /// The first column of that name.
    package func column(named name: String) -> ReadableColumn? { columns.first { $0.name == name } }

    /// Reads some columns of some row groups, from the first row to the last.
    ///
    /// - Parameters:
    ///   - columns: positions in `columns`, in the order wanted for the batches.
    ///   - rowGroups: all when nil.
    ///   - conditions: rows that do not fulfil all of them are left out as far as statistics and indices tell; others may come as well.
    /// - Throws: `ParquetError.unsupported` for a column that cannot be read, with its name and the reason.
    package func scan(
        columns indices: [Int], rowGroups: Range<Int>? = nil, where conditions: [ParquetCondition] = []
    ) throws(ParquetError) -> ParquetScan {
        for index in indices + conditions.map(\.column) {
            precondition(columns.indices.contains(index), "no column \(index)")
            guard columns[index].kind != nil else {
                throw ParquetError(.unsupported, "column '\(columns[index].name)' \(columns[index].reason)")
            }
        }
        return ParquetScan(self, columns: indices.map { columns[$0] }, rowGroups ?? 0..<footer.rowGroups.count, conditions)
    }

    private func checkRowGroups() throws(ParquetError) {
        var total: Int64 = 0
        for (index, group) in footer.rowGroups.enumerated() {
            let (sum, isTooMany) = total.addingReportingOverflow(group.rowCount)
            guard group.rowCount >= 0, !isTooMany, group.chunks.count == columns.count else {
                throw ParquetError(.malformed, "row group \(index) has \(group.rowCount) rows and \(group.chunks.count) columns")
            }
            total = sum
        }
    }

    /// Bytes of a chunk's pages in the file.
    func range(of chunk: ParquetFooter.ColumnChunk) throws(ParquetError) -> Range<Int> {
        try range(offset: chunk.firstPageOffset, byteCount: chunk.compressedByteCount, "the pages")
    }

    /// - Parameter what: for the message.
    func range(offset: Int64, byteCount count: Int64, _ what: String) throws(ParquetError) -> Range<Int> {
        let (end, isTooFar) = offset.addingReportingOverflow(count)
        guard offset >= ParquetFooter.magic.count, count >= 0, !isTooFar, end <= byteCount - ParquetFooter.tailByteCount else {
            throw ParquetError(.malformed, "\(what) at offset \(offset) with \(count) bytes are not within a file of \(byteCount)")
        }
        return Int(offset)..<Int(end)
    }

    /// Reads what stands beside the pages: indices, filters.
    func bytes(offset: Int64, byteCount: Int64, _ what: String) throws -> [UInt8] {
        let place = try range(offset: offset, byteCount: byteCount, what)
        let bytes = try read(place.lowerBound, place.count)
        guard bytes.count == place.count else { throw ParquetError(.malformed, "the file ends before its metadata says so") }
        return bytes
    }
}

extension ParquetFooter.ColumnChunk {
    /// The dictionary's, if there is one. Some writers give its offset as 0 where there is none.
    var firstPageOffset: Int64 {
        if let dictionaryPageOffset, dictionaryPageOffset > 0, dictionaryPageOffset < dataPageOffset { return dictionaryPageOffset }
        return dataPageOffset
    }
}

import TelemetryCodec

/// Writes a Parquet file with a flat schema, row group by row group, to a sink of bytes.
///
/// The same rows in the same groups with the same options and the same libzstd give the same bytes.
/// Layout: `PAR1`; per row group its columns' pages, then their Bloom filters; all column indexes, all offset indexes; footer, footer
/// length, `PAR1`. Page indexes are held until the end: about 40 bytes a page and column.
package final class ParquetWriter {
    /// Takes bytes in file order; the buffer is valid during the call only.
    package typealias Sink = (UnsafeRawBufferPointer) throws -> Void

    private let options: ParquetWriterOptions
    private let sink: Sink
    private var encoder: ColumnChunkEncoder
    private var footer = ParquetFooter()
    /// By row group and column; their places are known at the end.
    private var columnIndexes: [[ColumnIndex?]] = []
    private var offsetIndexes: [[OffsetIndex]] = []
    /// Bytes given to the sink.
    package private(set) var byteCount = 0

    package init(schema: ParquetSchema, options: ParquetWriterOptions, sink: @escaping Sink) throws {
        self.options = options
        self.sink = sink
        encoder = ColumnChunkEncoder(options)
        footer.columns = schema.columns.map { .init(name: $0.name, type: $0.type, isOptional: $0.isOptional) }
        footer.keyValues = options.keyValues
        footer.createdBy = options.createdBy
        try put(ParquetFooter.magic)
    }

    /// Writes the buffer's rows as one row group and empties it. Without rows nothing is written.
    ///
    /// - Throws: `ParquetError.value` before anything is written; what the sink throws. The file is then worthless.
    package func write(_ buffer: inout RowGroupBuffer) throws {
        guard !buffer.isEmpty else { return }
        precondition(buffer.columns.allSatisfy { $0.rowCount == buffer.rowCount }, "columns of different length")
        try checkValues(of: buffer)
        var group = ParquetFooter.RowGroup()
        group.rowCount = Int64(buffer.rowCount)
        group.fileOffset = Int64(byteCount)
        group.sortingColumns = options.sortingColumns
        try writePages(of: buffer, &group)
        try writeBloomFilters(of: buffer, &group)
        footer.rowCount += group.rowCount
        footer.rowGroups.append(group)
        buffer.removeAll()
    }

    /// Writes page indexes and footer; nothing may follow.
    /// - Returns: the footer, as a reader must find it.
    package func finish() throws -> ParquetFooter {
        try writePageIndexes()
        var tail = footer.encoded()
        let length = UInt32(tail.count)
        tail += withUnsafeBytes(of: length.littleEndian) { Array($0) } + ParquetFooter.magic
        try put(tail)
        return footer
    }

    private func checkValues(of buffer: RowGroupBuffer) throws(ParquetError) {
        for column in buffer.columns where column.longestByteCount > options.valueByteCountLimit {
            throw ParquetError(
                .value,
                "column '\(column.column.name)' has a value of \(column.longestByteCount) bytes, above the limit of "
                    + "\(options.valueByteCountLimit)")
        }
    }

    private func writePages(of buffer: RowGroupBuffer, _ group: inout ParquetFooter.RowGroup) throws {
        var columnIndexes: [ColumnIndex?] = []
        var offsetIndexes: [OffsetIndex] = []
        for column in buffer.columns {
            let result = encoder.encode(column, fileOffset: Int64(byteCount))
            try encoder.bytes.withBytes(put)
            group.uncompressedByteCount += result.chunk.uncompressedByteCount
            group.compressedByteCount += result.chunk.compressedByteCount
            group.chunks.append(result.chunk)
            columnIndexes.append(result.columnIndex)
            offsetIndexes.append(result.offsetIndex)
        }
        self.columnIndexes.append(columnIndexes)
        self.offsetIndexes.append(offsetIndexes)
    }

    private func writeBloomFilters(of buffer: RowGroupBuffer, _ group: inout ParquetFooter.RowGroup) throws {
        for (index, column) in buffer.columns.enumerated() where options.bloomFilterColumns.contains(column.column.name) {
            guard let filter = BloomFilter(of: column) else { continue }
            var bytes = RawBuffer()
            filter.append(to: &bytes)
            group.chunks[index].bloomFilter = try put(bytes.withBytes { Array($0) })
        }
    }

    private func writePageIndexes() throws {
        for (group, indexes) in columnIndexes.enumerated() {
            for (column, index) in indexes.enumerated() {
                if let index { footer.rowGroups[group].chunks[column].columnIndex = try put(index.encoded()) }
            }
        }
        for (group, indexes) in offsetIndexes.enumerated() {
            for (column, index) in indexes.enumerated() {
                footer.rowGroups[group].chunks[column].offsetIndex = try put(index.encoded())
            }
        }
    }

    @discardableResult
    private func put(_ bytes: [UInt8]) throws -> ParquetFooter.FileRange {
        defer { byteCount += bytes.count }
        try bytes.withUnsafeBytes(sink)
        return .init(offset: Int64(byteCount), byteCount: Int32(bytes.count))
    }

    private func put(_ bytes: UnsafeRawBufferPointer) throws {
        try sink(bytes)
        byteCount += bytes.count
    }
}

extension BloomFilter {
    /// Of the column's values; nil if it has none, or booleans.
    fileprivate init?(of buffer: ColumnBuffer) {
        guard !buffer.words.isEmpty, buffer.column.type != .boolean else { return nil }
        if buffer.column.type.isByteArray {
            self.init(distinctCount: buffer.dictionary.count)
            for index in 0..<buffer.dictionary.count { insert(buffer.dictionary.withEntry(index) { XXHash64.hash($0) }) }
        } else {
            let words = Set(buffer.words)
            self.init(distinctCount: words.count)
            for word in words { insert(XXHash64.hash(word)) }
        }
    }
}

import TelemetryCodec

package struct ParquetWriterOptions: Sendable {
    package enum Encoding: Sendable {
        /// Dictionary for repeating strings, delta for integers and times.
        case compact
        /// PLAIN for everything: for readers that know nothing else.
        case plain
    }

    package var encoding = Encoding.compact
    /// zstd level (1...22).
    package var compressionLevel: Int32 = 3
    /// The caller's promise about the rows of every row group; readers skip by it.
    package var sortingColumns: [SortingColumn] = []
    /// Name of the writing program, by which readers know the quirks of old versions: `<application> version <x.y.z> (build <id>)`.
    package var createdBy: String
    package var keyValues: [KeyValue] = []

    package init(version: String, build: String) { createdBy = "gaugehouse version \(version) (build \(build))" }
}

/// Writes a Parquet file with a flat schema, row group by row group, to a sink of bytes.
///
/// The same rows in the same groups with the same options and the same libzstd give the same bytes.
/// Layout: `PAR1`, per row group and column its pages, footer, footer length, `PAR1`.
package final class ParquetWriter {
    /// Takes bytes in file order; the buffer is valid during the call only.
    package typealias Sink = (UnsafeRawBufferPointer) throws -> Void

    private let options: ParquetWriterOptions
    private let sink: Sink
    private var encoder: ColumnChunkEncoder
    private var footer = ParquetFooter()
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
    /// - Throws: what the sink throws; the file is then worthless.
    package func write(_ buffer: inout RowGroupBuffer) throws {
        guard !buffer.isEmpty else { return }
        precondition(buffer.columns.allSatisfy { $0.rowCount == buffer.rowCount }, "columns of different length")
        var group = ParquetFooter.RowGroup()
        group.rowCount = Int64(buffer.rowCount)
        group.fileOffset = Int64(byteCount)
        group.sortingColumns = options.sortingColumns
        for column in buffer.columns {
            let chunk = encoder.encode(column, fileOffset: Int64(byteCount))
            try encoder.bytes.withBytes(put)
            group.uncompressedByteCount += chunk.uncompressedByteCount
            group.compressedByteCount += chunk.compressedByteCount
            group.chunks.append(chunk)
        }
        footer.rowCount += group.rowCount
        footer.rowGroups.append(group)
        buffer.removeAll()
    }

    /// Writes the footer; nothing may follow.
    /// - Returns: the footer, as a reader must find it.
    package func finish() throws -> ParquetFooter {
        var tail = footer.encoded()
        let length = UInt32(tail.count)
        tail += withUnsafeBytes(of: length.littleEndian) { Array($0) } + ParquetFooter.magic
        try put(tail)
        return footer
    }

    private func put(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes(put) }

    private func put(_ bytes: UnsafeRawBufferPointer) throws {
        try sink(bytes)
        byteCount += bytes.count
    }
}

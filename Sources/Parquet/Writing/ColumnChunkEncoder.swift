import TelemetryCodec

/// Turns the column buffers of a row group into pages: [dictionary page] data pages, DataPage V1, each compressed and checksummed.
///
/// The buffers are reused from column to column.
struct ColumnChunkEncoder: ~Copyable {
    /// What is to be said about the pages in `bytes`.
    struct Result {
        var chunk = ParquetFooter.ColumnChunk()
        var columnIndex: ColumnIndex?
        var offsetIndex = OffsetIndex()
    }

    private let options: ParquetWriterOptions
    private let compressor: ZstdCompressor
    private var trial = EncodingTrial()
    private var page = RawBuffer(capacity: 1 << 16)
    private var levels = RawBuffer()
    private var compressed = RawBuffer(capacity: 1 << 16)
    /// The pages of the column encoded last.
    private(set) var bytes = RawBuffer(capacity: 1 << 16)

    init(_ options: ParquetWriterOptions) {
        self.options = options
        compressor = ZstdCompressor(level: options.compressionLevel)
    }

    /// Fills `bytes` with the pages of `buffer`.
    /// - Parameter fileOffset: where `bytes` will stand.
    mutating func encode(_ buffer: ColumnBuffer, fileOffset: Int64) -> Result {
        bytes.removeAll()
        let encoding = options.encoding == .plain ? .plain : trial.encoding(for: buffer, compressor)
        var result = Result()
        result.chunk.column = buffer.column.name
        result.chunk.physicalType = buffer.column.type.physicalType
        result.chunk.valueCount = Int64(buffer.rowCount)
        result.chunk.encodings = Self.encodings(used: encoding, buffer.column)
        if buffer.column.type.isByteArray { result.chunk.plainByteCount = Int64(buffer.stringByteCount) }
        if encoding == .rleDictionary {
            result.chunk.dictionaryPageOffset = fileOffset
            appendDictionaryPage(buffer, to: &result.chunk)
        }
        result.chunk.dataPageOffset = fileOffset + Int64(bytes.count)
        appendDataPages(buffer, encoding, fileOffset, to: &result)
        result.chunk.compressedByteCount = Int64(bytes.count)
        return result
    }

    /// What was used, levels and dictionary page included.
    private static func encodings(used: ParquetEncoding, _ column: ParquetColumn) -> [ParquetEncoding] {
        var encodings = used == .rleDictionary ? [.plain, used] : [used]
        if column.isOptional { encodings.append(.rle) }
        return encodings
    }

    private mutating func appendDictionaryPage(_ buffer: ColumnBuffer, to chunk: inout ParquetFooter.ColumnChunk) {
        page.removeAll()
        let count: Int
        if buffer.column.type.isByteArray {
            count = buffer.dictionary.count
            for index in 0..<count { page.appendPlain(buffer.dictionary, index) }
        } else {
            count = trial.dictionary.entries.count
            trial.dictionary.entries.withUnsafeBytes { page.append($0) }
        }
        appendPage(.dictionary, valueCount: count, .plain, to: &chunk)
        chunk.pageCounts.append(.init(page: .dictionary, encoding: .plain, count: 1))
    }

    private mutating func appendDataPages(
        _ buffer: ColumnBuffer, _ encoding: ParquetEncoding, _ fileOffset: Int64, to result: inout Result
    ) {
        var cutter = PageCutter(buffer, encoding)
        var index = PageIndexBuilder(buffer.column.type)
        var chunkBounds = ValueBounds()
        while let next = cutter.next(buffer) {
            page.removeAll()
            if buffer.column.isOptional { appendLevels(buffer, next) }
            appendValues(buffer, next.words, encoding)
            let start = bytes.count
            appendPage(.data, valueCount: next.rows.count, encoding, to: &result.chunk)
            let bounds = buffer.words.withUnsafeBufferPointer {
                ValueBounds(UnsafeBufferPointer(rebasing: $0[next.words]), of: buffer)
            }
            chunkBounds.merge(bounds, of: buffer)
            let location = OffsetIndex.Page(
                offset: fileOffset + Int64(start), compressedByteCount: Int32(bytes.count - start), firstRow: Int64(next.rows.lowerBound))
            index.add(next, at: location, bounds, buffer)
        }
        result.chunk.pageCounts.append(.init(page: .data, encoding: encoding, count: Int32(index.offsetIndex.pages.count)))
        result.chunk.statistics = ColumnStatistics(chunkBounds, of: buffer)
        (result.offsetIndex, result.columnIndex) = (index.offsetIndex, index.finishedColumnIndex())
    }

    /// One 4-byte length for the page, then the hybrid at width 1.
    private mutating func appendLevels(_ buffer: ColumnBuffer, _ range: PageCutter.Page) {
        levels.removeAll()
        if range.words.isEmpty || range.words.count == range.rows.count {
            RunLengthEncoding.appendRun(range.words.isEmpty ? 0 : 1 as UInt8, count: range.rows.count, 1, &levels)
        } else {
            buffer.levels.withUnsafeBufferPointer {
                RunLengthEncoding.append(UnsafeBufferPointer(rebasing: $0[range.rows]), bitWidth: 1, to: &levels)
            }
        }
        page.append(fixed: UInt32(levels.count))
        levels.withBytes { page.append($0) }
    }

    private mutating func appendValues(_ buffer: ColumnBuffer, _ range: Range<Int>, _ encoding: ParquetEncoding) {
        let isByteArray = buffer.column.type.isByteArray
        if encoding == .rleDictionary, !isByteArray {
            trial.dictionary.indices.withUnsafeBufferPointer {
                page.append(indices: UnsafeBufferPointer(rebasing: $0[range]), entryCount: trial.dictionary.entries.count)
            }
            return
        }
        buffer.words.withUnsafeBufferPointer {
            let words = UnsafeBufferPointer(rebasing: $0[range])
            switch (encoding, buffer.column.type) {
            case (.rleDictionary, _): page.append(indices: words, entryCount: buffer.dictionary.count)
            case (_, .boolean): page.append(packed: words, bitWidth: 1)
            case (_, .string), (_, .binary): for word in words { page.appendPlain(buffer.dictionary, Int(word)) }
            default: page.append(words, as: encoding)
            }
        }
    }

    /// Compresses `page` and appends header and body to `bytes`.
    private mutating func appendPage(
        _ type: PageType, valueCount: Int, _ encoding: ParquetEncoding, to chunk: inout ParquetFooter.ColumnChunk
    ) {
        compressed.removeAll()
        _ = page.withBytes { compressor.compress($0, into: &compressed) }
        let checksum = compressed.withBytes { PageChecksum.crc32($0) }
        var header = ThriftWriter()
        let (pageByteCount, compressedByteCount) = (page.count, compressed.count)
        header.element { writer in
            writer.i32(1, type.rawValue)
            writer.i32(2, Int32(pageByteCount))
            writer.i32(3, Int32(compressedByteCount))
            writer.i32(4, Int32(bitPattern: checksum))
            switch type {
            case .dictionary: writer.structure(7) { Self.encodeDictionaryHeader(&$0, valueCount, encoding) }
            default: writer.structure(5) { Self.encodeDataHeader(&$0, valueCount, encoding) }
            }
        }
        header.bytes.withBytes { bytes.append($0) }
        compressed.withBytes { bytes.append($0) }
        chunk.uncompressedByteCount += Int64(header.bytes.count + page.count)
    }

    private static func encodeDataHeader(_ writer: inout ThriftWriter, _ valueCount: Int, _ encoding: ParquetEncoding) {
        writer.i32(1, Int32(valueCount))
        writer.i32(2, encoding.rawValue)
        writer.i32(3, ParquetEncoding.rle.rawValue)  // definition levels
        writer.i32(4, ParquetEncoding.rle.rawValue)  // repetition levels: none, but the field is required
    }

    private static func encodeDictionaryHeader(_ writer: inout ThriftWriter, _ valueCount: Int, _ encoding: ParquetEncoding) {
        writer.i32(1, Int32(valueCount))
        writer.i32(2, encoding.rawValue)
    }
}

extension ColumnStatistics {
    fileprivate init(_ bounds: ValueBounds, of buffer: ColumnBuffer) {
        nullCount = Int64(buffer.nullCount)
        if buffer.column.type == .double { nanCount = Int64(bounds.nanCount) }
        guard let encoded = EncodedBounds(bounds, of: buffer) else { return }
        (minimum, maximum) = (encoded.minimum, encoded.maximum)
        (minimumIsExact, maximumIsExact) = (encoded.minimumIsExact, encoded.maximumIsExact)
    }
}

extension RawBuffer {
    /// PLAIN of a byte string: 4-byte length and bytes.
    fileprivate mutating func appendPlain(_ dictionary: ByteDictionary, _ index: Int) {
        dictionary.withEntry(index) {
            append(fixed: UInt32($0.count))
            append($0)
        }
    }
}

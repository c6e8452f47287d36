import TelemetryCodec

/// Turns the column buffers of a row group into pages: [dictionary page] data pages, DataPage V1, each compressed and checksummed.
///
/// The buffers are reused from column to column.
struct ColumnChunkEncoder: ~Copyable {
    /// Rows of a data page: small enough to skip by, large enough to compress.
    static let pageRowCount = 20_000
    /// Above this a dictionary page costs readers more than it saves; the chunk falls back to PLAIN.
    static let dictionaryByteCountLimit = 1 << 20

    private let options: ParquetWriterOptions
    private let compressor: ZstdCompressor
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
    mutating func encode(_ buffer: ColumnBuffer, fileOffset: Int64) -> ParquetFooter.ColumnChunk {
        bytes.removeAll()
        let encoding = encoding(for: buffer)
        var chunk = ParquetFooter.ColumnChunk()
        chunk.column = buffer.column.name
        chunk.physicalType = buffer.column.type.physicalType
        chunk.valueCount = Int64(buffer.rowCount)
        chunk.statistics = ColumnStatistics(buffer)
        if encoding == .rleDictionary {
            chunk.dictionaryPageOffset = fileOffset
            appendDictionaryPage(buffer.dictionary, to: &chunk)
        }
        chunk.dataPageOffset = fileOffset + Int64(bytes.count)
        appendDataPages(buffer, encoding, to: &chunk)
        chunk.compressedByteCount = Int64(bytes.count)
        chunk.encodings = Self.encodings(used: encoding, buffer.column)
        return chunk
    }

    private func encoding(for buffer: ColumnBuffer) -> ParquetEncoding {
        guard options.encoding == .compact else { return .plain }
        switch buffer.column.type {
        case .int64, .timestampMicrosUTC: return buffer.words.isEmpty ? .plain : .deltaBinaryPacked
        case .double, .boolean: return .plain
        case .string, .binary: return isDictionaryWorthIt(buffer) ? .rleDictionary : .plain
        }
    }

    private func isDictionaryWorthIt(_ buffer: ColumnBuffer) -> Bool {
        let dictionary = buffer.dictionary
        let dictionaryByteCount = dictionary.bytes.count + 4 * dictionary.count
        let indexByteCount = buffer.words.count * Self.indexBitWidth(dictionary) / 8
        return dictionary.count > 0 && dictionaryByteCount <= Self.dictionaryByteCountLimit
            && dictionaryByteCount + indexByteCount < buffer.plainByteCount
    }

    /// Width 0 would do for a single entry, but not every reader knows it.
    private static func indexBitWidth(_ dictionary: ByteDictionary) -> Int { max(1, bitWidth(of: UInt64(max(1, dictionary.count) - 1))) }

    /// What was used, levels and dictionary page included.
    private static func encodings(used: ParquetEncoding, _ column: ParquetColumn) -> [ParquetEncoding] {
        var encodings = used == .rleDictionary ? [.plain, used] : [used]
        if column.isOptional { encodings.append(.rle) }
        return encodings
    }

    private mutating func appendDictionaryPage(_ dictionary: ByteDictionary, to chunk: inout ParquetFooter.ColumnChunk) {
        page.removeAll()
        for index in 0..<dictionary.count { page.appendPlain(dictionary, index) }
        appendPage(.dictionary, valueCount: dictionary.count, .plain, to: &chunk)
        chunk.pageCounts.append(.init(page: .dictionary, encoding: .plain, count: 1))
    }

    private mutating func appendDataPages(
        _ buffer: ColumnBuffer, _ encoding: ParquetEncoding, to chunk: inout ParquetFooter.ColumnChunk
    ) {
        var pageCount: Int32 = 0
        var firstWord = 0
        for firstRow in stride(from: 0, to: buffer.rowCount, by: Self.pageRowCount) {
            let rows = firstRow..<min(firstRow + Self.pageRowCount, buffer.rowCount)
            page.removeAll()
            let wordCount = appendLevels(buffer, rows)
            appendValues(buffer, firstWord..<(firstWord + wordCount), encoding)
            firstWord += wordCount
            appendPage(.data, valueCount: rows.count, encoding, to: &chunk)
            pageCount += 1
        }
        chunk.pageCounts.append(.init(page: .data, encoding: encoding, count: pageCount))
    }

    /// Optional columns: one 4-byte length for the page, then the hybrid at width 1. Required columns: nothing.
    /// - Returns: number of values in `rows`.
    private mutating func appendLevels(_ buffer: ColumnBuffer, _ rows: Range<Int>) -> Int {
        guard buffer.column.isOptional else { return rows.count }
        levels.removeAll()
        let valueCount = buffer.levels.withUnsafeBufferPointer { all in
            let rowLevels = UnsafeBufferPointer(rebasing: all[rows])
            RunLengthEncoding.append(rowLevels, bitWidth: 1, to: &levels)
            return rowLevels.reduce(0) { $0 + Int($1) }
        }
        page.append(fixed: UInt32(levels.count))
        page.append(levels)
        return valueCount
    }

    private mutating func appendValues(_ buffer: ColumnBuffer, _ range: Range<Int>, _ encoding: ParquetEncoding) {
        buffer.words.withUnsafeBufferPointer { words in
            let words = UnsafeBufferPointer(rebasing: words[range])
            switch encoding {
            case .deltaBinaryPacked: DeltaBinaryPacked.append(words, to: &page)
            case .rleDictionary:
                let bitWidth = Self.indexBitWidth(buffer.dictionary)
                page.append(UInt8(bitWidth))
                RunLengthEncoding.append(words, bitWidth: bitWidth, to: &page)
            default: appendPlain(words, buffer)
            }
        }
    }

    private mutating func appendPlain(_ words: UnsafeBufferPointer<UInt64>, _ buffer: ColumnBuffer) {
        switch buffer.column.type {
        case .int64, .timestampMicrosUTC, .double: page.append(littleEndian: words)
        case .boolean: page.append(packed: words, bitWidth: 1)
        case .string, .binary: for word in words { page.appendPlain(buffer.dictionary, Int(word)) }
        }
    }

    /// Compresses `page` and appends header and body to `bytes`.
    private mutating func appendPage(
        _ type: PageType, valueCount: Int, _ encoding: ParquetEncoding, to chunk: inout ParquetFooter.ColumnChunk
    ) {
        compressPage()
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
        bytes.append(header.bytes)
        bytes.append(compressed)
        chunk.uncompressedByteCount += Int64(header.bytes.count + page.count)
    }

    private mutating func compressPage() {
        compressed.removeAll()
        _ = page.withBytes { compressor.compress($0, into: &compressed) }
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

extension RawBuffer {
    /// PLAIN of a byte string: 4-byte length and bytes.
    fileprivate mutating func appendPlain(_ dictionary: ByteDictionary, _ index: Int) {
        let range = dictionary.range(index)
        append(fixed: UInt32(range.count))
        dictionary.bytes.withUnsafeBytes { append(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    /// PLAIN of words; every platform of Swift is little-endian, so they stand as they are.
    fileprivate mutating func append(littleEndian words: UnsafeBufferPointer<UInt64>) { append(UnsafeRawBufferPointer(words)) }

    fileprivate mutating func append(_ other: borrowing RawBuffer) { other.withBytes { append($0) } }
}

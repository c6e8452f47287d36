import TelemetryCodec

/// From the bytes of a chunk to decoders of its pages.
extension ColumnCursor {
    /// Longer than the header of any page is with statistics in it.
    private static let headerByteCountLimit = 16 << 20

    /// Opens the next data page, or passes over it when all its rows stand before `target`. May pass over other pages, and may open one
    /// without rows.
    func openPage(skippingTo target: Int64) throws {
        pageOffset = window.position
        let header = try readHeader()
        switch header.type {
        case .dictionary: try openDictionary(header)
        case .data, .dataV2:
            if Int64(header.valueCount) <= target - row {
                try skipBody(header)
                try startPage(rowCount: header.valueCount)
                row += Int64(header.valueCount)
                pageRowsLeft = 0
            } else {
                try openData(header)
            }
        // Pages of kinds to come may be passed over.
        case .index, nil: try skipBody(header)
        }
    }

    /// Opens the dictionary page that stands before the first data page, if one does.
    ///
    /// - Parameter firstDataPage: offset in the file.
    func openDictionary(before firstDataPage: Int) throws {
        let readAheadEnd = window.readAheadEnd
        window.readAheadEnd = firstDataPage
        defer { window.readAheadEnd = readAheadEnd }
        pageOffset = window.position
        let header = try readHeader()
        guard header.type == .dictionary else { throw ParquetError(.malformed, "no dictionary before the first data page") }
        try openDictionary(header)
    }

    /// Its length is not known before it is read: more bytes are tried until there are enough.
    private func readHeader() throws -> PageHeader {
        let limit = min(window.remaining, Self.headerByteCountLimit)
        var count = min(256, limit)
        while true {
            try window.require(count)
            var reader = ThriftReader(window.withNext(count) { Array($0) })
            let header: PageHeader
            do {
                header = try PageHeader(decoding: &reader)
            } catch {
                guard count < limit else { throw error }
                count = min(count * 8, limit)
                continue
            }
            window.skip(reader.position)
            return header
        }
    }

    private func skipBody(_ header: PageHeader) throws {
        guard header.compressedByteCount <= window.remaining else {
            throw ParquetError(.malformed, "\(header.compressedByteCount) bytes where the column chunk has \(window.remaining)")
        }
        window.skip(header.compressedByteCount)
    }

    /// Calls `body` with the page's bytes, once they are known to be sound, and goes behind them.
    private func withBody(_ header: PageHeader, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let limit = reader.options.pageByteCountLimit
        guard max(header.byteCount, header.compressedByteCount) <= limit else {
            throw ParquetError(.tooLarge, "a page of \(max(header.byteCount, header.compressedByteCount)) bytes; the limit is \(limit)")
        }
        try window.require(header.compressedByteCount)
        try window.withNext(header.compressedByteCount) { bytes in
            if reader.options.verifiesChecksums, let checksum = header.checksum, PageChecksum.crc32(bytes) != checksum {
                throw ParquetError(.malformed, "its checksum does not fit")
            }
            try body(bytes)
        }
        window.skip(header.compressedByteCount)
    }

    private func openDictionary(_ header: PageHeader) throws {
        guard !hasDictionary, row == 0 else { throw ParquetError(.malformed, "a second dictionary, or a late one") }
        guard header.encoding == .plain || header.encoding == .plainDictionary, column.stored.physicalType != .boolean else {
            throw ParquetError(.unsupported, "a dictionary of \(column.stored.physicalType) in encoding number \(header.encodingNumber)")
        }
        try withBody(header) { try unpack($0, byteCount: header.byteCount, isCompressed: true) }
        // Words take memory that the page must account for.
        guard header.valueCount <= page.count / column.stored.leastByteCount else { throw CodecError.truncated }
        dictionary = [UInt64](repeating: 0, count: header.valueCount)
        var decoder = PlainDecoder(page.padded, column.stored.physicalType, byteWidth: column.stored.byteWidth)
        try dictionary.withUnsafeMutableBufferPointer { words in
            guard let words = words.baseAddress, header.valueCount > 0 else { return }
            try decoder.decode(into: words, count: header.valueCount, arena: &vector.arena)
            column.conversion.convert(words, count: header.valueCount)
        }
        vector.arena.endDictionary()
        hasDictionary = true
    }

    private func openData(_ header: PageHeader) throws {
        guard let encoding = header.encoding else {
            throw ParquetError(.unsupported, "encoding number \(header.encodingNumber)")
        }
        if encoding == .rleDictionary || encoding == .plainDictionary, !hasDictionary {
            throw ParquetError(.malformed, "numbers of a dictionary that is not there")
        }
        (levels, values) = (nil, nil)
        let input = header.type == .dataV2 ? try unpackV2(header) : try unpackV1(header)
        values = try ValueDecoder(encoding, input, column.stored)
        try startPage(rowCount: header.valueCount)
    }

    /// - Parameter isCompressed: false: whatever the chunk's codec.
    private func unpack(_ bytes: UnsafeRawBufferPointer, byteCount: Int, isCompressed: Bool) throws {
        let codec = isCompressed ? chunk.codec : .uncompressed
        try page.replace(count: byteCount) { try decompressor.decompress(bytes, codec, into: $0) }
    }

    /// Levels and values are compressed together; a length stands before the levels.
    private func unpackV1(_ header: PageHeader) throws -> PaddedBytes {
        try withBody(header) { try unpack($0, byteCount: header.byteCount, isCompressed: true) }
        guard column.isOptional else { return page.padded }
        guard header.levelEncoding == ParquetEncoding.rle.rawValue else {
            throw ParquetError(.unsupported, "levels in encoding number \(header.levelEncoding), where 3 (RLE) is known")
        }
        var cursor = ByteCursor(page.padded.bytes)
        let byteCount = Int(try cursor.fixed(UInt32.self))
        let rest = try page.padded.suffix(from: cursor.offset)
        levels = try HybridDecoder(try rest.prefix(byteCount), width: 1)
        return try rest.suffix(from: byteCount)
    }

    /// Levels stand first, not compressed, without lengths; the header's sizes include them.
    private func unpackV2(_ header: PageHeader) throws -> PaddedBytes {
        let (repetition, definition) = (header.repetitionLevelByteCount, header.definitionLevelByteCount)
        let levelByteCount = repetition + definition
        guard levelByteCount <= min(header.byteCount, header.compressedByteCount) else { throw CodecError.malformed }
        try withBody(header) { bytes in
            levelBytes.replace(count: definition) {
                $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[repetition..<levelByteCount]))
            }
            let values = UnsafeRawBufferPointer(rebasing: bytes[levelByteCount...])
            try unpack(values, byteCount: header.byteCount - levelByteCount, isCompressed: header.isCompressed)
        }
        if column.isOptional { levels = try HybridDecoder(levelBytes.padded, width: 1) }
        return page.padded
    }
}

extension ParquetFooter {
    static let magic: [UInt8] = Array("PAR1".utf8)
    /// Metadata length (4 bytes) and magic.
    static let tailByteCount = 8
    /// Far above any real footer; keeps a damaged length from asking for all memory.
    private static let byteCountLimit = 256 << 20

    /// Reads the footer of a file.
    ///
    /// - Parameter byteCount: length of the file.
    /// - Parameter read: gives the bytes at (offset, count), exactly.
    /// - Throws: `ParquetError.malformed`; what `read` throws.
    package static func read(byteCount: Int, _ read: (Int, Int) throws -> [UInt8]) throws -> ParquetFooter {
        guard byteCount >= magic.count + tailByteCount else { throw ParquetError(.malformed, "\(byteCount) bytes are no Parquet file") }
        guard try read(0, magic.count) == magic else { throw ParquetError(.malformed, "no PAR1 at the start") }
        let tail = try read(byteCount - tailByteCount, tailByteCount)
        guard tail.count == tailByteCount, Array(tail[4...]) == magic else { throw ParquetError(.malformed, "no PAR1 at the end") }
        let length = tail[..<4].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= min(byteCount - magic.count - tailByteCount, byteCountLimit) else {
            throw ParquetError(.malformed, "footer of \(length) bytes in a file of \(byteCount)")
        }
        return try ParquetFooter(decoding: try read(byteCount - tailByteCount - length, length))
    }

    /// - Parameter bytes: the thrift bytes of FileMetaData.
    package init(decoding bytes: [UInt8]) throws(ParquetError) {
        var reader = ThriftReader(bytes)
        var hasColumnOrders = false
        try reader.structure { reader, field, type throws(ParquetError) in
            switch field {
            case 2: columns = try Self.decodeSchema(&reader)
            case 3: rowCount = try reader.integer(type)
            case 4:
                try reader.list { reader, _ throws(ParquetError) in rowGroups.append(try RowGroup(decoding: &reader)) }
            case 5:
                try reader.list { reader, _ throws(ParquetError) in keyValues.append(try KeyValue(decoding: &reader)) }
            case 6: createdBy = try reader.string(type)
            case 7:
                hasColumnOrders = true
                try reader.skip(type)
            default: try reader.skip(type)
            }
        }
        if !hasColumnOrders { forgetBounds() }
        guard rowGroups.reduce(0, { $0 &+ $1.rowCount }) == rowCount else {
            throw ParquetError(.malformed, "the row groups do not add up to \(rowCount) rows")
        }
    }

    /// Without an order of its column, a least and a greatest value mean nothing.
    private mutating func forgetBounds() {
        for group in rowGroups.indices {
            for chunk in rowGroups[group].chunks.indices {
                rowGroups[group].chunks[chunk].statistics.minimum = nil
                rowGroups[group].chunks[chunk].statistics.maximum = nil
            }
        }
    }

    private static func decodeSchema(_ reader: inout ThriftReader) throws(ParquetError) -> [Column] {
        var elements: [SchemaElement] = []
        try reader.list { reader, _ throws(ParquetError) in elements.append(try SchemaElement(decoding: &reader)) }
        return try SchemaElement.leaves(elements)
    }
}

extension KeyValue {
    fileprivate init(decoding reader: inout ThriftReader) throws(ParquetError) {
        self.init("", "")
        try reader.structure { reader, field, type throws(ParquetError) in
            switch field {
            case 1: key = try reader.string(type)
            case 2: value = try reader.string(type)
            default: try reader.skip(type)
            }
        }
    }
}

extension ParquetFooter.RowGroup {
    fileprivate init(decoding reader: inout ThriftReader) throws(ParquetError) {
        self.init()
        try reader.structure { reader, field, type throws(ParquetError) in
            switch field {
            case 1:
                try reader.list { reader, _ throws(ParquetError) in chunks.append(try ParquetFooter.ColumnChunk(decoding: &reader)) }
            case 2: uncompressedByteCount = try reader.integer(type)
            case 3: rowCount = try reader.integer(type)
            case 4:
                try reader.list { reader, _ throws(ParquetError) in sortingColumns.append(try SortingColumn(decoding: &reader)) }
            case 5: fileOffset = try reader.integer(type)
            case 6: compressedByteCount = try reader.integer(type)
            default: try reader.skip(type)
            }
        }
    }
}

extension SortingColumn {
    fileprivate init(decoding reader: inout ThriftReader) throws(ParquetError) {
        self.init(column: 0, isDescending: false)
        try reader.structure { reader, field, type throws(ParquetError) in
            switch field {
            case 1: column = Int(try reader.int32(type))
            case 2: isDescending = try reader.boolean(type)
            case 3: nullsFirst = try reader.boolean(type)
            default: try reader.skip(type)
            }
        }
    }
}

extension ParquetFooter.ColumnChunk {
    fileprivate init(decoding reader: inout ThriftReader) throws(ParquetError) {
        self.init()
        try reader.structure { reader, field, type throws(ParquetError) in
            switch field {
            case 3: try decodeMetadata(&reader)
            case 4: offsetIndex.setOffset(try reader.integer(type))
            case 5: offsetIndex.setByteCount(try reader.int32(type))
            case 6: columnIndex.setOffset(try reader.integer(type))
            case 7: columnIndex.setByteCount(try reader.int32(type))
            default: try reader.skip(type)
            }
        }
    }

    private mutating func decodeMetadata(_ reader: inout ThriftReader) throws(ParquetError) {
        try reader.structure { reader, field, type throws(ParquetError) in
            switch field {
            case 1: physicalType = try reader.enumeration(type)
            case 2:
                try reader.list { reader, type throws(ParquetError) in
                    // One that is newer than this program matters only to who reads the column's pages.
                    if let encoding = ParquetEncoding(rawValue: try reader.int32(type)) { encodings.append(encoding) }
                }
            case 3:
                try reader.list { reader, type throws(ParquetError) in column = try reader.string(type) }
            case 4: codec = try reader.enumeration(type)
            case 5: valueCount = try reader.integer(type)
            case 6: uncompressedByteCount = try reader.integer(type)
            case 7: compressedByteCount = try reader.integer(type)
            case 9: dataPageOffset = try reader.integer(type)
            case 11: dictionaryPageOffset = try reader.integer(type)
            case 12: statistics = try ColumnStatistics(decoding: &reader)
            case 13:
                try reader.list { reader, _ throws(ParquetError) in
                    if let pages = try ParquetFooter.PageCount(decoding: &reader) { pageCounts.append(pages) }
                }
            case 14: bloomFilter.setOffset(try reader.integer(type))
            case 15: bloomFilter.setByteCount(try reader.int32(type))
            case 16: try decodeSizes(&reader)
            default: try reader.skip(type)
            }
        }
    }

    private mutating func decodeSizes(_ reader: inout ThriftReader) throws(ParquetError) {
        try reader.structure { reader, field, type throws(ParquetError) in
            if field == 1 { plainByteCount = try reader.integer(type) } else { try reader.skip(type) }
        }
    }
}

extension ParquetFooter.FileRange? {
    /// Offset and length are two fields; a length that is missing is 0.
    fileprivate mutating func setOffset(_ offset: Int64) { self = .init(offset: offset, byteCount: self?.byteCount ?? 0) }

    fileprivate mutating func setByteCount(_ byteCount: Int32) { self = .init(offset: self?.offset ?? 0, byteCount: byteCount) }
}

extension ParquetFooter.PageCount {
    /// Nil: pages of a kind or encoding that is newer than this program.
    fileprivate init?(decoding reader: inout ThriftReader) throws(ParquetError) {
        var (page, encoding): (PageType?, ParquetEncoding?) = (nil, nil)
        var count: Int32 = 0
        try reader.structure { reader, field, type throws(ParquetError) in
            switch field {
            case 1: page = PageType(rawValue: try reader.int32(type))
            case 2: encoding = ParquetEncoding(rawValue: try reader.int32(type))
            case 3: count = try reader.int32(type)
            default: try reader.skip(type)
            }
        }
        guard let page, let encoding else { return nil }
        self.init(page: page, encoding: encoding, count: count)
    }
}

extension ColumnStatistics {
    fileprivate init(decoding reader: inout ThriftReader) throws(ParquetError) {
        self.init()
        try reader.structure { reader, field, type throws(ParquetError) in
            switch field {
            case 3: nullCount = try reader.integer(type)
            case 5: maximum = try reader.binary(type)
            case 6: minimum = try reader.binary(type)
            case 7: maximumIsExact = try reader.boolean(type)
            case 8: minimumIsExact = try reader.boolean(type)
            case 9: nanCount = try reader.integer(type)
            default: try reader.skip(type)
            }
        }
    }
}

extension ThriftReader {
    fileprivate mutating func enumeration<Value: RawRepresentable<Int32>>(_ type: ThriftType) throws(ParquetError) -> Value {
        let number = try int32(type)
        guard let value = Value(rawValue: number) else { throw ParquetError(.malformed, "thrift: no \(Value.self) has number \(number)") }
        return value
    }
}

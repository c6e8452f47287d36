extension ParquetFooter {
    /// The thrift bytes of FileMetaData.
    package func encoded() -> [UInt8] {
        var writer = ThriftWriter()
        writer.element { encode(to: &$0) }
        return writer.bytes.copy
    }

    private func encode(to writer: inout ThriftWriter) {
        // Version 2: the file uses encodings and logical types of format 2.
        writer.i32(1, 2)
        writer.list(2, of: .structure, count: columns.count + 1)
        writer.element { root in
            root.string(4, "schema")
            root.i32(5, Int32(columns.count))
        }
        for column in columns { writer.element { column.encode(to: &$0) } }
        writer.i64(3, rowCount)
        writer.list(4, of: .structure, count: rowGroups.count)
        for (ordinal, group) in rowGroups.enumerated() { writer.element { group.encode(ordinal: ordinal, to: &$0) } }
        if !keyValues.isEmpty {
            writer.list(5, of: .structure, count: keyValues.count)
            for pair in keyValues {
                writer.element {
                    $0.string(1, pair.key)
                    $0.string(2, pair.value)
                }
            }
        }
        writer.string(6, createdBy)
        // Without an order per leaf, min_value and max_value mean nothing: TypeDefinedOrder, member 1 of ColumnOrder.
        writer.list(7, of: .structure, count: columns.count)
        for _ in columns { writer.element { $0.structure(1) { _ in } } }
    }
}

extension ParquetFooter.Column {
    fileprivate func encode(to writer: inout ThriftWriter) {
        guard let type else { preconditionFailure("a column that is written has a type") }
        writer.i32(1, type.physicalType.rawValue)
        writer.i32(3, isOptional ? 1 : 0)
        writer.string(4, name)
        if let converted = type.convertedType { writer.i32(6, converted.rawValue) }
        switch type {
        case .string: writer.structure(10) { $0.structure(LogicalType.string) { _ in } }
        case .timestampMicrosUTC: writer.structure(10) { $0.structure(LogicalType.timestamp, Self.encodeTimestamp) }
        case .int64, .double, .boolean, .binary: break
        }
    }

    private static func encodeTimestamp(to writer: inout ThriftWriter) {
        writer.boolean(1, true)  // isAdjustedToUTC
        writer.structure(2) { $0.structure(2) { _ in } }  // unit: MICROS
    }
}

extension ParquetFooter.RowGroup {
    fileprivate func encode(ordinal: Int, to writer: inout ThriftWriter) {
        writer.list(1, of: .structure, count: chunks.count)
        for chunk in chunks { writer.element { chunk.encode(to: &$0) } }
        writer.i64(2, uncompressedByteCount)
        writer.i64(3, rowCount)
        if !sortingColumns.isEmpty {
            writer.list(4, of: .structure, count: sortingColumns.count)
            for column in sortingColumns {
                writer.element {
                    $0.i32(1, Int32(column.column))
                    $0.boolean(2, column.isDescending)
                    $0.boolean(3, column.nullsFirst)
                }
            }
        }
        writer.i64(5, fileOffset)
        writer.i64(6, compressedByteCount)
        if let ordinal = Int16(exactly: ordinal) { writer.i16(7, ordinal) }
    }
}

extension ParquetFooter.ColumnChunk {
    fileprivate func encode(to writer: inout ThriftWriter) {
        // file_offset: deprecated, 0 by the specification.
        writer.i64(2, 0)
        writer.structure(3, encodeMetadata)
        if let offsetIndex {
            writer.i64(4, offsetIndex.offset)
            writer.i32(5, offsetIndex.byteCount)
        }
        if let columnIndex {
            writer.i64(6, columnIndex.offset)
            writer.i32(7, columnIndex.byteCount)
        }
    }

    private func encodeMetadata(to writer: inout ThriftWriter) {
        writer.i32(1, physicalType.rawValue)
        writer.list(2, of: .i32, count: encodings.count)
        for encoding in encodings { writer.element(encoding.rawValue) }
        writer.list(3, of: .binary, count: 1)
        writer.element(Array(column.utf8))
        writer.i32(4, codec.rawValue)
        writer.i64(5, valueCount)
        writer.i64(6, uncompressedByteCount)
        writer.i64(7, compressedByteCount)
        writer.i64(9, dataPageOffset)
        if let dictionaryPageOffset { writer.i64(11, dictionaryPageOffset) }
        writer.structure(12, statistics.encode)
        writer.list(13, of: .structure, count: pageCounts.count)
        for pages in pageCounts {
            writer.element {
                $0.i32(1, pages.page.rawValue)
                $0.i32(2, pages.encoding.rawValue)
                $0.i32(3, pages.count)
            }
        }
        if let bloomFilter {
            writer.i64(14, bloomFilter.offset)
            writer.i32(15, bloomFilter.byteCount)
        }
        // Level histograms may be left out where the greatest level is 1: the null count says the same.
        if let plainByteCount { writer.structure(16) { $0.i64(1, plainByteCount) } }
    }
}

extension ColumnStatistics {
    /// Never the deprecated min and max (1, 2), whose order is undefined.
    fileprivate func encode(to writer: inout ThriftWriter) {
        writer.i64(3, nullCount)
        if let minimum, let maximum {
            writer.binary(5, maximum)
            writer.binary(6, minimum)
            writer.boolean(7, maximumIsExact)
            writer.boolean(8, minimumIsExact)
        }
        if let nanCount { writer.i64(9, nanCount) }
    }
}

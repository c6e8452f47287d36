import TelemetryCodec

/// Where the data pages of a column chunk stand, and their first rows.
///
/// Source: parquet-format, PageIndex.md; parquet.thrift, OffsetIndex.
package struct OffsetIndex: Sendable, Equatable {
    package struct Page: Sendable, Equatable {
        /// In the file.
        package var offset: Int64
        /// Header included.
        package var compressedByteCount: Int32
        /// In the row group.
        package var firstRow: Int64

        package init(offset: Int64, compressedByteCount: Int32, firstRow: Int64) {
            self.offset = offset
            self.compressedByteCount = compressedByteCount
            self.firstRow = firstRow
        }
    }

    package var pages: [Page] = []
    /// Byte-string columns only, one a page: bytes of the values, lengths not included.
    package var plainByteCounts: [Int64]?

    package init() {}
}

/// What the values of each data page of a column chunk lie between. All lists have one element a page.
///
/// Source: parquet-format, PageIndex.md; parquet.thrift, ColumnIndex.
package struct ColumnIndex: Sendable, Equatable {
    /// On disk, by parquet.thrift: never renumber.
    package enum BoundaryOrder: Int32, Sendable { case unordered = 0, ascending, descending }

    /// Pages of nulls alone; their bounds are empty and mean nothing.
    package var isNullPage: [Bool] = []
    /// PLAIN bytes without a length; may be shorter than any value, never wrong.
    package var minima: [[UInt8]] = []
    package var maxima: [[UInt8]] = []
    /// Of both minima and maxima, null pages passed over.
    package var order = BoundaryOrder.unordered
    package var nullCounts: [Int64] = []
    /// Doubles only.
    package var nanCounts: [Int64]?

    package init() {}
}

extension OffsetIndex {
    /// The thrift bytes.
    package func encoded() -> [UInt8] {
        var writer = ThriftWriter()
        writer.element { writer in
            writer.list(1, of: .structure, count: pages.count)
            for page in pages {
                writer.element {
                    $0.i64(1, page.offset)
                    $0.i32(2, page.compressedByteCount)
                    $0.i64(3, page.firstRow)
                }
            }
            if let plainByteCounts { writer.integers(2, plainByteCounts) }
        }
        return writer.bytes.array
    }

    package init(decoding bytes: [UInt8]) throws(ParquetError) {
        var reader = ThriftReader(bytes)
        try reader.structure { reader, field, type throws(ParquetError) in
            switch field {
            case 1: try reader.list { reader, _ throws(ParquetError) in pages.append(try Page(decoding: &reader)) }
            case 2: plainByteCounts = try reader.integers()
            default: try reader.skip(type)
            }
        }
    }
}

extension OffsetIndex.Page {
    fileprivate init(decoding reader: inout ThriftReader) throws(ParquetError) {
        self.init(offset: 0, compressedByteCount: 0, firstRow: 0)
        try reader.structure { reader, field, type throws(ParquetError) in
            switch field {
            case 1: offset = try reader.integer(type)
            case 2: compressedByteCount = try reader.int32(type)
            case 3: firstRow = try reader.integer(type)
            default: try reader.skip(type)
            }
        }
    }
}

extension ColumnIndex {
    /// The thrift bytes.
    package func encoded() -> [UInt8] {
        var writer = ThriftWriter()
        writer.element { writer in
            writer.list(1, of: .booleanTrue, count: isNullPage.count)
            for flag in isNullPage { writer.element(flag) }
            for (field, bounds) in [(2, minima), (3, maxima)] as [(Int16, [[UInt8]])] {
                writer.list(field, of: .binary, count: bounds.count)
                for bound in bounds { writer.element(bound) }
            }
            writer.i32(4, order.rawValue)
            writer.integers(5, nullCounts)
            if let nanCounts { writer.integers(8, nanCounts) }
        }
        return writer.bytes.array
    }

    /// - Throws: `ParquetError.malformed`, also when the lists differ in length.
    package init(decoding bytes: [UInt8]) throws(ParquetError) {
        var reader = ThriftReader(bytes)
        try reader.structure { reader, field, type throws(ParquetError) in
            switch field {
            case 1: try reader.list { reader, _ throws(ParquetError) in isNullPage.append(try reader.booleanElement()) }
            case 2: try reader.list { reader, type throws(ParquetError) in minima.append(try reader.binary(type)) }
            case 3: try reader.list { reader, type throws(ParquetError) in maxima.append(try reader.binary(type)) }
            case 4: order = BoundaryOrder(rawValue: try reader.int32(type)) ?? .unordered
            case 5: nullCounts = try reader.integers()
            case 8: nanCounts = try reader.integers()
            default: try reader.skip(type)
            }
        }
        let optional = [nullCounts.isEmpty ? nil : nullCounts.count, nanCounts?.count]
        guard ([minima.count, maxima.count] + optional.compactMap { $0 }).allSatisfy({ $0 == isNullPage.count }) else {
            throw ParquetError(.malformed, "the lists of a column index differ in length")
        }
    }
}

extension ThriftWriter {
    fileprivate mutating func integers(_ field: Int16, _ values: [Int64]) {
        list(field, of: .i64, count: values.count)
        for value in values { element(value) }
    }
}

extension ThriftReader {
    fileprivate mutating func integers() throws(ParquetError) -> [Int64] {
        var values: [Int64] = []
        try list { reader, type throws(ParquetError) in values.append(try reader.integer(type)) }
        return values
    }
}

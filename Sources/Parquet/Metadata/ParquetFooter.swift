/// What the end of a Parquet file says about the rest of it: schema, row groups, key-values.
///
/// The writer fills and encodes it, the reader decodes it. Only what flat files need is kept; the numbers of thrift enumerations stay
/// numbers where the reader has no use for more.
/// Source: parquet-format, parquet.thrift, FileMetaData.
package struct ParquetFooter: Sendable, Equatable {
    package struct Column: Sendable, Equatable {
        package var name: String
        package var stored: StoredType
        package var isOptional: Bool

        package init(name: String, stored: StoredType, isOptional: Bool) {
            self.name = name
            self.stored = stored
            self.isOptional = isOptional
        }

        package init(name: String, type: ParquetType, isOptional: Bool) {
            self.init(name: name, stored: type.storedType, isOptional: isOptional)
        }

        /// Nil: a type this module does not write.
        package var type: ParquetType? { stored.written }
    }

    package struct RowGroup: Sendable, Equatable {
        package var rowCount: Int64 = 0
        /// Page headers included, before compression.
        package var uncompressedByteCount: Int64 = 0
        package var compressedByteCount: Int64 = 0
        package var fileOffset: Int64 = 0
        package var sortingColumns: [SortingColumn] = []
        package var chunks: [ColumnChunk] = []
    }

    package struct ColumnChunk: Sendable, Equatable {
        package var column = ""
        package var physicalType = PhysicalType.int64
        package var encodings: [ParquetEncoding] = []
        package var codec = Codec.zstd
        /// Nulls included.
        package var valueCount: Int64 = 0
        /// Page headers included in both.
        package var uncompressedByteCount: Int64 = 0
        package var compressedByteCount: Int64 = 0
        package var dataPageOffset: Int64 = 0
        package var dictionaryPageOffset: Int64?
        package var statistics = ColumnStatistics()
        package var pageCounts: [PageCount] = []
        /// Byte-string columns only: bytes of all values, lengths not included.
        package var plainByteCount: Int64?
        package var bloomFilter: FileRange?
        package var columnIndex: FileRange?
        package var offsetIndex: FileRange?
    }

    /// A piece of the file.
    package struct FileRange: Sendable, Equatable {
        package var offset: Int64
        package var byteCount: Int32

        package init(offset: Int64, byteCount: Int32) {
            self.offset = offset
            self.byteCount = byteCount
        }
    }

    /// How many pages of a chunk have one kind and encoding.
    package struct PageCount: Sendable, Equatable {
        package var page: PageType
        package var encoding: ParquetEncoding
        package var count: Int32
    }

    package var columns: [Column] = []
    package var rowCount: Int64 = 0
    package var rowGroups: [RowGroup] = []
    package var keyValues: [KeyValue] = []
    package var createdBy = ""

    package init() {}

    package func value(forKey key: String) -> String? { keyValues.first { $0.key == key }?.value }
}

package struct KeyValue: Sendable, Equatable {
    package var key: String
    package var value: String

    package init(_ key: String, _ value: String) {
        self.key = key
        self.value = value
    }
}

/// Least and greatest value of a column chunk and what has no order.
package struct ColumnStatistics: Sendable, Equatable {
    package var nullCount: Int64 = 0
    /// Doubles only.
    package var nanCount: Int64?
    /// PLAIN bytes without a length; the writer sets both or neither.
    package var minimum: [UInt8]?
    package var maximum: [UInt8]?
    /// True: the bound is one of the values. False: it was cut short, or the file does not say.
    package var minimumIsExact = false
    package var maximumIsExact = false

    package init() {}
}

// On disk, by parquet.thrift: never renumber.

package enum PhysicalType: Int32, Sendable { case boolean = 0, int32, int64, int96, float, double, byteArray, fixedLengthByteArray }

package enum ParquetEncoding: Int32, Sendable {
    case plain = 0, plainDictionary = 2, rle, bitPacked, deltaBinaryPacked, deltaLengthByteArray, deltaByteArray, rleDictionary
    case byteStreamSplit
}

package enum Codec: Int32, Sendable { case uncompressed = 0, snappy, gzip, lzo, brotli, lz4, zstd, lz4Raw }

package enum PageType: Int32, Sendable { case data = 0, index, dictionary, dataV2 }

/// The deprecated predecessor of the logical type, which older readers still go by.
enum ConvertedType: Int32 { case utf8 = 0, timestampMicros = 10 }

/// Members of the LogicalType union.
enum LogicalType { static let string: Int16 = 1, timestamp: Int16 = 8 }

extension ParquetType {
    var physicalType: PhysicalType {
        switch self {
        case .int64, .timestampMicrosUTC: .int64
        case .double: .double
        case .boolean: .boolean
        case .string, .binary: .byteArray
        }
    }

    var convertedType: ConvertedType? {
        switch self {
        case .string: .utf8
        case .timestampMicrosUTC: .timestampMicros
        case .int64, .double, .boolean, .binary: nil
        }
    }
}

/// How a file's schema describes a leaf, whoever wrote it.
///
/// Source: parquet-format, LogicalTypes.md; SchemaElement of parquet.thrift.
package struct StoredType: Sendable, Equatable {
    /// Unit of a time.
    package enum Unit: Sendable { case milliseconds, microseconds, nanoseconds }

    /// What the bytes mean: of the logical type, or its predecessor, the converted type.
    package enum Annotation: Sendable, Equatable {
        case none
        case string, enumeration, json, bson, uuid
        case integer(isSigned: Bool)
        case date
        case time(Unit)
        case timestamp(Unit, isUTC: Bool)
        case float16
        /// Every value is null.
        case null
        /// Decimal, interval and what came after this was written: its name, or its number.
        case other(String)
    }

    package var physicalType: PhysicalType
    /// Of fixed-length byte arrays.
    package var byteWidth = 0
    package var annotation = Annotation.none
    /// Below a group.
    package var isNested = false
    package var isRepeated = false

    package init(_ physicalType: PhysicalType, _ annotation: Annotation = .none) {
        self.physicalType = physicalType
        self.annotation = annotation
    }

    /// Bytes that a PLAIN value takes at least; of a boolean, which takes a bit, 1.
    var leastByteCount: Int {
        switch physicalType {
        case .boolean: 1
        case .int32, .float, .byteArray: 4
        case .int64, .double: 8
        case .int96: 12
        case .fixedLengthByteArray: max(1, byteWidth)
        }
    }

    /// As this module writes it; nil for a type that it does not write.
    var written: ParquetType? {
        if isNested || isRepeated { return nil }
        return switch (physicalType, annotation) {
        case (.int64, .none): .int64
        case (.double, .none): .double
        case (.boolean, .none): .boolean
        case (.byteArray, .string): .string
        case (.byteArray, .none): .binary
        case (.int64, .timestamp(.microseconds, isUTC: true)): .timestampMicrosUTC
        default: nil
        }
    }
}

extension ParquetType {
    var storedType: StoredType {
        switch self {
        case .int64, .double, .boolean, .binary: StoredType(physicalType)
        case .string: StoredType(physicalType, .string)
        case .timestampMicrosUTC: StoredType(physicalType, .timestamp(.microseconds, isUTC: true))
        }
    }
}

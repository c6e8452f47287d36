/// The types a column can have: the product's field types, and time.
package enum ParquetType: Sendable, CaseIterable {
    case int64
    case double
    case boolean
    /// UTF-8, unsigned byte-wise order.
    case string
    case binary
    /// Microseconds since the epoch, UTC, in an INT64.
    case timestampMicrosUTC

    /// Values are byte strings rather than machine words.
    var isByteArray: Bool { self == .string || self == .binary }
}

/// One flat column.
package struct ParquetColumn: Sendable, Equatable {
    package var name: String
    package var type: ParquetType
    /// False: every row has a value, and the pages carry no definition levels.
    package var isOptional: Bool

    package init(_ name: String, _ type: ParquetType, isOptional: Bool) {
        self.name = name
        self.type = type
        self.isOptional = isOptional
    }
}

/// The columns of a file, in order: at least one, names distinct.
package struct ParquetSchema: Sendable, Equatable {
    package let columns: [ParquetColumn]

    /// - Throws: `ParquetError.schema`.
    package init(_ columns: [ParquetColumn]) throws(ParquetError) {
        guard !columns.isEmpty else { throw ParquetError(.schema, "a file needs a column") }
        var names: Set<String> = []
        for column in columns where !names.insert(column.name).inserted {
            throw ParquetError(.schema, "two columns are named '\(column.name)'")
        }
        self.columns = columns
    }
}

/// By what the rows of every row group are sorted.
package struct SortingColumn: Sendable, Equatable {
    /// Position in the schema.
    package var column: Int
    package var isDescending: Bool
    package var nullsFirst: Bool

    package init(column: Int, isDescending: Bool, nullsFirst: Bool = false) {
        self.column = column
        self.isDescending = isDescending
        self.nullsFirst = nullsFirst
    }
}

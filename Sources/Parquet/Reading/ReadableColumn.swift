/// A leaf of a file's schema, as the reader sees it.
package struct ReadableColumn: Sendable, Equatable {
    /// What the words of a batch are.
    package enum Kind: Sendable, Equatable {
        /// Two's complement, 64 bits, whatever the width in the file; TIME as the number that stands there.
        case integer
        /// 64 bits without a sign.
        case unsigned
        /// IEEE 754, 64 bits; FLOAT is widened.
        case double
        /// 0 or 1.
        case boolean
        /// Strings in the arena that should be UTF-8, which is not checked: STRING, ENUM, JSON.
        case text
        /// Strings in the arena: BYTE_ARRAY and FIXED_LEN_BYTE_ARRAY without a meaning, UUID, BSON.
        case bytes
        /// Microseconds since the epoch, UTC, see `ColumnBatch.microseconds`: TIMESTAMP of every unit, INT96, DATE (its midnight). A
        /// TIMESTAMP without a time zone counts as UTC.
        case timestamp
    }

    /// Position among the leaves, and among the chunks of every row group.
    package let index: Int
    /// Of a nested leaf with its groups in front: `a.list.element`.
    package let name: String
    package let isOptional: Bool
    package let stored: StoredType
    /// Nil: cannot be read, `reason` says why.
    package let kind: Kind?
    package let reason: String

    init(_ column: ParquetFooter.Column, index: Int) {
        self.index = index
        name = column.name
        isOptional = column.isOptional
        stored = column.stored
        (kind, reason) = Self.kind(of: column.stored)
    }

    private static func kind(of stored: StoredType) -> (Kind?, String) {
        if stored.isRepeated { return (nil, "is repeated: a list or a map") }
        if stored.isNested { return (nil, "stands in a group") }
        let kind: Kind? =
            switch stored.physicalType {
            case .boolean: .boolean
            case .int32: integerKind(stored.annotation, timestamps: [])
            case .int64: integerKind(stored.annotation, timestamps: [.milliseconds, .microseconds, .nanoseconds])
            case .int96: .timestamp
            case .float, .double: .double
            case .byteArray, .fixedLengthByteArray: bytesKind(stored)
            }
        return (kind, kind == nil ? "is a \(describe(stored))" : "")
    }

    private static func integerKind(_ annotation: StoredType.Annotation, timestamps: [StoredType.Unit]) -> Kind? {
        switch annotation {
        case .none, .integer(isSigned: true), .time, .null: .integer
        case .integer(isSigned: false): .unsigned
        case .date: timestamps.isEmpty ? .timestamp : nil
        case .timestamp(let unit, _): timestamps.contains(unit) ? .timestamp : nil
        default: nil
        }
    }

    private static func bytesKind(_ stored: StoredType) -> Kind? {
        // No width, or one that no page of a sound file could hold.
        if stored.physicalType == .fixedLengthByteArray, !(1...(1 << 20)).contains(stored.byteWidth) { return nil }
        return switch stored.annotation {
        case .string, .enumeration, .json: .text
        case .none, .bson, .uuid, .null: .bytes
        default: nil
        }
    }

    private static func describe(_ stored: StoredType) -> String {
        switch stored.annotation {
        case .other(let name): "\(name) in \(stored.physicalType)"
        case .none: "\(stored.physicalType) of \(stored.byteWidth) bytes"
        default: "\(stored.annotation) in \(stored.physicalType)"
        }
    }

    /// From the decoder's words to those of the kind.
    var conversion: WordConversion {
        switch (stored.physicalType, stored.annotation) {
        case (.int32, .date): .days
        case (.int32, _): kind == .unsigned ? .unsigned32 : .signed32
        case (.float, _): .float32
        case (.int64, .timestamp(.milliseconds, _)): .milliseconds
        case (.int64, .timestamp(.nanoseconds, _)): .nanoseconds
        default: .none
        }
    }
}

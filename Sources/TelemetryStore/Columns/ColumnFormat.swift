import TelemetryCodec

/// Numbers of the column chunk. Source: docs/format/column-chunk.md.
enum ColumnFormat {
    /// Row positions are 16 bits wide.
    static let maximumRowCount = 65_535
    /// Raw bytes of one chunk: 4 096 values of 64 KiB are less. A damaged size must not allocate more.
    static let maximumRawByteCount = (1 << 29) - 1
    /// Raw bytes of a section that is one byte over and over: no more than a plane, as its stored size says nothing about its raw size.
    static let maximumConstantByteCount = 1 << 16
    /// A zstd frame says 128 KiB in four bytes at best; what claims more is damaged.
    static let maximumExpansion = 1 << 15
}

/// Which rows have a value. On disk: never renumber.
enum PresenceKind: UInt8 {
    case everyRow = 0
    case bitmap = 1
    case runs = 2
}

/// How a stream's words follow from its values. On disk: never renumber.
enum StreamMode: UInt8 {
    /// The value itself.
    case offset = 0
    /// Difference to the value before in the piece.
    case delta = 1
    /// Difference to a straight line through the first value of the piece.
    case line = 2
    /// Bits that differ from the value before in the piece.
    case exclusiveOr = 3
}

/// How a section is stored. On disk: never renumber.
enum SectionCoding: UInt8 {
    case plain = 0
    case constant = 1
    case zstd = 2
    /// Entropy coded: `RangeEncoder`, `RangeDecoder`.
    case coded = 3
}

/// How doubles are stored. On disk: never renumber.
enum DoubleCoding: UInt8 {
    case bits = 0
    case decimal = 1
    case dictionary = 2
}

/// How strings and binaries are stored. On disk: never renumber.
enum BytesCoding: UInt8 {
    case each = 0
    case dictionary = 1
}

@inline(__always) func zigzagEncoded(_ value: Int64) -> UInt64 {
    UInt64(bitPattern: (value << 1) ^ (value >> 63))
}

@inline(__always) func zigzagDecoded(_ word: UInt64) -> Int64 {
    Int64(bitPattern: word >> 1) ^ -Int64(bitPattern: word & 1)
}

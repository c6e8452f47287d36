/// Decoded values of neighbouring rows. Reused from call to call: the buffers only grow.
struct ColumnRun {
    /// `Cell.bits` of each row, unspecified where the row has no value; at least `count`. Strings, binaries: slices of the raw chunk.
    var bits: [UInt64] = []
    /// 1 or 0 for each row, at least `count`; unspecified if `isEveryRowPresent`.
    var isPresent: [UInt8] = []
    /// Number of rows.
    private(set) var count = 0
    private(set) var presentCount = 0
    /// Bits of the entries of a dictionary: working memory of the decoder.
    var entries: [UInt64] = []

    var isEveryRowPresent: Bool { presentCount == count }

    mutating func reset(count: Int, presentCount: Int) {
        (self.count, self.presentCount) = (count, presentCount)
        if bits.count < count { bits = [UInt64](repeating: 0, count: max(count, 1_024)) }
        if isPresent.count < count { isPresent = [UInt8](repeating: 0, count: max(count, 1_024)) }
    }

    mutating func reserveEntries(_ count: Int) {
        if entries.count < count { entries = [UInt64](repeating: 0, count: count) }
    }

    /// `Cell.bits` of a row; nil if it has no value.
    subscript(row: Int) -> UInt64? { isEveryRowPresent || isPresent[row] != 0 ? bits[row] : nil }
}

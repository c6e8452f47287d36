/// What an answer that is to come at once may look at, on a thread that others wait for: a millisecond's worth. What takes more is
/// `.notInMemory`, as what lies on the disk is.
enum MemoryBudget {
    static let windowLimit = 16
    /// Passes over the pieces of a range: the first find the rows of nearly every answer that is short.
    static let passLimit = 4
    /// Rows of an aggregate.
    static let rowLimit = 8_192
    /// Strings and binaries.
    static let byteLimit = 64 << 10
}

/// Where the parts of a segment may come from.
enum SegmentAccess {
    /// The cache, and the file what is not there.
    case cached
    /// The file alone: merges and scans read everything once.
    case uncached
    /// The cache alone: for threads that must not wait for a disk. What is not there is `.notInMemory`.
    case memory
}

extension StoreError {
    static let notInMemory = StoreError(.notInMemory, "what is asked for has to be read from the disk")
}

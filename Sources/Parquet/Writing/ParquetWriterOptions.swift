package struct ParquetWriterOptions: Sendable {
    package enum Encoding: Sendable {
        /// For each column chunk what is smallest: PLAIN, dictionary, delta or byte stream split. See `EncodingTrial`.
        case compact
        /// PLAIN for everything: for readers that know nothing else.
        case plain
    }

    package var encoding = Encoding.compact
    /// zstd level (1...22).
    package var compressionLevel: Int32 = 3
    /// The caller's promise about the rows of every row group; readers skip by it.
    package var sortingColumns: [SortingColumn] = []
    /// Names of the columns that get a Bloom filter: those that are looked up by value. No booleans, for which it would say nothing.
    package var bloomFilterColumns: Set<String> = ["device"]
    /// Longer byte strings are refused: a page is held in memory at once, and its size is a 32-bit integer.
    package var valueByteCountLimit = 1 << 30
    /// Name of the writing program, by which readers know the quirks of old versions: `<application> version <x.y.z> (build <id>)`.
    package var createdBy: String
    package var keyValues: [KeyValue] = []

    package init(version: String, build: String) { createdBy = "gaugehouse version \(version) (build \(build))" }
}

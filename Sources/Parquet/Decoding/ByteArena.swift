import TelemetryCodec

/// Bytes of a column's byte strings. A word names a string: its offset in the upper half, its length in the lower.
///
/// The strings of the dictionary stand first and stay; those of one batch follow.
struct ByteArena: ~Copyable {
    /// The offset must fit half a word; with a page's limit below 2^31 and this, it does.
    static let byteCountLimit = 1 << 31

    private var buffer = RawBuffer()
    private var dictionaryByteCount = 0
    /// Of one batch, and of one dictionary.
    private let limit: Int

    init(limit: Int) { self.limit = min(limit, Self.byteCountLimit) }

    var count: Int { buffer.count }

    static func word(offset: Int, count: Int) -> UInt64 {
        UInt64(truncatingIfNeeded: offset) &<< 32 | UInt64(truncatingIfNeeded: count)
    }

    /// Valid until the arena changes.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: buffer.base, count: buffer.count) }

    /// For another chunk.
    mutating func removeAll() {
        buffer.removeAll()
        dictionaryByteCount = 0
    }

    /// What is there now is the dictionary.
    mutating func endDictionary() { dictionaryByteCount = count }

    /// For another batch.
    mutating func removeValues() { buffer.count = dictionaryByteCount }

    /// - Throws: `ParquetError.tooLarge` beyond the limit.
    mutating func append(_ bytes: UnsafeRawBufferPointer) throws(ParquetError) {
        try makeRoom(bytes.count)
        buffer.append(bytes)
    }

    /// Appends `bytes` as `count` strings of `width` bytes.
    mutating func append(
        _ bytes: UnsafeRawBufferPointer, width: Int, into output: UnsafeMutablePointer<UInt64>, count: Int
    ) throws(ParquetError) {
        let start = self.count
        try append(bytes)
        for index in 0..<count { output[index] = Self.word(offset: start + index * width, count: width) }
    }

    /// Appends a string that is `prefixCount` bytes at `prefixOffset` of the arena and then `suffix`.
    mutating func append(
        prefixOffset: Int, prefixCount: Int, suffix: UnsafeRawBufferPointer
    ) throws(ParquetError) -> UInt64 {
        let start = count
        try makeRoom(prefixCount + suffix.count)
        // There is room, so the buffer does not move while a part of it is copied.
        buffer.append(UnsafeRawBufferPointer(rebasing: bytes[prefixOffset..<(prefixOffset + prefixCount)]))
        buffer.append(suffix)
        return Self.word(offset: start, count: prefixCount + suffix.count)
    }

    private mutating func makeRoom(_ byteCount: Int) throws(ParquetError) {
        guard byteCount <= limit - (count - dictionaryByteCount) else {
            throw ParquetError(.tooLarge, "byte strings of more than \(limit) bytes in a batch or a dictionary")
        }
        buffer.reserve(byteCount)
    }
}

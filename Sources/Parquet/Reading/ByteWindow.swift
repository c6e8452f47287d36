import TelemetryCodec

/// A part of the file at hand, moved forward by whoever reads a column chunk.
struct ByteWindow {
    private let read: ParquetReader.Read
    /// Bytes that one call of `read` asks for, unless one page needs more.
    private let byteCount: Int
    private var bytes: [UInt8] = []
    /// Of `bytes` in the file.
    private var start = 0
    /// Of the next byte in the file.
    private(set) var position = 0
    /// Where the chunk ends.
    private var end = 0
    /// Beyond this nothing is asked for ahead of need: what comes then is skipped, most likely.
    var readAheadEnd = Int.max

    init(byteCount: Int, _ read: @escaping ParquetReader.Read) {
        self.byteCount = byteCount
        self.read = read
    }

    /// Bytes of the chunk from the position on.
    var remaining: Int { end - position }

    /// Goes to another chunk.
    mutating func open(_ range: Range<Int>) {
        (position, end, readAheadEnd) = (range.lowerBound, range.upperBound, .max)
    }

    /// - Parameter position: in the chunk.
    mutating func seek(_ position: Int) { self.position = min(position, end) }

    mutating func skip(_ count: Int) { position += min(count, remaining) }

    /// The next `count` bytes, which stay ahead. At most `remaining`.
    func withNext<Result>(_ count: Int, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[(position - start)..<(position - start + count)])) }
    }

    /// Reads so that the next `count` bytes are at hand.
    ///
    /// - Throws: `ParquetError.malformed` when the chunk has fewer; what reading throws.
    mutating func require(_ count: Int) throws {
        guard count <= remaining else { throw ParquetError(.malformed, "\(count) bytes where the column chunk has \(remaining)") }
        if position >= start, position + count <= start + bytes.count { return }
        let ahead = min(byteCount, max(0, min(end, readAheadEnd) - position))
        let wanted = max(count, ahead)
        bytes = wanted > 0 ? try read(position, wanted) : []
        start = position
        guard bytes.count == wanted else {
            bytes = []
            throw ParquetError(.malformed, "the file ends before its metadata says so")
        }
    }
}

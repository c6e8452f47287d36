import Telemetry
import TelemetryCodec

/// An open segment file. Immutable; readers that hold it read on after it was unlinked.
///
/// `@unchecked Sendable`: all but the lazily loaded index is constant, and that is guarded by `lock`.
final class Segment: @unchecked Sendable {
    let footer: SegmentFooter
    let path: String
    let byteCount: Int
    private let file: any File
    private let cache: FrameCache
    private let cacheID: UInt64
    private let lock = Monitor()
    private var loadedIndex: SparseIndex?

    /// - Throws: `.corruption` with the file's name.
    init(path: String, fileSystem: any FileSystem, cache: FrameCache) throws(StoreError) {
        self.path = path
        self.cache = cache
        let file = try storing { () throws(FileError) in try fileSystem.open(path, .read) }
        let count = try storing { () throws(FileError) in try file.byteCount() }
        let offset = count - SegmentFormat.footerByteCount
        guard offset >= SegmentFormat.headerByteCount,
            let bytes = try storing({ () throws(FileError) in try file.bytes(at: offset, count: SegmentFormat.footerByteCount) })
        else { throw StoreError(.corruption, "\(path) at offset 0: \(count) bytes are too few for a segment") }
        do throws(CodecError) { footer = try SegmentFooter(bytes.buffer) } catch {
            throw StoreError(.corruption, "\(path) at offset \(offset): the footer is damaged")
        }
        self.file = file
        byteCount = count
        cacheID = cache.register()
    }

    /// Orders versions of a time against other segments and heads: later flushes are newer.
    var rank: UInt64 { footer.flushes.upperBound }

    func damage(at offset: Int, _ what: String) -> StoreError {
        StoreError(.corruption, "\(path) at offset \(offset): \(what)")
    }

    // MARK: - Index

    func index() throws(StoreError) -> SparseIndex {
        if let loaded = lock.locked({ loadedIndex }) { return loaded }
        let bytes = try read(footer.index)
        do throws(CodecError) {
            let index = try SparseIndex(bytes.buffer)
            lock.locked { loadedIndex = index }
            return index
        } catch {
            throw damage(at: footer.index.offset, "the sparse index is malformed")
        }
    }

    /// The device's blocks; nil when the segment has none.
    func find(bucket: Int, device: UnsafeRawBufferPointer) throws(StoreError) -> DeviceEntry? {
        guard let page = try index().page(bucket: bucket, name: device) else { return nil }
        let bytes = try frame(page)
        do throws(CodecError) {
            let page = try IndexPage(bytes.buffer)
            guard let position = try page.find(bucket: bucket, name: device) else { return nil }
            return try page.entry(position).entry
        } catch {
            throw damage(at: page.offset, "the index page is malformed")
        }
    }

    // MARK: - Frames and blocks

    func frame(_ reference: FrameReference) throws(StoreError) -> Bytes {
        try cache.bytes(reference, segment: cacheID) { (frame) throws(StoreError) in try read(frame) }
    }

    /// Reads, checks and decompresses.
    func read(_ frame: FrameReference) throws(StoreError) -> Bytes {
        guard frame.offset >= 0, frame.compressedByteCount >= 0, frame.compressedByteCount <= byteCount,
            frame.offset <= byteCount - frame.compressedByteCount, frame.rawByteCount >= 0, frame.rawByteCount <= 1 << 31
        else { throw damage(at: frame.offset, "a frame lies outside the file") }
        guard
            let compressed = try storing({ () throws(FileError) in
                try file.bytes(at: frame.offset, count: frame.compressedByteCount)
            }), crc32c(compressed.buffer) == frame.checksum
        else { throw damage(at: frame.offset, "the frame's checksum does not hold") }
        do throws(CodecError) {
            return try Bytes(count: frame.rawByteCount) { (output) throws(CodecError) in
                let decompressor = ZstdDecompressor()
                try decompressor.decompress(compressed.buffer, into: output)
            }
        } catch {
            throw damage(at: frame.offset, "the frame does not decompress")
        }
    }

    /// Adds the block's rows of `times` to `buffer`.
    /// - Parameter wanted: the table's fields to read; nil for all.
    func read(
        _ block: BlockReference, times: ClosedRange<Int64>, wanted: Set<UInt32>?, isCached: Bool = true, into buffer: inout RowBuffer
    ) throws(StoreError) {
        let bytes = isCached ? try frame(block.frame) : try read(block.frame)
        try decode(block, in: bytes, times: times, wanted: wanted, into: &buffer)
    }

    func decode(
        _ block: BlockReference, in frame: Bytes, times: ClosedRange<Int64>, wanted: Set<UInt32>?, into buffer: inout RowBuffer
    ) throws(StoreError) {
        let fields = try index().fields.map { wanted?.contains($0.number) ?? true ? Int32($0.number) : -1 }
        guard block.offsetInFrame + block.byteCount <= frame.count else {
            throw damage(at: block.frame.offset, "a block lies outside its frame")
        }
        let slice = UnsafeRawBufferPointer(rebasing: frame.buffer[block.offsetInFrame..<(block.offsetInFrame + block.byteCount)])
        do throws(CodecError) {
            try BlockDecoder.decode(
                slice, hasCommitTimes: footer.hasCommitTimes, fields: fields, times: times, rank: rank, into: &buffer)
        } catch {
            throw damage(at: block.frame.offset, "the block at \(block.offsetInFrame) in the frame is malformed")
        }
    }
}

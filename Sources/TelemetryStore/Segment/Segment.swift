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
    /// Never used again in this process.
    let id: UInt64
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
        else { throw StoreError.damage(path, at: 0, "\(count) bytes are too few for a segment") }
        do throws(CodecError) { footer = try bytes.withBytes { (bytes) throws(CodecError) in try SegmentFooter(bytes) } } catch {
            // A later version may have another footer: the header says so.
            let header = try storing { () throws(FileError) in try file.bytes(at: 0, count: SegmentFormat.headerByteCount) }
            throw SegmentFormat.reason(header, error).storeError(path, at: offset, "the footer is damaged")
        }
        self.file = file
        byteCount = count
        id = cache.register()
    }

    /// Orders versions of a time against other segments and heads: later flushes are newer.
    var rank: UInt64 { footer.flushes.upperBound }

    func damage(at offset: Int, _ what: String) -> StoreError {
        .damage(path, at: offset, what)
    }

    // MARK: - Index

    func index(_ access: SegmentAccess = .cached) throws(StoreError) -> SparseIndex {
        if let loaded = lock.locked({ loadedIndex }) { return loaded }
        guard access != .memory else { throw .notInMemory }
        let bytes = try read(footer.index)
        do throws(CodecError) {
            let index = try bytes.withBytes { (bytes) throws(CodecError) in try SparseIndex(bytes) }
            lock.locked { loadedIndex = index }
            return index
        } catch {
            throw damage(at: footer.index.offset, "the sparse index is malformed")
        }
    }

    /// Checks the fields before they are written into another segment.
    /// - Parameter names: of the table's fields, by number.
    /// - Throws: `.corruption` when the segment has a field under a number that is another's, or nobody's.
    func checkFields(_ names: [String]) throws(StoreError) {
        for field in try index().fields where field.number >= names.count || names[Int(field.number)] != field.name {
            throw damage(at: footer.index.offset, "field number \(field.number), '\(field.name)', is not the table's")
        }
    }

    /// The device's pieces; nil when the segment has none.
    func find(bucket: Int, device: UnsafeRawBufferPointer, _ access: SegmentAccess = .cached) throws(StoreError) -> DeviceEntry? {
        guard let reference = try index(access).page(bucket: bucket, name: device) else { return nil }
        let bytes = try frame(reference, access)
        do throws(CodecError) {
            return try bytes.withBytes { (_) throws(CodecError) in
                var page = try page(bytes)
                return try page.find(bucket: bucket, name: device)
            }
        } catch {
            throw damage(at: reference.offset, "the index page is malformed")
        }
    }

    /// The page holds no memory of its own: `bytes` must outlive it.
    func page(_ bytes: Bytes) throws(CodecError) -> any IndexPage {
        footer.version == 1 ? try BlockIndexPage(bytes.buffer) : try FrameIndexPage(bytes.buffer)
    }

    // MARK: - Bytes

    /// - Throws: `.corruption` when the file has no such bytes.
    func bytes(_ span: Range<Int>) throws(StoreError) -> Bytes {
        guard span.lowerBound >= 0, span.upperBound <= byteCount else { throw damage(at: span.lowerBound, "a part lies outside the file") }
        guard let bytes = try storing({ () throws(FileError) in try file.bytes(at: span.lowerBound, count: span.count) })
        else { throw damage(at: span.lowerBound, "the file is shorter than it was") }
        return bytes
    }

    /// A zstd frame, decompressed.
    func frame(_ reference: FrameReference, _ access: SegmentAccess = .cached) throws(StoreError) -> Bytes {
        guard access != .uncached else { return try read(reference) }
        if let found = cache.find(segment: id, offset: reference.offset) { return found }
        guard access != .memory else { throw .notInMemory }
        let bytes = try read(reference)
        cache.insert(bytes, segment: id, offset: reference.offset)
        return bytes
    }

    /// Reads, checks and decompresses.
    func read(_ frame: FrameReference) throws(StoreError) -> Bytes {
        guard frame.rawByteCount <= 1 << 31 else { throw damage(at: frame.offset, "a frame claims \(frame.rawByteCount) bytes") }
        let compressed = try bytes(frame.offset..<(frame.offset + frame.compressedByteCount))
        guard compressed.withBytes({ crc32c($0) }) == frame.checksum else {
            throw damage(at: frame.offset, "the frame's checksum does not hold")
        }
        do throws(CodecError) {
            return try Bytes(count: frame.rawByteCount) { (output) throws(CodecError) in
                let decompressor = ZstdDecompressor()
                try compressed.withBytes { (stored) throws(CodecError) in try decompressor.decompress(stored, into: output) }
            }
        } catch {
            throw damage(at: frame.offset, "the frame does not decompress")
        }
    }

    func cachedChunk(_ column: FrameDirectory.Column) -> Bytes? { cache.find(segment: id, offset: column.offset) }

    /// A column chunk ready to be decoded, from its stored bytes.
    func chunk(_ column: FrameDirectory.Column, stored: UnsafeRawBufferPointer, isCached: Bool) throws(StoreError) -> Bytes {
        guard crc32c(stored) == column.checksum else { throw damage(at: column.offset, "the column chunk's checksum does not hold") }
        let bytes: Bytes
        do throws(CodecError) {
            bytes = column.key == .statistics ? Bytes(copying: stored) : try ColumnChunk.decompress(stored)
        } catch {
            throw damage(at: column.offset, "the column chunk does not decompress")
        }
        if isCached { cache.insert(bytes, segment: id, offset: column.offset) }
        return bytes
    }

    // MARK: - Rows

    /// Adds the piece's rows of `times` that have a wanted field to `buffer`; see `PieceReader`.
    @discardableResult
    func read(
        _ piece: SegmentPiece, times: ClosedRange<Int64>, wanted: FieldSet?, portion: PieceReader.Portion? = nil,
        access: SegmentAccess = .cached, into buffer: inout RowBuffer
    ) throws(StoreError) -> ClosedRange<Int64>? {
        var reader = PieceReader(self, fields: try index(access).fields, wanted: wanted, access: access)
        return try reader.read(piece, times: times, portion: portion, into: &buffer)
    }
}

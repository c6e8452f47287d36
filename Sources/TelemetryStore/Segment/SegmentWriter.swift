import Telemetry
import TelemetryCodec

/// Writes one segment file front to back, device by device in key order.
///
/// Crash states: 1. temporary file written, 2. synced, 3. renamed to its name, 4. directory synced. Before 3 a crash leaves a
/// temporary file, which the next start removes; after 3 the name may be lost, and then the log still holds the rows.
struct SegmentWriter: ~Copyable {
    private let fileSystem: any FileSystem
    private let directory: String
    private let temporaryPath: String
    private let file: any File
    private let fieldNames: [String]
    private var footer: SegmentFooter
    private var compressor: ZstdCompressor
    private var blocks = BlockEncoder()
    private var output = RawBuffer(capacity: 1 << 20)
    private var written = 0

    private var fields = SegmentFields()

    // The frame and the page under construction.
    private var frame = RawBuffer(capacity: SegmentFormat.frameByteCount * 2)
    private var pageFrames: [FrameReference] = []
    private var page = RawBuffer(capacity: 1 << 16)
    private var pageOffsets: [UInt32] = []
    private var pageFirstKey: (bucket: Int, name: [UInt8]) = (0, [])
    /// Sparse index: first key and place of each page.
    private var pages = RawBuffer(capacity: 1 << 12)
    private var pageCount = 0

    init(
        fileSystem: any FileSystem, directory: String, footer: SegmentFooter, fieldNames: [String], compressionLevel: Int32
    ) throws(FileError) {
        self.fileSystem = fileSystem
        self.directory = directory
        self.footer = footer
        self.fieldNames = fieldNames
        compressor = ZstdCompressor(level: compressionLevel)
        temporaryPath = directory + "/" + SegmentName(flushes: footer.flushes).text + temporarySuffix
        if try fileSystem.exists(temporaryPath) { try fileSystem.unlink(temporaryPath) }
        file = try fileSystem.open(temporaryPath, .create)
        output.append(fixed: SegmentFormat.magic)
        output.append(fixed: SegmentFormat.version)
        output.append(fixed: UInt32(0))
    }

    /// Adds a device. Devices come in key order; `rows` are sorted newest first and coalesced, at least one.
    mutating func append(
        bucket: Int, name: UnsafeRawBufferPointer, rows: borrowing RowBuffer, newRowCount: Int
    ) throws(FileError) {
        if pageOffsets.isEmpty { pageFirstKey = (bucket, Array(name)) }
        pageOffsets.append(UInt32(page.count))
        page.append(varint: bucket)
        page.append(counted: name)
        page.append(varint: rows.rows.count)
        page.append(varint: newRowCount)
        let blocks = SegmentWriter.blocks(of: rows)
        page.append(varint: blocks.count)
        for block in blocks { try appendBlock(rows, block) }
        footer.deviceCount += 1
        footer.rowCount += rows.rows.count
        footer.newRowCount += newRowCount
        footer.maxTime = max(footer.maxTime, rows.rows[0].time)
        footer.minTime = min(footer.minTime, rows.rows[rows.rows.count - 1].time)
        if pageOffsets.count == SegmentFormat.devicesPerPage { try endPage() }
    }

    /// Splits the rows where a block has its number of rows, or of bytes in strings and binaries.
    private static func blocks(of rows: borrowing RowBuffer) -> [Range<Int>] {
        var blocks: [Range<Int>] = []
        var (start, byteCount) = (0, 0)
        for index in rows.rows.indices {
            for entry in rows.cells(of: rows.rows[index]) where entry.cell.type?.isBytes ?? false { byteCount += entry.cell.byteCount }
            guard index + 1 - start == SegmentFormat.rowsPerBlock || byteCount >= SegmentFormat.bytesPerBlock else { continue }
            blocks.append(start..<(index + 1))
            (start, byteCount) = (index + 1, 0)
        }
        if start < rows.rows.count { blocks.append(start..<rows.rows.count) }
        return blocks
    }

    private mutating func appendBlock(_ rows: borrowing RowBuffer, _ range: Range<Int>) throws(FileError) {
        let offset = frame.count
        blocks.encode(rows, range, hasCommitTimes: footer.hasCommitTimes, fields: &fields, into: &frame)
        page.append(varint: pageFrames.count)
        page.append(varint: offset)
        page.append(varint: frame.count - offset)
        page.append(varint: range.count)
        let minTime = rows.rows[range.upperBound - 1].time
        page.append(zigzag: minTime)
        page.append(varint: UInt64(bitPattern: rows.rows[range.lowerBound].time &- minTime))
        if frame.count >= SegmentFormat.frameByteCount { try endFrame() }
    }

    private mutating func endFrame() throws(FileError) {
        guard !frame.isEmpty else { return }
        var raw = RawBuffer(capacity: 0)
        swap(&raw, &frame)
        pageFrames.append(try writeFrame(&raw))
        raw.removeAll()
        swap(&raw, &frame)
    }

    /// Index page: device count, frames, offsets of the entries, entries.
    private mutating func endPage() throws(FileError) {
        guard !pageOffsets.isEmpty else { return }
        try endFrame()
        var index = RawBuffer(capacity: page.count + pageOffsets.count * 4 + pageFrames.count * 16)
        index.append(varint: pageOffsets.count)
        index.append(varint: pageFrames.count)
        for frame in pageFrames { frame.encode(into: &index) }
        for offset in pageOffsets { index.append(fixed: offset) }
        page.withBytes { index.append($0) }
        let reference = try writeFrame(&index)
        pages.append(varint: pageFirstKey.bucket)
        pageFirstKey.name.withUnsafeBytes { pages.append(counted: $0) }
        reference.encode(into: &pages)
        pageCount += 1
        pageFrames.removeAll(keepingCapacity: true)
        pageOffsets.removeAll(keepingCapacity: true)
        page.removeAll()
    }

    private mutating func writeFrame(_ raw: inout RawBuffer) throws(FileError) -> FrameReference {
        let start = output.count
        let count = raw.withBytes { compressor.compress($0, into: &output) }
        let checksum = output.withBytes { crc32c(UnsafeRawBufferPointer(rebasing: $0[start...])) }
        let reference = FrameReference(
            offset: written + start, compressedByteCount: count, rawByteCount: raw.count, checksum: checksum)
        if output.count >= 1 << 20 { try writeOut() }
        return reference
    }

    private mutating func writeOut() throws(FileError) {
        try output.withBytes { (bytes) throws(FileError) in try file.write(bytes, at: written) }
        written += output.count
        output.removeAll()
    }

    /// Writes index and footer, syncs, and gives the file its name.
    consuming func finish() throws(FileError) -> SegmentFooter {
        try endPage()
        var index = RawBuffer(capacity: pages.count + 1024)
        index.append(varint: fields.entries.count)
        for field in fields.entries {
            index.append(varint: UInt64(field.number))
            index.append(counted: fieldNames[Int(field.number)])
            index.append(field.types)
        }
        index.append(varint: pageCount)
        pages.withBytes { index.append($0) }
        footer.index = try writeFrame(&index)
        footer.encode(into: &output)
        try writeOut()
        try file.sync()
        try fileSystem.rename(temporaryPath, to: directory + "/" + SegmentName(flushes: footer.flushes).text)
        try fileSystem.syncDirectory(directory)
        return footer
    }
}

/// `<first flush>-<last flush>.seg`: which segments are live follows from the names alone.
struct SegmentName: Equatable {
    var flushes: ClosedRange<FlushID>

    var text: String { "\(padded(Int(flushes.lowerBound), 12))-\(padded(Int(flushes.upperBound), 12)).seg" }

    init(flushes: ClosedRange<FlushID>) { self.flushes = flushes }

    init?(_ text: String) {
        guard text.hasSuffix(".seg") else { return nil }
        let parts = text.dropLast(4).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let first = Int(parts[0]), let last = Int(parts[1]), first >= 0, first <= last else { return nil }
        flushes = FlushID(first)...FlushID(last)
        guard self.text == text else { return nil }
    }
}

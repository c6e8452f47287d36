import Telemetry
import TelemetryCodec

/// Writes one segment file front to back, device by device in key order.
///
/// Crash states: 1. temporary file written, 2. synced, 3. renamed to its name, 4. directory synced. Before 3 a crash leaves a
/// temporary file, which the next start removes; after 3 the name may be lost, and then the log still holds the rows. A writer that is
/// let go before 3 removes the temporary file.
struct SegmentWriter: ~Copyable {
    private let fileSystem: any FileSystem
    private let directory: String
    private let temporaryPath: String
    private let file: any File
    private var isNamed = false
    private let fieldNames: [String]
    private var footer: SegmentFooter
    private var compressor: ZstdCompressor
    private var encoder: ColumnEncoder
    private var output = RawBuffer(capacity: 1 << 20)
    private var written = 0
    private var fields = SegmentFields()

    // The frame and the page under construction.
    private var frame = FrameBuilder()
    private var frames: [FrameDirectory] = []
    private var entries: [FrameIndexPage.Draft] = []
    private var pageByteCount = 0
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
        encoder = ColumnEncoder(compressionLevel: compressionLevel)
        temporaryPath = directory + "/" + SegmentName(flushes: footer.flushes).text + temporarySuffix
        if try fileSystem.exists(temporaryPath) { try fileSystem.unlink(temporaryPath) }
        file = try fileSystem.open(temporaryPath, .create)
        output.append(fixed: SegmentFormat.magic)
        output.append(fixed: SegmentFormat.version)
        output.append(fixed: UInt32(0))
    }

    /// One that cannot be removed stays for the next start, as after a crash.
    deinit { if !isNamed { try? fileSystem.unlink(temporaryPath) } }

    /// Begins a device; devices come in key order. Its rows follow.
    mutating func begin(bucket: Int, name: UnsafeRawBufferPointer, newRowCount: Int) throws(FileError) {
        if pageByteCount >= SegmentFormat.bytesPerPage || entries.count == SegmentFormat.devicesPerPage { try endPage() }
        entries.append(.init(bucket: bucket, name: Array(name), rowCount: 0, newRowCount: newRowCount))
        pageByteCount += name.count + 16
        footer.deviceCount += 1
        footer.newRowCount += newRowCount
    }

    /// Adds rows of the device begun last: sorted newest first and coalesced, all older than those added before.
    mutating func append(_ rows: borrowing RowBuffer, _ range: Range<Int>) throws(FileError) {
        guard !range.isEmpty else { return }
        var start = range.lowerBound
        while start < range.upperBound {
            let end = SegmentWriter.endOfPiece(rows, start..<range.upperBound).end
            if frame.rowCount + (end - start) > SegmentFormat.rowsPerFrame { try endFrame() }
            appendPiece(rows, start..<end)
            if frame.isFull { try endFrame() }
            start = end
        }
        entries[entries.count - 1].rowCount += range.count
        footer.rowCount += range.count
        footer.maxTime = max(footer.maxTime, rows.rows[range.lowerBound].time)
        footer.minTime = min(footer.minTime, rows.rows[range.upperBound - 1].time)
    }

    /// Adds the rows that fill pieces, or all that are left of a device, and takes them from `rows`.
    mutating func appendFull(_ rows: inout RowBuffer, isLast: Bool) throws(FileError) {
        let end = isLast ? rows.rows.count : SegmentWriter.endOfFullPieces(rows)
        try append(rows, 0..<end)
        if end > 0 { rows.keep(end..<rows.rows.count) }
    }

    private static func endOfFullPieces(_ rows: borrowing RowBuffer) -> Int {
        var end = 0
        while case let piece = endOfPiece(rows, end..<rows.rows.count), piece.isFull { end = piece.end }
        return end
    }

    /// Where the first piece of `range` ends, and whether it has its number of rows, or of bytes in strings and binaries.
    private static func endOfPiece(_ rows: borrowing RowBuffer, _ range: Range<Int>) -> (end: Int, isFull: Bool) {
        let limit = min(range.upperBound, range.lowerBound + SegmentFormat.rowsPerFrame)
        let isFull = limit - range.lowerBound == SegmentFormat.rowsPerFrame
        guard rows.bytes.count >= SegmentFormat.bytesPerFrame else { return (limit, isFull) }
        var byteCount = 0
        for index in range.lowerBound..<limit {
            for entry in rows.cells(of: rows.rows[index]) where entry.cell.type?.isBytes ?? false { byteCount += entry.cell.byteCount }
            if byteCount >= SegmentFormat.bytesPerFrame { return (index + 1, true) }
        }
        return (limit, isFull)
    }

    private mutating func appendPiece(_ rows: borrowing RowBuffer, _ range: Range<Int>) {
        entries[entries.count - 1].pieces.append(
            .init(
                frame: frames.count, ordinal: frame.pieceCount, firstRow: frame.rowCount, rowCount: range.count,
                minTime: rows.rows[range.upperBound - 1].time, maxTime: rows.rows[range.lowerBound].time))
        pageByteCount += 16
        frame.append(rows, range)
    }

    // MARK: - Frames

    private mutating func endFrame() throws(FileError) {
        guard !frame.isEmpty else { return }
        var columns: [FrameDirectory.Column] = []
        appendTimes(to: &columns)
        if footer.hasCommitTimes { appendCommitTimes(to: &columns) }
        let used = frame.columns.filter { !$0.rows.isEmpty }
        appendStatistics(used.filter { $0.type == .integer || $0.type == .double }, to: &columns)
        for column in used { append(column, to: &columns) }
        frames.append(FrameDirectory(rowCount: frame.rowCount, pieceCount: frame.pieceCount, columns: columns))
        pageByteCount += columns.count * 8 + 12
        frame.removeAll()
        if output.count >= 1 << 20 { try writeOut() }
    }

    private mutating func appendTimes(to columns: inout [FrameDirectory.Column]) {
        let (times, pieces) = (frame.times, frame.pieces)
        times.withUnsafeBufferPointer { times in
            appendChunk(.times, to: &columns) { encoder, output in encoder.encodeTimes(times, pieces: pieces, into: &output) }
        }
    }

    /// Appends what `encode` writes as the next chunk of the frame.
    private mutating func appendChunk(
        _ key: ColumnKey, to columns: inout [FrameDirectory.Column], _ encode: (inout ColumnEncoder, inout RawBuffer) -> Void
    ) {
        let start = output.count
        encode(&encoder, &output)
        let checksum = output.withBytes { crc32c(UnsafeRawBufferPointer(rebasing: $0[start...])) }
        columns.append(.init(key: key, offset: written + start, byteCount: output.count - start, checksum: checksum))
    }

    private mutating func appendCommitTimes(to columns: inout [FrameDirectory.Column]) {
        let rows = (0..<frame.rowCount).map { Int32($0) }
        let bits = frame.commitTimes.map { UInt64(bitPattern: $0) }
        append(.init(field: 0, type: .integer, rows: rows, bits: bits), key: .commitTimes, to: &columns)
    }

    private mutating func appendStatistics(_ numeric: [FrameBuilder.Column], to columns: inout [FrameDirectory.Column]) {
        guard !numeric.isEmpty, PieceStatistics.hasAny(frame.pieces) else { return }
        let pieces = frame.pieces
        appendChunk(.statistics, to: &columns) { _, output in PieceStatistics.encode(numeric, pieces: pieces, into: &output) }
    }

    private mutating func append(_ column: FrameBuilder.Column, to columns: inout [FrameDirectory.Column]) {
        let local = fields.local(column.field, column.type)
        append(column, key: .field(local: local, type: column.type), to: &columns)
    }

    private mutating func append(_ column: FrameBuilder.Column, key: ColumnKey, to columns: inout [FrameDirectory.Column]) {
        let (arena, pieces) = (frame.arena, frame.pieces)
        column.rows.withUnsafeBufferPointer { rows in
            column.bits.withUnsafeBufferPointer { bits in
                arena.withUnsafeBytes { arena in
                    appendChunk(key, to: &columns) { encoder, output in
                        encoder.encode(type: column.type, rows: rows, bits: bits, arena: arena, pieces: pieces, into: &output)
                    }
                }
            }
        }
    }

    // MARK: - Pages and the end

    private mutating func endPage() throws(FileError) {
        guard !entries.isEmpty else { return }
        try endFrame()
        let index = FrameIndexPage.encode(entries, frames: frames)
        let reference = try writeFrame(index)
        pages.append(varint: entries[0].bucket)
        entries[0].name.withUnsafeBytes { pages.append(counted: $0) }
        reference.encode(into: &pages)
        pageCount += 1
        frames.removeAll(keepingCapacity: true)
        entries.removeAll(keepingCapacity: true)
        pageByteCount = 0
    }

    private mutating func writeFrame(_ raw: borrowing RawBuffer) throws(FileError) -> FrameReference {
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
        footer.index = try writeFrame(index)
        footer.encode(into: &output)
        try writeOut()
        try file.sync()
        try fileSystem.rename(temporaryPath, to: directory + "/" + SegmentName(flushes: footer.flushes).text)
        isNamed = true
        try fileSystem.syncDirectory(directory)
        return footer
    }
}

/// The fields of one segment, numbered in the order they came, and the types each has in it.
struct SegmentFields {
    private(set) var entries: [(number: UInt32, types: UInt8)] = []
    private var locals: [UInt32: Int] = [:]

    /// Number of the table's field inside the segment.
    mutating func local(_ number: UInt32, _ type: FieldType) -> Int {
        let index = locals[number] ?? entries.count
        if index == entries.count {
            entries.append((number, 0))
            locals[number] = index
        }
        entries[index].types |= 1 << type.rawValue
        return index
    }
}

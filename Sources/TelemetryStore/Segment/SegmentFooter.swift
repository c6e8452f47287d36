import Telemetry
import TelemetryCodec

/// Last 136 bytes of a segment: all that opening reads.
struct SegmentFooter: Equatable {
    var version = SegmentFormat.version
    var table: TableNumber
    var window: Int64
    /// The flushes whose rows the segment holds.
    var flushes: ClosedRange<FlushID>
    /// Newest reading of the partition when the last of these flushes began.
    var lastSequence: SequenceNumber
    var rowCount = 0
    var newRowCount = 0
    var minTime = Int64.max
    var maxTime = Int64.min
    /// Segment rows carry their commit times, and several rows may have one time (tables that keep versions).
    var hasCommitTimes: Bool
    var deviceCount = 0
    var index = FrameReference(offset: 0, compressedByteCount: 0, rawByteCount: 0, checksum: 0)

    init(
        table: TableNumber, window: Int64, flushes: ClosedRange<FlushID>, lastSequence: SequenceNumber, hasCommitTimes: Bool
    ) {
        self.table = table
        self.window = window
        self.flushes = flushes
        self.lastSequence = lastSequence
        self.hasCommitTimes = hasCommitTimes
    }

    func encode(into output: inout RawBuffer) {
        let start = output.count
        output.append(fixed: SegmentFormat.magic)
        output.append(fixed: version)
        output.append(fixed: UInt16(table))
        output.append(fixed: UInt16(hasCommitTimes ? 1 : 0))
        output.append(fixed: window)
        output.append(fixed: flushes.lowerBound)
        output.append(fixed: flushes.upperBound)
        output.append(fixed: lastSequence)
        output.append(fixed: UInt64(rowCount))
        output.append(fixed: UInt64(newRowCount))
        output.append(fixed: minTime)
        output.append(fixed: maxTime)
        output.append(fixed: UInt64(deviceCount))
        output.append(fixed: UInt64(index.offset))
        output.append(fixed: UInt64(index.compressedByteCount))
        output.append(fixed: UInt64(index.rawByteCount))
        output.append(fixed: index.checksum)
        while output.count - start < SegmentFormat.footerByteCount - 4 { output.append(UInt8(0)) }
        let checksum = output.withBytes { crc32c(UnsafeRawBufferPointer(rebasing: $0[start...])) }
        output.append(fixed: checksum)
    }

    init(_ bytes: UnsafeRawBufferPointer) throws(CodecError) {
        var cursor = ByteCursor(bytes)
        guard bytes.count == SegmentFormat.footerByteCount else { throw .malformed }
        version = try cursor.formatVersion(magic: SegmentFormat.magic, newest: SegmentFormat.version)
        table = try cursor.fixed(UInt16.self)
        hasCommitTimes = try cursor.fixed(UInt16.self) & 1 != 0
        window = try cursor.fixed(Int64.self)
        let (first, last) = (try cursor.fixed(UInt64.self), try cursor.fixed(UInt64.self))
        guard first <= last else { throw .malformed }
        flushes = first...last
        lastSequence = try cursor.fixed(UInt64.self)
        rowCount = try SegmentFooter.number(&cursor)
        newRowCount = try SegmentFooter.number(&cursor)
        minTime = try cursor.fixed(Int64.self)
        maxTime = try cursor.fixed(Int64.self)
        deviceCount = try SegmentFooter.number(&cursor)
        index = FrameReference(
            offset: try SegmentFooter.number(&cursor), compressedByteCount: try SegmentFooter.number(&cursor),
            rawByteCount: try SegmentFooter.number(&cursor), checksum: try cursor.fixed(UInt32.self))
        cursor.offset = SegmentFormat.footerByteCount - 4
        guard try cursor.fixed(UInt32.self) == crc32c(UnsafeRawBufferPointer(rebasing: bytes.dropLast(4))) else { throw .malformed }
    }

    /// Counts and places are far below this; sums of them never overflow.
    private static func number(_ cursor: inout ByteCursor) throws(CodecError) -> Int {
        let value = try cursor.fixed(UInt64.self)
        guard value <= 1 << 48 else { throw .malformed }
        return Int(value)
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

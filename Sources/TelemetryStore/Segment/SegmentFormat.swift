import Telemetry
import TelemetryCodec

/// The bytes of a segment file. Source: docs/format/segment.md. On disk: never renumber.
///
/// header · frames (each page's blocks, then its index) · sparse index · footer
enum SegmentFormat {
    /// "GAUGESEG", little-endian.
    static let magic: UInt64 = 0x4745_5345_4755_4147
    static let version: UInt32 = 1
    static let headerByteCount = 16
    static let footerByteCount = 136
    /// Rows of one block: one device, one piece of time. Small enough that an hour at 1 Hz is one block.
    static let rowsPerBlock = 4_096
    /// Bytes of strings and binaries after which a block ends: what a reader holds for one row of a waveform.
    static let bytesPerBlock = 1 << 20
    /// Raw bytes after which a frame of blocks is compressed: large enough for zstd, small enough to read for one device.
    static let frameByteCount = 64 << 10
    /// Devices of one index page.
    static let devicesPerPage = 1_024
}

/// A compressed piece of the file, by place and checksum.
struct FrameReference: Equatable {
    var offset: Int
    var compressedByteCount: Int
    var rawByteCount: Int
    /// CRC-32C of the compressed bytes.
    var checksum: UInt32

    func encode(into output: inout RawBuffer) {
        output.append(varint: offset)
        output.append(varint: compressedByteCount)
        output.append(varint: rawByteCount)
        output.append(fixed: checksum)
    }

    init(offset: Int, compressedByteCount: Int, rawByteCount: Int, checksum: UInt32) {
        self.offset = offset
        self.compressedByteCount = compressedByteCount
        self.rawByteCount = rawByteCount
        self.checksum = checksum
    }

    init(_ cursor: inout ByteCursor) throws(CodecError) {
        offset = try cursor.count(limit: 1 << 48)
        compressedByteCount = try cursor.count(limit: 1 << 31)
        rawByteCount = try cursor.count(limit: 1 << 31)
        checksum = try cursor.fixed(UInt32.self)
    }
}

/// A block inside a frame: rows of one device, newest first.
struct BlockReference: Equatable {
    var frame: FrameReference
    var offsetInFrame: Int
    var byteCount: Int
    var rowCount: Int
    var minTime: Int64
    var maxTime: Int64
}

/// One device in a segment.
struct DeviceEntry {
    var rowCount: Int
    /// Rows that began a `(device, time)` when they were committed.
    var newRowCount: Int
    var blocks: [BlockReference]
}

/// Last 136 bytes of a segment: all that opening reads.
struct SegmentFooter: Equatable {
    var table: TableNumber
    var window: Int64
    /// The flushes whose rows the segment holds.
    var flushes: ClosedRange<FlushID>
    /// Newest reading of the partition when the last of these flushes began.
    var lastSequence: SequenceNumber
    var rowCount: Int
    var newRowCount: Int
    var minTime: Int64
    var maxTime: Int64
    /// Segment rows carry their commit times (tables that keep versions).
    var hasCommitTimes: Bool
    var deviceCount: Int
    var index: FrameReference

    func encode(into output: inout RawBuffer) {
        let start = output.count
        output.append(fixed: SegmentFormat.magic)
        output.append(fixed: SegmentFormat.version)
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
        guard bytes.count == SegmentFormat.footerByteCount,
            try cursor.fixed(UInt64.self) == SegmentFormat.magic, try cursor.fixed(UInt32.self) == SegmentFormat.version
        else { throw .malformed }
        table = try cursor.fixed(UInt16.self)
        hasCommitTimes = try cursor.fixed(UInt16.self) & 1 != 0
        window = try cursor.fixed(Int64.self)
        let (first, last) = (try cursor.fixed(UInt64.self), try cursor.fixed(UInt64.self))
        guard first <= last else { throw .malformed }
        flushes = first...last
        lastSequence = try cursor.fixed(UInt64.self)
        rowCount = Int(truncatingIfNeeded: try cursor.fixed(UInt64.self))
        newRowCount = Int(truncatingIfNeeded: try cursor.fixed(UInt64.self))
        minTime = try cursor.fixed(Int64.self)
        maxTime = try cursor.fixed(Int64.self)
        deviceCount = Int(truncatingIfNeeded: try cursor.fixed(UInt64.self))
        index = FrameReference(
            offset: Int(truncatingIfNeeded: try cursor.fixed(UInt64.self)),
            compressedByteCount: Int(truncatingIfNeeded: try cursor.fixed(UInt64.self)),
            rawByteCount: Int(truncatingIfNeeded: try cursor.fixed(UInt64.self)), checksum: try cursor.fixed(UInt32.self))
        cursor.offset = SegmentFormat.footerByteCount - 4
        guard try cursor.fixed(UInt32.self) == crc32c(UnsafeRawBufferPointer(rebasing: bytes.dropLast(4))) else { throw .malformed }
    }

    init(
        table: TableNumber, window: Int64, flushes: ClosedRange<FlushID>, lastSequence: SequenceNumber, hasCommitTimes: Bool
    ) {
        self.table = table
        self.window = window
        self.flushes = flushes
        self.lastSequence = lastSequence
        self.hasCommitTimes = hasCommitTimes
        (rowCount, newRowCount, minTime, maxTime, deviceCount) = (0, 0, .max, .min, 0)
        index = FrameReference(offset: 0, compressedByteCount: 0, rawByteCount: 0, checksum: 0)
    }
}

/// Number of a flush of a table, rising by one and never used twice; 0 = none.
package typealias FlushID = UInt64

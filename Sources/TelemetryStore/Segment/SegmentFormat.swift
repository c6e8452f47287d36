import Telemetry
import TelemetryCodec

/// The bytes of a segment file. Source: docs/format/segment.md. On disk: never renumber.
///
/// header · pages (each its frames, then its index) · sparse index · footer
enum SegmentFormat {
    /// "GAUGESEG", little-endian.
    static let magic: UInt64 = 0x4745_5345_4755_4147
    /// What is written. Version 1 is read as well, see `Version1/`.
    static let version: UInt32 = 2
    static let headerByteCount = 16
    static let footerByteCount = 136
    /// Rows of one frame at most: what a reader of one row decompresses. An hour at 1 Hz is one piece.
    static let rowsPerFrame = 4_096
    /// Rows after which a frame of several devices ends: enough for zstd, few enough to read for one device.
    static let rowsPerSharedFrame = 2_048
    /// Bytes of strings and binaries after which a frame ends: what a reader holds for one row of a waveform.
    static let bytesPerFrame = 1 << 20
    /// Bytes that no piece has: it ends with the row that brings it to `bytesPerFrame`, and a row has at most 1 024 values of 64 KiB. A
    /// dictionary of wrong lengths must not fill memory.
    static let bytesPerPiece = 1 << 27
    /// Columns after which a frame ends: devices of many kinds must not make its directory long.
    static let columnsPerFrame = 512
    /// Devices of one index page at most.
    static let devicesPerPage = 1_024
    /// Raw bytes after which an index page ends: what a look-up decompresses.
    static let bytesPerPage = 32 << 10
    /// Rows from which on a piece has statistics: for fewer, decoding is as fast and smaller.
    static let rowsPerStatistics = 64

    /// Why a footer does not parse: a file whose header has a newer version is not damaged.
    static func reason(_ header: Bytes?, _ error: CodecError) -> CodecError {
        guard let header else { return error }
        do throws(CodecError) {
            try header.withBytes { (bytes) throws(CodecError) in
                var cursor = ByteCursor(bytes)
                _ = try cursor.formatVersion(magic: magic, newest: version)
            }
        } catch {
            if case .newerVersion = error { return error }
        }
        return error
    }
}

/// A zstd frame by place and checksum: an index page, the sparse index, in version 1 a group of blocks.
struct FrameReference: Equatable, Sendable {
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

/// One device in a segment.
struct DeviceEntry {
    var rowCount: Int
    /// Rows that began a `(device, time)` when they were committed.
    var newRowCount: Int
    /// Newest first.
    var pieces: [SegmentPiece]
}

/// Rows of one device that stand together: in one frame, or in version 1 one block. Newest first.
struct SegmentPiece {
    enum Place {
        /// - Parameters: position among the frame's pieces; number of the piece's first row in the frame.
        case frame(FrameDirectory, ordinal: Int, firstRow: Int)
        case block(FrameReference, offset: Int, byteCount: Int)
    }

    var place: Place
    /// Rows of the device in newer pieces of the segment.
    var rowsBefore: Int
    var rowCount: Int
    var minTime: Int64
    var maxTime: Int64

    func overlaps(_ times: ClosedRange<Int64>) -> Bool { minTime <= times.upperBound && maxTime >= times.lowerBound }

    /// `RowBuffer.Row.order` of a row of the piece. Rows of one time may lie in two pieces: the position in the device orders them, and
    /// earlier is newer.
    @inline(__always) func order(of row: Int, rank: UInt64) -> UInt64 {
        rank << 32 | UInt64(UInt32.max - UInt32(truncatingIfNeeded: rowsBefore + row))
    }
}

/// What a chunk of a frame holds. On disk: never renumber.
enum ColumnKey: Equatable, Sendable {
    case times
    case commitTimes
    case statistics
    /// - Parameter local: number of the field inside the segment.
    case field(local: Int, type: FieldType)

    var encoded: UInt64 {
        switch self {
        case .times: 0 << 3
        case .commitTimes: 1 << 3
        case .statistics: 2 << 3
        case .field(let local, let type): UInt64(local) << 3 | UInt64(type.rawValue)
        }
    }

    init(_ value: UInt64) throws(CodecError) {
        switch (value & 7, value >> 3) {
        case (0, 0): self = .times
        case (0, 1): self = .commitTimes
        case (0, 2): self = .statistics
        case (let type, let local):
            guard let type = FieldType(rawValue: UInt8(type)), local <= UInt64(Int32.max) else { throw .malformed }
            self = .field(local: Int(local), type: type)
        }
    }
}

/// The columns of one frame and where they stand in the file.
final class FrameDirectory: Sendable {
    struct Column: Sendable {
        var key: ColumnKey
        var offset: Int
        var byteCount: Int
        /// CRC-32C of the chunk as stored.
        var checksum: UInt32
    }

    let rowCount: Int
    let pieceCount: Int
    let columns: [Column]

    init(rowCount: Int, pieceCount: Int, columns: [Column]) {
        self.rowCount = rowCount
        self.pieceCount = pieceCount
        self.columns = columns
    }

    /// Row count, piece count, offset, column count; per column key, byte count, checksum. The chunks follow each other.
    convenience init(_ cursor: inout ByteCursor) throws(CodecError) {
        let rowCount = try cursor.count(limit: SegmentFormat.rowsPerFrame)
        let pieceCount = try cursor.count(limit: rowCount)
        var offset = try cursor.count(limit: 1 << 48)
        var columns: [Column] = []
        for _ in 0..<(try cursor.count(limit: cursor.remaining)) {
            let key = try ColumnKey(try cursor.varint())
            let byteCount = try cursor.count(limit: 1 << 31)
            columns.append(Column(key: key, offset: offset, byteCount: byteCount, checksum: try cursor.fixed(UInt32.self)))
            offset += byteCount
        }
        guard columns.first?.key == .times else { throw .malformed }
        self.init(rowCount: rowCount, pieceCount: pieceCount, columns: columns)
    }

    func encode(into output: inout RawBuffer) {
        output.append(varint: rowCount)
        output.append(varint: pieceCount)
        output.append(varint: columns[0].offset)
        output.append(varint: columns.count)
        for column in columns {
            output.append(varint: column.key.encoded)
            output.append(varint: column.byteCount)
            output.append(fixed: column.checksum)
        }
    }

    func position(of key: ColumnKey) -> Int? { columns.firstIndex { $0.key == key } }
}

/// Number of a flush of a table, rising by one and never used twice; 0 = none.
package typealias FlushID = UInt64

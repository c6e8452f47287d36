import Telemetry
import TelemetryCodec

/// Where the raw bytes of a block of version 1 go. Source: docs/format/segment.md, "Block".
struct BlockLayout {
    struct Column {
        /// Number of the field inside the segment.
        var local: Int
        var type: FieldType
        var byteCount: Int
    }

    private(set) var timeByteCount: Int
    private(set) var commitTimeByteCount = 0
    private(set) var columns: [Column] = []

    init(_ block: UnsafeRawBufferPointer, hasCommitTimes: Bool) throws(CodecError) {
        var cursor = ByteCursor(block)
        let rowCount = try cursor.count(limit: SegmentFormat.rowsPerFrame)
        for _ in 0..<rowCount { _ = try cursor.varint() }
        timeByteCount = cursor.offset
        if hasCommitTimes {
            for _ in 0..<rowCount { _ = try cursor.varint() }
            commitTimeByteCount = cursor.offset - timeByteCount
        }
        for _ in 0..<(try cursor.count(limit: cursor.remaining)) {
            let start = cursor.offset
            let local = try cursor.count(limit: Int(Int32.max))
            guard let type = FieldType(rawValue: try cursor.byte()) else { throw .malformed }
            if try cursor.byte() == 1 { _ = try cursor.slice((rowCount + 7) / 8) }
            _ = try cursor.countedBytes()
            columns.append(Column(local: local, type: type, byteCount: cursor.offset - start))
        }
    }
}

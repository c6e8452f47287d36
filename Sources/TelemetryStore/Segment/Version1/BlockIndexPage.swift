import Telemetry
import TelemetryCodec

/// An index page of version 1: frames hold blocks of one device each.
struct BlockIndexPage: IndexPage {
    private let bytes: UnsafeRawBufferPointer
    private let frames: [FrameReference]
    private let offsetsStart: Int
    private let entriesStart: Int
    let deviceCount: Int

    init(_ bytes: UnsafeRawBufferPointer) throws(CodecError) {
        self.bytes = bytes
        var cursor = ByteCursor(bytes)
        deviceCount = try cursor.count(limit: bytes.count)
        var frames: [FrameReference] = []
        for _ in 0..<(try cursor.count(limit: bytes.count)) { frames.append(try FrameReference(&cursor)) }
        self.frames = frames
        offsetsStart = cursor.offset
        entriesStart = offsetsStart + deviceCount * 4
        guard entriesStart <= bytes.count else { throw .truncated }
    }

    private func cursor(_ position: Int) throws(CodecError) -> ByteCursor {
        let offset = bytes.loadUnaligned(fromByteOffset: offsetsStart + position * 4, as: UInt32.self)
        guard entriesStart + Int(UInt32(littleEndian: offset)) <= bytes.count else { throw .malformed }
        return ByteCursor(bytes, offset: entriesStart + Int(UInt32(littleEndian: offset)))
    }

    func key(_ position: Int) throws(CodecError) -> (bucket: Int, name: UnsafeRawBufferPointer) {
        var cursor = try cursor(position)
        return (try cursor.count(limit: 1 << 16), try cursor.countedBytes())
    }

    func entry(_ position: Int) throws(CodecError) -> KeyedEntry {
        var cursor = try cursor(position)
        let bucket = try cursor.count(limit: 1 << 16)
        let name = try cursor.countedBytes()
        var entry = DeviceEntry(
            rowCount: try cursor.count(limit: 1 << 48), newRowCount: try cursor.count(limit: 1 << 48), pieces: [])
        var rowsBefore = 0
        for _ in 0..<(try cursor.count(limit: cursor.remaining)) {
            let frame = frames[try cursor.count(limit: frames.count - 1)]
            let offset = try cursor.count(limit: frame.rawByteCount)
            let byteCount = try cursor.count(limit: frame.rawByteCount)
            let rowCount = try cursor.count(limit: SegmentFormat.rowsPerFrame)
            let minTime = try cursor.zigzag()
            let maxTime = minTime &+ Int64(bitPattern: try cursor.varint())
            entry.pieces.append(
                SegmentPiece(
                    place: .block(frame, offset: offset, byteCount: byteCount), rowsBefore: rowsBefore, rowCount: rowCount,
                    minTime: minTime, maxTime: maxTime))
            rowsBefore += rowCount
        }
        // A device that has no rows does not occur.
        guard !entry.pieces.isEmpty else { throw .malformed }
        return (bucket, name, entry)
    }
}

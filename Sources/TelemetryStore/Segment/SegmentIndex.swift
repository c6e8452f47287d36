import Telemetry
import TelemetryCodec

/// Orders row keys: bucket, then the device's bytes.
func compareKeys(_ aBucket: Int, _ aName: UnsafeRawBufferPointer, _ bBucket: Int, _ bName: UnsafeRawBufferPointer) -> Int {
    aBucket != bBucket ? aBucket - bBucket : compareBytes(aName, bName)
}

/// The part of a segment's index that stays in memory: its fields, and the first key and place of each index page.
struct SparseIndex: Sendable {
    struct Field: Sendable {
        /// The table's number of the field.
        var number: UInt32
        var name: String
        /// Bit `FieldType.rawValue` is set for each type the segment holds.
        var types: UInt8
    }

    struct Page: Sendable {
        var bucket: Int
        var name: [UInt8]
        var frame: FrameReference
    }

    private(set) var fields: [Field] = []
    private(set) var pages: [Page] = []

    init(_ bytes: UnsafeRawBufferPointer) throws(CodecError) {
        var cursor = ByteCursor(bytes)
        for _ in 0..<(try cursor.count(limit: cursor.remaining)) {
            let number = UInt32(try cursor.count(limit: Int(Int32.max)))
            fields.append(Field(number: number, name: try cursor.countedString(), types: try cursor.byte()))
        }
        for _ in 0..<(try cursor.count(limit: cursor.remaining)) {
            let bucket = try cursor.count(limit: 1 << 16)
            let name = Array(try cursor.countedBytes())
            pages.append(Page(bucket: bucket, name: name, frame: try FrameReference(&cursor)))
        }
    }

    /// The page that would hold the key.
    func page(bucket: Int, name: UnsafeRawBufferPointer) -> FrameReference? {
        var (low, high) = (0, pages.count)
        while low < high {
            let middle = (low + high) / 2
            let order = pages[middle].name.withUnsafeBytes { compareKeys(pages[middle].bucket, $0, bucket, name) }
            if order <= 0 { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : pages[low - 1].frame
    }
}

/// A decompressed index page: entries of neighbouring devices, found by binary search.
struct IndexPage {
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

    func find(bucket: Int, name: UnsafeRawBufferPointer) throws(CodecError) -> Int? {
        var (low, high) = (0, deviceCount)
        while low < high {
            let middle = (low + high) / 2
            var cursor = try cursor(middle)
            let middleBucket = try cursor.count(limit: 1 << 16)
            let order = compareKeys(middleBucket, try cursor.countedBytes(), bucket, name)
            if order == 0 { return middle }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    /// The device at `position`, in key order. The name is a slice of the page.
    func entry(_ position: Int) throws(CodecError) -> (bucket: Int, name: UnsafeRawBufferPointer, entry: DeviceEntry) {
        var cursor = try cursor(position)
        let bucket = try cursor.count(limit: 1 << 16)
        let name = try cursor.countedBytes()
        var entry = DeviceEntry(rowCount: try cursor.count(limit: .max), newRowCount: try cursor.count(limit: .max), blocks: [])
        for _ in 0..<(try cursor.count(limit: cursor.remaining)) {
            let frame = try cursor.count(limit: frames.count - 1)
            let offset = try cursor.count(limit: frames[frame].rawByteCount)
            let byteCount = try cursor.count(limit: frames[frame].rawByteCount)
            let rowCount = try cursor.count(limit: SegmentFormat.rowsPerBlock)
            let minTime = try cursor.zigzag()
            let maxTime = minTime &+ Int64(bitPattern: try cursor.varint())
            entry.blocks.append(
                BlockReference(
                    frame: frames[frame], offsetInFrame: offset, byteCount: byteCount, rowCount: rowCount, minTime: minTime,
                    maxTime: maxTime))
        }
        return (bucket, name, entry)
    }
}

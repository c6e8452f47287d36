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

/// An entry of an index page. The name is a slice of the page.
typealias KeyedEntry = (bucket: Int, name: UnsafeRawBufferPointer, entry: DeviceEntry)

/// A decompressed index page: entries of neighbouring devices, found by binary search, and the directories of their frames.
protocol IndexPage {
    var deviceCount: Int { get }
    func key(_ position: Int) throws(CodecError) -> (bucket: Int, name: UnsafeRawBufferPointer)
    /// The device at `position`, in key order.
    mutating func entry(_ position: Int) throws(CodecError) -> KeyedEntry
}

extension IndexPage {
    mutating func find(bucket: Int, name: UnsafeRawBufferPointer) throws(CodecError) -> DeviceEntry? {
        var (low, high) = (0, deviceCount)
        while low < high {
            let middle = (low + high) / 2
            let key = try key(middle)
            let order = compareKeys(key.bucket, key.name, bucket, name)
            if order == 0 { return try entry(middle).entry }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return nil
    }
}

/// Version 2. Source: docs/format/segment.md, "Index page".
struct FrameIndexPage: IndexPage {
    private let bytes: UnsafeRawBufferPointer
    let deviceCount: Int
    private let frameCount: Int
    private let baseTime: Int64
    /// The frame parsed last: neighbouring devices share it.
    private var frame: (position: Int, directory: FrameDirectory)?

    init(_ bytes: UnsafeRawBufferPointer) throws(CodecError) {
        self.bytes = bytes
        var cursor = ByteCursor(bytes)
        deviceCount = Int(try cursor.fixed(UInt32.self))
        frameCount = Int(try cursor.fixed(UInt32.self))
        baseTime = try cursor.fixed(Int64.self)
        guard (deviceCount + frameCount) * 4 <= cursor.remaining else { throw .truncated }
    }

    private static let headerByteCount = 16

    /// - Parameter slot: devices first, then frames.
    private func cursor(slot: Int) throws(CodecError) -> ByteCursor {
        let offset = bytes.loadUnaligned(fromByteOffset: FrameIndexPage.headerByteCount + slot * 4, as: UInt32.self)
        guard Int(UInt32(littleEndian: offset)) <= bytes.count else { throw .malformed }
        return ByteCursor(bytes, offset: Int(UInt32(littleEndian: offset)))
    }

    func key(_ position: Int) throws(CodecError) -> (bucket: Int, name: UnsafeRawBufferPointer) {
        var cursor = try cursor(slot: position)
        return (try cursor.count(limit: 1 << 16), try cursor.countedBytes())
    }

    mutating func entry(_ position: Int) throws(CodecError) -> KeyedEntry {
        var cursor = try cursor(slot: position)
        let bucket = try cursor.count(limit: 1 << 16)
        let name = try cursor.countedBytes()
        var entry = DeviceEntry(
            rowCount: try cursor.count(limit: 1 << 48), newRowCount: try cursor.count(limit: 1 << 48), pieces: [])
        var rowsBefore = 0
        for _ in 0..<(try cursor.count(limit: cursor.remaining)) {
            let piece = try piece(&cursor, rowsBefore: rowsBefore)
            rowsBefore += piece.rowCount
            entry.pieces.append(piece)
        }
        // A device that has no rows does not occur.
        guard !entry.pieces.isEmpty else { throw .malformed }
        return (bucket, name, entry)
    }

    private mutating func piece(_ cursor: inout ByteCursor, rowsBefore: Int) throws(CodecError) -> SegmentPiece {
        let directory = try directory(try cursor.count(limit: frameCount - 1))
        let ordinal = try cursor.count(limit: directory.pieceCount - 1)
        let firstRow = try cursor.count(limit: directory.rowCount - 1)
        let rowCount = try cursor.count(limit: directory.rowCount - firstRow)
        let minTime = baseTime &+ Int64(bitPattern: try cursor.varint())
        let maxTime = minTime &+ Int64(bitPattern: try cursor.varint())
        guard rowCount > 0, minTime <= maxTime else { throw .malformed }
        return SegmentPiece(
            place: .frame(directory, ordinal: ordinal, firstRow: firstRow), rowsBefore: rowsBefore, rowCount: rowCount, minTime: minTime,
            maxTime: maxTime)
    }

    private mutating func directory(_ position: Int) throws(CodecError) -> FrameDirectory {
        if let frame, frame.position == position { return frame.directory }
        var cursor = try cursor(slot: deviceCount + position)
        let directory = try FrameDirectory(&cursor)
        frame = (position, directory)
        return directory
    }

    // MARK: - Writing

    /// An entry of the page under construction.
    struct Draft {
        var bucket: Int
        var name: [UInt8]
        var rowCount: Int
        var newRowCount: Int
        var pieces: [PieceDraft] = []
    }

    struct PieceDraft {
        var frame: Int
        var ordinal: Int
        var firstRow: Int
        var rowCount: Int
        var minTime: Int64
        var maxTime: Int64
    }

    static func encode(_ entries: [Draft], frames: [FrameDirectory]) -> RawBuffer {
        var output = RawBuffer(capacity: SegmentFormat.bytesPerPage * 2)
        let baseTime = entries.lazy.flatMap(\.pieces).map(\.minTime).min() ?? 0
        output.append(fixed: UInt32(entries.count))
        output.append(fixed: UInt32(frames.count))
        output.append(fixed: baseTime)
        for _ in 0..<(entries.count + frames.count) { output.append(fixed: UInt32(0)) }
        for (slot, entry) in entries.enumerated() {
            output.patch(UInt32(output.count), at: headerByteCount + slot * 4)
            encode(entry, baseTime: baseTime, into: &output)
        }
        for (position, frame) in frames.enumerated() {
            output.patch(UInt32(output.count), at: headerByteCount + (entries.count + position) * 4)
            frame.encode(into: &output)
        }
        return output
    }

    private static func encode(_ entry: Draft, baseTime: Int64, into output: inout RawBuffer) {
        output.append(varint: entry.bucket)
        entry.name.withUnsafeBytes { output.append(counted: $0) }
        output.append(varint: entry.rowCount)
        output.append(varint: entry.newRowCount)
        output.append(varint: entry.pieces.count)
        for piece in entry.pieces {
            output.append(varint: piece.frame)
            output.append(varint: piece.ordinal)
            output.append(varint: piece.firstRow)
            output.append(varint: piece.rowCount)
            output.append(varint: UInt64(bitPattern: piece.minTime &- baseTime))
            output.append(varint: UInt64(bitPattern: piece.maxTime &- piece.minTime))
        }
    }
}

import TelemetryCodec

/// Walks several segments of one partition as one: device by device in key order, the rows of each newest first, as many at a time as
/// are asked for.
struct SegmentMerger {
    struct Device {
        var bucket: Int
        var name: [UInt8]
        var newRowCount = 0
    }

    private let times: ClosedRange<Int64>
    private var cursors: [SegmentCursor] = []
    /// Pieces of the present device with their cursors, newest first.
    private var pieces: [(piece: SegmentPiece, cursor: Int)] = []
    /// Cursors that stand on the present device.
    private var passed: [Int] = []
    private var merge = PieceMerge(maxTimes: [])

    /// - Parameters:
    ///   - segments: in order of flushes.
    ///   - fieldNames: what fields to write are called, by number; nil when nothing is written.
    ///   - times: only rows of these, µs; nil: all.
    /// - Throws: `.corruption`, for fields that the table does not know as well.
    init(_ segments: [Segment], fieldNames: [String]? = nil, times: ClosedRange<Int64>? = nil) throws(StoreError) {
        self.times = times ?? .min ... .max
        if let fieldNames { for segment in segments { try segment.checkFields(fieldNames) } }
        for segment in segments { cursors.append(try SegmentCursor(segment)) }
    }

    /// Goes to the next device; nil at the end.
    mutating func nextDevice() throws(StoreError) -> Device? {
        for cursor in passed { try cursors[cursor].advance() }
        passed.removeAll(keepingCapacity: true)
        pieces.removeAll(keepingCapacity: true)
        guard var device = leastKey() else { return nil }
        for index in cursors.indices {
            guard let key = cursors[index].current, key.bucket == device.bucket,
                device.name.withUnsafeBytes({ compareBytes(key.name, $0) }) == 0
            else { continue }
            passed.append(index)
            device.newRowCount += key.entry.newRowCount
            for piece in key.entry.pieces where piece.overlaps(times) { pieces.append((piece, index)) }
        }
        pieces.sort { $0.piece.maxTime > $1.piece.maxTime }
        merge = PieceMerge(maxTimes: pieces.map(\.piece.maxTime))
        return device
    }

    private func leastKey() -> Device? {
        var least: (bucket: Int, name: UnsafeRawBufferPointer)?
        for cursor in cursors {
            guard let key = cursor.current else { continue }
            if least == nil || compareKeys(key.bucket, key.name, least!.bucket, least!.name) < 0 { least = (key.bucket, key.name) }
        }
        return least.map { Device(bucket: $0.bucket, name: Array($0.name)) }
    }

    /// Adds the next rows of the device to `rows`; see `PieceMerge`.
    /// - Returns: false: none are left behind these.
    mutating func readRows(atLeast count: Int, into rows: inout RowBuffer) throws(StoreError) -> Bool {
        try merge.readRows(atLeast: count, into: &rows) { (index, rows) throws(StoreError) in
            try cursors[pieces[index].cursor].read(pieces[index].piece, times: times, into: &rows)
        }
    }
}

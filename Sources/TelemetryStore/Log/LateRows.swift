import Telemetry
import TelemetryCodec

/// What a row says that is not the newest of its device: something new, a version, or what is known already.
///
/// For the thread that applies commits, under the table's write lock, so look-ups must be quick however rows are shuffled: heads index
/// the times of devices that are out of order, and of segments the times read last are kept.
struct LateRows {
    enum Effect {
        /// No row of its device has its time.
        case new
        /// One has, and says something else.
        case version
        /// Every cell equals the newest of its device, time and field.
        case duplicate
    }

    private var times = SegmentTimes()
    private var match = RowMatch()
    private var rows = RowBuffer()

    /// - Parameter cells: checked.
    mutating func effect(
        of cells: UnsafeRawBufferPointer, device: UInt32, time: Int64, in partition: Partition, of table: TableCore
    ) -> Effect {
        match.begin(cells)
        for head in [partition.head, partition.frozen?.head] {
            head?.forEachRow(of: device, at: time) { match.meet($0) }
        }
        if !match.isDecided {
            do throws(StoreError) { try meetSegments(device, time, partition, table) } catch {
                // A damaged block: the reading is acked and must not be lost, so it is kept as a further version. The damage itself is
                // reported by whoever reads or merges the block.
                return .version
            }
        }
        return match.effect
    }

    private mutating func meetSegments(_ device: UInt32, _ time: Int64, _ partition: Partition, _ table: TableCore) throws(StoreError) {
        for segment in partition.segments.reversed() where segment.footer.minTime <= time && segment.footer.maxTime >= time {
            guard !match.isDecided else { return }
            guard try times.contains(time, segment, device: device, of: table) else { continue }
            rows.removeAll()
            try segment.readRows(of: device, at: time...time, table, into: &rows)
            rows.sortNewestFirst()
            for row in rows.rows where !match.isDecided { match.meet(rows.cells(of: row), bytes: rows.bytes) }
        }
    }
}

extension Segment {
    /// Adds the device's rows of `times` to `buffer`; unsorted. For applying a row.
    func readRows(
        of device: UInt32, at times: ClosedRange<Int64>, _ table: TableCore, into buffer: inout RowBuffer
    ) throws(StoreError) {
        try withKey(of: device, table) { (bucket, name) throws(StoreError) in
            let source = PartitionSources(segments: [self], heads: [])
            try source.read(bucket: bucket, device: name, times: times, wanted: nil, into: &buffer)
        }
    }

    /// Bucket and name, by which segments know the device.
    func withKey<R>(
        of device: UInt32, _ table: TableCore, _ body: (Int, UnsafeRawBufferPointer) throws(StoreError) -> R
    ) throws(StoreError) -> R {
        let key = table.registry.readingNames { names in
            (bucket: Int(names.buckets[Int(device)]), name: names.devices.withName(device) { Array($0) })
        }
        return try key.name.withRawBytes { (name) throws(StoreError) in try body(key.bucket, name) }
    }
}

/// Compares a row with the stored rows of its device and time, which come newest first: the first that has a field decides on it.
struct RowMatch {
    private var cells = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Cells that no stored row had so far.
    private var open: [RowBuffer.FieldCell] = []
    private var isKnown = false
    private var differs = false

    mutating func begin(_ cells: UnsafeRawBufferPointer) {
        self.cells = cells
        open.removeAll(keepingCapacity: true)
        CellWalk.forEach(cells) { field, cell in open.append(RowBuffer.FieldCell(field: field, cell: cell)) }
        (isKnown, differs) = (false, false)
    }

    /// Older rows cannot change the effect.
    var isDecided: Bool { differs || open.isEmpty }

    var effect: LateRows.Effect {
        if !isKnown { return .new }
        return differs || !open.isEmpty ? .version : .duplicate
    }

    /// - Returns: true when older rows may matter.
    mutating func meet(_ stored: UnsafeRawBufferPointer) -> Bool {
        isKnown = true
        CellWalk.forEach(stored) { field, cell in meet(field, cell, stored) }
        return !isDecided
    }

    mutating func meet(_ stored: ArraySlice<RowBuffer.FieldCell>, bytes: [UInt8]) {
        isKnown = true
        bytes.withUnsafeBytes { bytes in
            for entry in stored { meet(entry.field, entry.cell, bytes) }
        }
    }

    @inline(__always)
    private mutating func meet(_ field: UInt32, _ stored: Cell, _ bytes: UnsafeRawBufferPointer) {
        guard let position = open.firstIndex(where: { $0.field == field }) else { return }
        let cell = open.remove(at: position).cell
        if cell.type != stored.type {
            differs = true
        } else if cell.type!.isBytes {
            let known = UnsafeRawBufferPointer(rebasing: bytes[stored.byteRange])
            if compareBytes(UnsafeRawBufferPointer(rebasing: cells[cell.byteRange]), known) != 0 { differs = true }
        } else if cell.bits != stored.bits {
            differs = true
        }
    }
}

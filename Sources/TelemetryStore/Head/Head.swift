import Telemetry
import TelemetryCodec

/// The in-memory, not yet flushed rows of one partition: per device a list of chunks, appended to in O(1).
///
/// Written by the thread that applies commits, under the table's write lock. Chunk views taken under the read lock stay readable
/// without it as long as the head is referenced. `@unchecked Sendable` for that reason.
final class Head: @unchecked Sendable {
    private static let smallestChunk = 192
    private static let largestChunk = 8 << 10
    private static let smallestSlab = 16 << 10
    private static let largestSlab = 1 << 20

    struct Entry {
        var device: UInt32
        var first: HeadChunk
        var last: HeadChunk
        var rowCount = 0
        /// Rows that began a `(device, time)`.
        var newRowCount = 0
        var minTime = Int64.max
        var maxTime = Int64.min
        var isAscending = true
    }

    /// Sequence number of the first row; what follows must stay in the log until the head is flushed.
    let firstSequence: SequenceNumber
    /// Commit time of the first row: the head's age counts from it.
    let created: Timestamp
    private(set) var entries: [Entry] = []
    private(set) var newRowCount = 0
    private(set) var byteCount = 0
    private var index = IndexMap()
    private var slabs: [UnsafeMutableRawPointer] = []
    private var slabOffset = 0
    private var slabCapacity = 0

    init(firstSequence: SequenceNumber, created: Timestamp) {
        self.firstSequence = firstSequence
        self.created = created
    }

    deinit { for slab in slabs { slab.deallocate() } }

    /// - Parameter cells: encoded by `CellCoding`; copied.
    func append(device: UInt32, time: Int64, commitTime: Int64, cells: UnsafeRawBufferPointer, isNew: Bool) {
        let position = index.find(device) ?? addEntry(device, cellByteCount: cells.count)
        if !entries[position].last.hasRoom(for: cells.count) {
            let capacity = min(Head.largestChunk, entries[position].last.capacity * 2)
            let chunk = addChunk(capacity: capacity, cellByteCount: cells.count)
            entries[position].last.next = chunk.base
            entries[position].last = chunk
        }
        entries[position].last.append(time: time, commitTime: commitTime, cells: cells)
        entries[position].rowCount += 1
        if isNew {
            entries[position].newRowCount += 1
            newRowCount += 1
        }
        if time <= entries[position].maxTime { entries[position].isAscending = false }
        if time < entries[position].minTime { entries[position].minTime = time }
        if time > entries[position].maxTime { entries[position].maxTime = time }
    }

    func entry(of device: UInt32) -> Entry? { index.find(device).map { entries[$0] } }

    /// Views of the device's chunks that may hold a row of `times`, in order of arrival.
    func chunks(of device: UInt32, times: ClosedRange<Int64>) -> [HeadChunkView] {
        guard let entry = entry(of: device), entry.minTime <= times.upperBound, entry.maxTime >= times.lowerBound else { return [] }
        var views: [HeadChunkView] = []
        var row = 0
        var next: HeadChunk? = entry.first
        while let chunk = next {
            if chunk.rowCount > 0, chunk.minTime <= times.upperBound, chunk.maxTime >= times.lowerBound {
                views.append(HeadChunkView(chunk, firstRow: row))
            }
            row += chunk.rowCount
            next = chunk.next.map(HeadChunk.init)
        }
        return views
    }

    private func addEntry(_ device: UInt32, cellByteCount: Int) -> Int {
        let chunk = addChunk(capacity: Head.smallestChunk, cellByteCount: cellByteCount)
        entries.append(Entry(device: device, first: chunk, last: chunk))
        byteCount += MemoryLayout<Entry>.stride + 16
        index.insert(device, entries.count - 1)
        return entries.count - 1
    }

    private func addChunk(capacity: Int, cellByteCount: Int) -> HeadChunk {
        let needed = HeadChunk.headerByteCount + HeadChunk.rowHeaderByteCount + cellByteCount
        let capacity = (max(capacity, needed) + 7) / 8 * 8
        if slabOffset + capacity > slabCapacity {
            slabCapacity = max(capacity, min(Head.largestSlab, max(Head.smallestSlab, slabCapacity * 2)))
            slabs.append(.allocate(byteCount: slabCapacity, alignment: 8))
            slabOffset = 0
            byteCount += slabCapacity
        }
        defer { slabOffset += capacity }
        return HeadChunk(in: slabs[slabs.count - 1] + slabOffset, capacity: capacity)
    }
}

/// Device number → position, open addressing.
struct IndexMap {
    private var keys = [UInt32](repeating: .max, count: 16)
    private var values = [Int32](repeating: 0, count: 16)
    private var count = 0

    @inline(__always)
    func find(_ key: UInt32) -> Int? {
        let mask = keys.count - 1
        var slot = Int(key &* 0x9E37_79B1) & mask
        while keys[slot] != .max {
            if keys[slot] == key { return Int(values[slot]) }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// - Precondition: `find(key)` is nil.
    mutating func insert(_ key: UInt32, _ value: Int) {
        if (count + 1) * 2 > keys.count { grow() }
        place(key, Int32(value))
        count += 1
    }

    private mutating func place(_ key: UInt32, _ value: Int32) {
        let mask = keys.count - 1
        var slot = Int(key &* 0x9E37_79B1) & mask
        while keys[slot] != .max { slot = (slot + 1) & mask }
        keys[slot] = key
        values[slot] = value
    }

    private mutating func grow() {
        let old = zip(keys, values)
        keys = [UInt32](repeating: .max, count: keys.count * 2)
        values = [Int32](repeating: 0, count: keys.count)
        for (key, value) in old where key != .max { place(key, value) }
    }
}

/// What changes of a head. Freed by the head.
struct HeadState {
    let gauge: MemoryGauge
    var entries = UnsafeMutablePointer<Head.Entry>.allocate(capacity: 16)
    var entryCapacity = 16
    var entryCount = 0
    var newRowCount = 0
    var byteCount = 0
    var index = DeviceIndex()
    var slabs: [UnsafeMutableRawPointer] = []
    var slabOffset = 0
    var slabCapacity = 0
    /// By position of the entry; of devices whose rows come out of order.
    var timeIndexes: [Int: TimeIndex] = [:]
}

/// Adds rows to a head. A plain pointer, so that the way of every reading neither counts references nor checks exclusivity.
struct HeadAppender {
    private static let largestChunk = 8 << 10
    private static let smallestSlab = 16 << 10
    private static let largestSlab = 1 << 20

    private let state: UnsafeMutablePointer<HeadState>

    init(_ state: UnsafeMutablePointer<HeadState>) { self.state = state }

    /// - Parameter cells: encoded by `CellCoding`; copied.
    @inline(__always)
    func append(device: UInt32, time: Int64, commitTime: Int64, cells: UnsafeRawBufferPointer, isNew: Bool) {
        let position = state.pointee.index.find(device) ?? addEntry(device, cellByteCount: cells.count)
        let entry = state.pointee.entries + position
        let byteCount = HeadChunk.rowHeaderByteCount + cells.count
        if Int(entry.pointee.lastUsed) + byteCount > Int(entry.pointee.lastCapacity) { extend(entry, cellByteCount: cells.count) }
        let row = HeadRow(
            at: entry.pointee.last.base + Int(entry.pointee.lastUsed), time: time, commitTime: commitTime, cells: cells)
        entry.pointee.lastUsed += UInt32(truncatingIfNeeded: byteCount)
        entry.pointee.rows += 1
        if isNew {
            entry.pointee.newRows += 1
            state.pointee.newRowCount += 1
        }
        if time < entry.pointee.lastMinTime { entry.pointee.lastMinTime = time }
        if time < entry.pointee.minTime { entry.pointee.minTime = time }
        if time > entry.pointee.maxTime { entry.pointee.maxTime = time }
        if !state.pointee.timeIndexes.isEmpty { addToTimeIndex(row, position) }
    }

    private func addEntry(_ device: UInt32, cellByteCount: Int) -> Int {
        if state.pointee.entryCount == state.pointee.entryCapacity {
            let entries = UnsafeMutablePointer<Head.Entry>.allocate(capacity: state.pointee.entryCapacity * 2)
            entries.moveInitialize(from: state.pointee.entries, count: state.pointee.entryCount)
            state.pointee.entries.deallocate()
            state.pointee.entries = entries
            state.pointee.entryCapacity *= 2
        }
        let position = state.pointee.entryCount
        // Two rows: of many devices a head sees no more.
        let chunk = addChunk(capacity: HeadChunk.headerByteCount + 2 * (HeadChunk.rowHeaderByteCount + cellByteCount))
        (state.pointee.entries + position).initialize(to: Head.Entry(device: device, chunk: chunk))
        state.pointee.entryCount += 1
        count(MemoryLayout<Head.Entry>.stride + 16)
        state.pointee.index.insert(device, position)
        return position
    }

    private func extend(_ entry: UnsafeMutablePointer<Head.Entry>, cellByteCount: Int) {
        let needed = HeadChunk.headerByteCount + HeadChunk.rowHeaderByteCount + cellByteCount
        let chunk = addChunk(capacity: max(needed, min(HeadAppender.largestChunk, Int(entry.pointee.lastCapacity) * 2)))
        entry.pointee.last.close(entry.pointee.lastView, next: chunk)
        entry.pointee.last = chunk
        (entry.pointee.lastUsed, entry.pointee.lastCapacity) = (UInt32(HeadChunk.headerByteCount), UInt32(chunk.capacity))
        (entry.pointee.rowsBefore, entry.pointee.lastMinTime) = (entry.pointee.rows, .max)
    }

    private func addChunk(capacity: Int) -> HeadChunk {
        let capacity = (capacity + 7) / 8 * 8
        if state.pointee.slabOffset + capacity > state.pointee.slabCapacity {
            let slabCapacity = max(capacity, min(HeadAppender.largestSlab, max(HeadAppender.smallestSlab, state.pointee.slabCapacity * 2)))
            state.pointee.slabs.append(.allocate(byteCount: slabCapacity, alignment: 8))
            (state.pointee.slabOffset, state.pointee.slabCapacity) = (0, slabCapacity)
            count(slabCapacity)
        }
        defer { state.pointee.slabOffset += capacity }
        return HeadChunk(in: state.pointee.slabs.last! + state.pointee.slabOffset, capacity: capacity)
    }

    func count(_ byteCount: Int) {
        state.pointee.byteCount += byteCount
        state.pointee.gauge.add(byteCount)
    }

    private func addToTimeIndex(_ row: HeadRow, _ position: Int) {
        guard let index = state.pointee.timeIndexes[position] else { return }
        let before = index.byteCount
        index.insert(row)
        if index.byteCount != before { count(index.byteCount - before) }
    }
}

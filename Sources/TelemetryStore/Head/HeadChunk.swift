import TelemetryCodec

/// A piece of one device's unflushed rows: a header and encoded rows behind each other, inside a slab of its head.
///
/// Row: time i64 · commit time i64 · byte count of the cells u32 · cells (`CellCoding`). Bytes below `used` never change, so a reader
/// that took `used` under the lock reads on without it while the head grows.
struct HeadChunk {
    static let headerByteCount = 40
    static let rowHeaderByteCount = 20

    let base: UnsafeMutableRawPointer

    init(_ base: UnsafeMutableRawPointer) { self.base = base }

    /// Prepares fresh memory of `capacity` bytes, header included.
    init(in base: UnsafeMutableRawPointer, capacity: Int) {
        self.base = base
        next = nil
        used = HeadChunk.headerByteCount
        self.capacity = capacity
        rowCount = 0
        minTime = .max
        maxTime = .min
    }

    var next: UnsafeMutableRawPointer? {
        get { UnsafeMutableRawPointer(bitPattern: base.load(fromByteOffset: 0, as: UInt.self)) }
        nonmutating set { base.storeBytes(of: UInt(bitPattern: newValue), toByteOffset: 0, as: UInt.self) }
    }
    var used: Int {
        get { Int(base.load(fromByteOffset: 8, as: UInt32.self)) }
        nonmutating set { base.storeBytes(of: UInt32(truncatingIfNeeded: newValue), toByteOffset: 8, as: UInt32.self) }
    }
    var capacity: Int {
        get { Int(base.load(fromByteOffset: 12, as: UInt32.self)) }
        nonmutating set { base.storeBytes(of: UInt32(newValue), toByteOffset: 12, as: UInt32.self) }
    }
    var rowCount: Int {
        get { Int(base.load(fromByteOffset: 16, as: UInt32.self)) }
        nonmutating set { base.storeBytes(of: UInt32(truncatingIfNeeded: newValue), toByteOffset: 16, as: UInt32.self) }
    }
    var minTime: Int64 {
        get { base.load(fromByteOffset: 24, as: Int64.self) }
        nonmutating set { base.storeBytes(of: newValue, toByteOffset: 24, as: Int64.self) }
    }
    var maxTime: Int64 {
        get { base.load(fromByteOffset: 32, as: Int64.self) }
        nonmutating set { base.storeBytes(of: newValue, toByteOffset: 32, as: Int64.self) }
    }

    func hasRoom(for cellByteCount: Int) -> Bool { used + HeadChunk.rowHeaderByteCount + cellByteCount <= capacity }

    /// - Returns: the row.
    @inline(__always)
    func append(time: Int64, commitTime: Int64, cells: UnsafeRawBufferPointer) -> HeadRow {
        let row = base + used
        row.storeBytes(of: time, as: Int64.self)
        row.storeBytes(of: commitTime, toByteOffset: 8, as: Int64.self)
        row.storeBytes(of: UInt32(truncatingIfNeeded: cells.count), toByteOffset: 16, as: UInt32.self)
        if let source = cells.baseAddress { (row + HeadChunk.rowHeaderByteCount).copyMemory(from: source, byteCount: cells.count) }
        used += HeadChunk.rowHeaderByteCount + cells.count
        rowCount += 1
        if time < minTime { minTime = time }
        if time > maxTime { maxTime = time }
        return HeadRow(base: row)
    }
}

/// One row inside a chunk.
struct HeadRow {
    let base: UnsafeRawPointer

    var time: Int64 { base.loadUnaligned(as: Int64.self) }
    var commitTime: Int64 { base.loadUnaligned(fromByteOffset: 8, as: Int64.self) }
    var cells: UnsafeRawBufferPointer {
        let count = Int(base.loadUnaligned(fromByteOffset: 16, as: UInt32.self))
        return UnsafeRawBufferPointer(start: base + HeadChunk.rowHeaderByteCount, count: count)
    }
    var byteCount: Int { HeadChunk.rowHeaderByteCount + cells.count }
}

/// What a reader took of a chunk under the lock.
struct HeadChunkView {
    let base: UnsafeMutableRawPointer
    let used: Int
    let rowCount: Int
    let minTime: Int64
    let maxTime: Int64
    /// Number of the chunk's first row in its device: orders versions.
    let firstRow: Int

    init(_ chunk: HeadChunk, firstRow: Int) {
        base = chunk.base
        used = chunk.used
        rowCount = chunk.rowCount
        minTime = chunk.minTime
        maxTime = chunk.maxTime
        self.firstRow = firstRow
    }

    /// In order of arrival.
    @inline(__always)
    func forEachRow(_ body: (HeadRow) -> Void) {
        var offset = HeadChunk.headerByteCount
        while offset < used {
            let row = HeadRow(base: base + offset)
            body(row)
            offset += row.byteCount
        }
    }

    /// Adds the rows of `times` that have a wanted field (nil: any) to `buffer`; `rank` orders this head against other sources.
    func read(times: ClosedRange<Int64>, wanted: Set<UInt32>?, rank: UInt64, into buffer: inout RowBuffer) {
        var number = firstRow
        forEachRow { row in
            if times.contains(row.time) {
                buffer.beginRow(time: row.time, commitTime: row.commitTime, order: rank << 32 | UInt64(number))
                buffer.appendEncoded(row.cells, wanted: wanted)
                buffer.endRow()
            }
            number += 1
        }
    }
}

extension RowBuffer {
    /// Adds cells that this process encoded itself; they were checked when they came out of the log or the encoder.
    mutating func appendEncoded(_ cells: UnsafeRawBufferPointer, wanted: Set<UInt32>?) {
        CellWalk.forEach(cells) { field, cell in
            if wanted?.contains(field) ?? true { append(field: field, cell: cell, source: cells) }
        }
    }
}

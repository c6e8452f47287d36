import TelemetryCodec

/// A piece of one device's unflushed rows: a header and encoded rows behind each other, inside a slab of its head.
///
/// Row: time i64 · commit time i64 · byte count of the cells u32 · cells (`CellCoding`). Bytes that were written never change, so a reader
/// that took `used` under the lock reads on without it while the head grows. The header says what is in a chunk that is full; of the last
/// one `Head.Entry` does.
struct HeadChunk {
    private struct Header {
        var next: UnsafeMutableRawPointer?
        var used = UInt32(HeadChunk.headerByteCount)
        var capacity: UInt32
        var rowCount: UInt32 = 0
        var minTime = Int64.max
        var maxTime = Int64.min
    }

    static let headerByteCount = 40
    static let rowHeaderByteCount = 20

    let base: UnsafeMutableRawPointer

    init(_ base: UnsafeMutableRawPointer) { self.base = base }

    /// Prepares fresh memory of `capacity` bytes, header included.
    init(in base: UnsafeMutableRawPointer, capacity: Int) {
        self.base = base
        base.initializeMemory(as: Header.self, to: Header(capacity: UInt32(capacity)))
    }

    private var header: UnsafeMutablePointer<Header> { base.assumingMemoryBound(to: Header.self) }

    var next: UnsafeMutableRawPointer? { header.pointee.next }
    var used: Int { Int(header.pointee.used) }
    var capacity: Int { Int(header.pointee.capacity) }
    var rowCount: Int { Int(header.pointee.rowCount) }
    var minTime: Int64 { header.pointee.minTime }
    var maxTime: Int64 { header.pointee.maxTime }

    /// No row follows in this chunk.
    func close(_ view: HeadChunkView, next: HeadChunk) {
        header.pointee.next = next.base
        (header.pointee.used, header.pointee.rowCount) = (UInt32(view.used), UInt32(view.rowCount))
        (header.pointee.minTime, header.pointee.maxTime) = (view.minTime, view.maxTime)
    }
}

/// One row inside a chunk.
struct HeadRow {
    let base: UnsafeRawPointer

    init(base: UnsafeRawPointer) { self.base = base }

    /// Writes a row.
    @inline(__always)
    init(at row: UnsafeMutableRawPointer, time: Int64, commitTime: Int64, cells: UnsafeRawBufferPointer) {
        row.storeBytes(of: time, as: Int64.self)
        row.storeBytes(of: commitTime, toByteOffset: 8, as: Int64.self)
        row.storeBytes(of: UInt32(truncatingIfNeeded: cells.count), toByteOffset: 16, as: UInt32.self)
        if let source = cells.baseAddress { (row + HeadChunk.rowHeaderByteCount).copyMemory(from: source, byteCount: cells.count) }
        base = UnsafeRawPointer(row)
    }

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

    init(base: UnsafeMutableRawPointer, used: Int, rowCount: Int, minTime: Int64, maxTime: Int64, firstRow: Int) {
        (self.base, self.used, self.rowCount) = (base, used, rowCount)
        (self.minTime, self.maxTime, self.firstRow) = (minTime, maxTime, firstRow)
    }

    /// A chunk that is not its device's last.
    init(_ chunk: HeadChunk, firstRow: Int) {
        self.init(
            base: chunk.base, used: chunk.used, rowCount: chunk.rowCount, minTime: chunk.minTime, maxTime: chunk.maxTime, firstRow: firstRow
        )
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
    func read(times: ClosedRange<Int64>, wanted: FieldSet?, rank: UInt64, into buffer: inout RowBuffer) {
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
    mutating func appendEncoded(_ cells: UnsafeRawBufferPointer, wanted: FieldSet?) {
        CellWalk.forEach(cells) { field, cell in
            if wanted?.contains(field) ?? true { append(field: field, cell: cell, source: cells) }
        }
    }
}

import Telemetry
import TelemetryCodec

/// The in-memory, not yet flushed rows of one partition: per device a list of chunks, appended to in O(1).
///
/// Written by the thread that applies commits, under the table's write lock. Chunk views taken under the read lock stay readable
/// without it as long as the head is referenced. `@unchecked Sendable` for that reason. What changes lies behind a pointer: on the way
/// of every reading, exclusivity checks of class properties would cost a tenth.
final class Head: @unchecked Sendable {
    /// One device. What appending changes of the last chunk is kept here, and in the chunk's header once another follows: the header's
    /// cache line would be one more to wait for, reading by reading.
    struct Entry {
        let device: UInt32
        var rows: UInt32 = 0
        var newRows: UInt32 = 0
        var lastUsed = UInt32(HeadChunk.headerByteCount)
        var lastCapacity: UInt32
        /// Rows in the chunks before the last.
        var rowsBefore: UInt32 = 0
        let first: HeadChunk
        var last: HeadChunk
        var minTime = Int64.max
        var maxTime = Int64.min
        var lastMinTime = Int64.max

        init(device: UInt32, chunk: HeadChunk) {
            self.device = device
            (first, last) = (chunk, chunk)
            lastCapacity = UInt32(chunk.capacity)
        }

        var rowCount: Int { Int(rows) }
        /// Rows that began a `(device, time)`.
        var newRowCount: Int { Int(newRows) }

        /// The last chunk; its newest time is bounded by the device's.
        var lastView: HeadChunkView {
            HeadChunkView(
                base: last.base, used: Int(lastUsed), rowCount: Int(rows - rowsBefore), minTime: lastMinTime, maxTime: maxTime,
                firstRow: Int(rowsBefore))
        }
    }

    /// Sequence number of the first row; what follows must stay in the log until the head is flushed.
    let firstSequence: SequenceNumber
    /// Commit time of the first row: the head's age counts from it.
    let created: Timestamp
    private let state: UnsafeMutablePointer<HeadState>

    /// - Parameter gauge: counts the head's memory until it is freed.
    init(firstSequence: SequenceNumber, created: Timestamp, gauge: MemoryGauge) {
        self.firstSequence = firstSequence
        self.created = created
        state = .allocate(capacity: 1)
        state.initialize(to: HeadState(gauge: gauge))
    }

    deinit {
        state.pointee.gauge.subtract(byteCount)
        for slab in state.pointee.slabs { slab.deallocate() }
        state.pointee.entries.deallocate()
        state.pointee.index.deallocate()
        state.deinitialize(count: 1)
        state.deallocate()
    }

    var newRowCount: Int { state.pointee.newRowCount }
    var byteCount: Int { state.pointee.byteCount }
    /// Valid as long as the head is, and until the next append.
    var entries: UnsafeBufferPointer<Entry> { UnsafeBufferPointer(start: state.pointee.entries, count: state.pointee.entryCount) }

    /// For the thread that applies commits; valid as long as the head is.
    var appender: HeadAppender { HeadAppender(state) }

    @inline(__always)
    func entry(of device: UInt32) -> Entry? { state.pointee.index.find(device).map { state.pointee.entries[$0] } }

    /// Views of the device's chunks that may hold a row of `times`, in order of arrival.
    func chunks(of device: UInt32, times: ClosedRange<Int64>) -> [HeadChunkView] {
        guard let entry = entry(of: device), entry.minTime <= times.upperBound, entry.maxTime >= times.lowerBound else { return [] }
        var views: [HeadChunkView] = []
        var row = 0
        var chunk = entry.first
        while chunk.base != entry.last.base, let next = chunk.next {
            if chunk.minTime <= times.upperBound, chunk.maxTime >= times.lowerBound { views.append(HeadChunkView(chunk, firstRow: row)) }
            row += chunk.rowCount
            chunk = HeadChunk(next)
        }
        if entry.lastMinTime <= times.upperBound, entry.rows > entry.rowsBefore { views.append(entry.lastView) }
        return views
    }

    // MARK: - Rows of one time

    /// Rows that a look-up passes over before an index is made. A chunk of an ordered device has less.
    private static let scanLimit = 256

    /// Hands the cells of the device's rows of exactly `time` to `body`, newest first, until it returns false.
    ///
    /// Chunks of a device in order overlap little in time, and the few that may hold `time` are searched. For others an index of times is
    /// made once and kept. For the thread that applies commits, also on a head that is being flushed.
    func forEachRow(of device: UInt32, at time: Int64, _ body: (UnsafeRawBufferPointer) -> Bool) {
        guard let position = state.pointee.index.find(device) else { return }
        let entry = state.pointee.entries[position]
        guard entry.minTime <= time, entry.maxTime >= time else { return }
        if let index = state.pointee.timeIndexes[position] {
            index.forEachRow(at: time, body)
            return
        }
        let views = chunks(of: device, times: time...time)
        if views.reduce(0, { $0 + $1.rowCount }) > Head.scanLimit {
            makeTimeIndex(position).forEachRow(at: time, body)
        } else {
            scan(views, time, body)
        }
    }

    private func scan(_ views: [HeadChunkView], _ time: Int64, _ body: (UnsafeRawBufferPointer) -> Bool) {
        var found: [HeadRow] = []
        for view in views {
            view.forEachRow { if $0.time == time { found.append($0) } }
        }
        for row in found.reversed() where !body(row.cells) { return }
    }

    private func makeTimeIndex(_ position: Int) -> TimeIndex {
        let index = TimeIndex()
        for view in chunks(of: state.pointee.entries[position].device, times: .min ... .max) { view.forEachRow { index.insert($0) } }
        appender.count(index.byteCount)
        state.pointee.timeIndexes[position] = index
        return index
    }
}

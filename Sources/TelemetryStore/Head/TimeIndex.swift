/// The rows of one device in a head by their time, for devices whose rows come out of order: finding one is O(1).
///
/// Open addressing; rows of equal time are chained, newest first. For the thread that applies commits.
final class TimeIndex {
    private struct Link {
        var row: HeadRow
        /// Position + 1 of the next older row of the same time; 0: none.
        var older: UInt32
    }

    private struct State {
        var links: [Link] = []
        /// Position + 1 of the newest row of a time, or 0. A power of two, at most half full.
        var slots = [UInt32](repeating: 0, count: 1024)
    }

    private let state: UnsafeMutablePointer<State>

    init() {
        state = .allocate(capacity: 1)
        state.initialize(to: State())
    }

    deinit {
        state.deinitialize(count: 1)
        state.deallocate()
    }

    var byteCount: Int { state.pointee.links.capacity * MemoryLayout<Link>.stride + state.pointee.slots.count * 4 }

    func insert(_ row: HeadRow) {
        if (state.pointee.links.count + 1) * 2 > state.pointee.slots.count { grow() }
        let slot = probe(row.time)
        state.pointee.links.append(Link(row: row, older: state.pointee.slots[slot]))
        state.pointee.slots[slot] = UInt32(state.pointee.links.count)
    }

    /// Hands the rows of `time` to `body`, newest first, until it returns false.
    func forEachRow(at time: Int64, _ body: (UnsafeRawBufferPointer) -> Bool) {
        var position = state.pointee.slots[probe(time)]
        while position != 0 {
            let link = state.pointee.links[Int(position) - 1]
            guard body(link.row.cells) else { return }
            position = link.older
        }
    }

    /// The slot of a time, or the free one where it would go.
    private func probe(_ time: Int64) -> Int {
        let mask = state.pointee.slots.count - 1
        // Times are multiples of something; the high half of the product spreads them.
        var slot = Int(truncatingIfNeeded: (UInt64(bitPattern: time) &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
        while case let mark = state.pointee.slots[slot], mark != 0, state.pointee.links[Int(mark) - 1].row.time != time {
            slot = (slot + 1) & mask
        }
        return slot
    }

    private func grow() {
        let old = state.pointee.slots
        state.pointee.slots = [UInt32](repeating: 0, count: old.count * 2)
        for mark in old where mark != 0 { state.pointee.slots[probe(state.pointee.links[Int(mark) - 1].row.time)] = mark }
    }
}

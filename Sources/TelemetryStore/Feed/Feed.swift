import Synchronization
import Telemetry

/// The newest commits in memory, for live readers: a ring of pages that holds the rows sections as the log has them.
///
/// The log thread appends a section once it is durable and applied: one copy of bytes, and nothing while nobody reads. The ring fills from
/// the first reader on until some minutes after the last one left, so that a client whose connection was cut finds what it missed.
/// Readers take a page under the lock and decode it outside: however slow, they hold up neither ingest nor each other, and a page that the
/// ring has given up lives only as long as somebody decodes it.
///
/// `shown` counts the readings that are news, by table, from the feed's beginning; the difference of two counts is what lies between
/// two places, and so the exact size of a gap.
final class Feed: Sendable {
    struct State {
        /// Ascending by number, without holes.
        var pages: [FeedPage] = []
        var nextPage: UInt64 = 0
        /// Capacity of all pages.
        var byteCount = 0
        /// Sequence number of the reading that comes next.
        var end: SequenceNumber = 0
        var shown: [Int]
        var readerCount = 0
        var lastLeft = MonotonicTime.now()

        var firstPage: UInt64 { pages.first?.number ?? nextPage }
        /// The oldest reading that is held, or the next one.
        var firstSequence: SequenceNumber { pages.first?.firstSequence ?? end }
    }

    /// How long a client that was cut off finds what it missed: more than any reconnection takes, and a reboot of its box.
    static let lingerSeconds = 300
    /// The ring gives up a page at a time.
    private static let pagesPerRing = 16
    private static let smallestPage = 4 << 10

    /// Bytes of all pages; 0: there is no feed.
    let byteLimit: Int
    private let state: Guarded<State>
    private let isOpen = Atomic(false)
    private let newestEnd = Atomic<UInt64>(0)
    private let linger: Int

    init(byteLimit: Int, tableCount: Int, lingerNanoseconds: Int = Feed.lingerSeconds * 1_000_000_000) {
        self.byteLimit = byteLimit
        linger = lingerNanoseconds
        state = Guarded(State(shown: Array(repeating: 0, count: tableCount)))
    }

    /// Changes with whatever readers may want to see. Cheap.
    var end: SequenceNumber { newestEnd.load(ordering: .acquiring) }
    var byteCount: Int { state.withLock { $0.byteCount } }
    var isFilling: Bool { isOpen.load(ordering: .relaxed) }

    // MARK: - Readers

    /// Counts a reader in.
    /// - Returns: false while the feed is closed: `open` first.
    func join() -> Bool {
        state.withLock { state in
            guard isOpen.load(ordering: .relaxed) else { return false }
            state.readerCount += 1
            return true
        }
    }

    /// Begins to fill, and counts a reader in. Caller holds the commit log's lock, so that no group is half applied.
    /// - Parameter end: sequence number of the next reading.
    func openAndJoin(at end: SequenceNumber) {
        state.withLock { state in
            if !isOpen.load(ordering: .relaxed) {
                state.end = end
                newestEnd.store(end, ordering: .releasing)
                isOpen.store(true, ordering: .relaxed)
            }
            state.readerCount += 1
        }
    }

    func leave() {
        state.withLock { state in
            state.readerCount -= 1
            state.lastLeft = .now()
        }
    }

    func look<R>(_ body: (borrowing State) -> R) -> R { state.withLock { body($0) } }

    // MARK: - The log thread

    /// Keeps one section that was applied.
    /// - Parameters:
    ///   - rows: as `TableCore.applyLocked` took them.
    ///   - silent: indexes of rows that are no news, ascending.
    func append(
        _ table: TableNumber, first: SequenceNumber, count: Int, base: Int64, rows: UnsafeRawBufferPointer, silent: [UInt32]
    ) {
        guard isOpen.load(ordering: .relaxed) else { return }
        state.withLock { state in
            guard !closeWhenUnwatched(&state) else { return }
            let entry = FeedPage.Entry(
                firstSequence: first, base: base, shownBefore: state.shown[Int(table)], rowCount: count, silentCount: silent.count,
                rowsByteCount: rows.count, table: table)
            if let page = page(for: entry, &state) { page.append(entry, silent: silent, rows: rows) }
            state.shown[Int(table)] += entry.shownCount
            state.end = first + UInt64(count)
            newestEnd.store(state.end, ordering: .releasing)
        }
    }

    /// A page with room for the entry; nil: it is too large to be kept, and with it all before goes.
    private func page(for entry: FeedPage.Entry, _ state: inout State) -> FeedPage? {
        if let page = state.pages.last, page.capacity - page.count >= entry.wholeByteCount { return page }
        guard entry.wholeByteCount <= byteLimit / 2 else {
            state.pages.removeAll()
            state.byteCount = 0
            // Readers that waited for a page of this number are behind now.
            state.nextPage += 1
            return nil
        }
        let capacity = max(byteLimit / Feed.pagesPerRing, min(Feed.smallestPage, byteLimit / 2), entry.wholeByteCount)
        while state.byteCount + capacity > byteLimit, !state.pages.isEmpty { state.byteCount -= state.pages.removeFirst().capacity }
        let page = FeedPage(number: state.nextPage, firstSequence: entry.firstSequence, shownBefore: state.shown, capacity: capacity)
        state.nextPage += 1
        state.byteCount += capacity
        state.pages.append(page)
        return page
    }

    private func closeWhenUnwatched(_ state: inout State) -> Bool {
        guard state.readerCount == 0, MonotonicTime.now().nanoseconds - state.lastLeft.nanoseconds > linger else { return false }
        isOpen.store(false, ordering: .relaxed)
        state.pages.removeAll()
        state.byteCount = 0
        return true
    }
}

import Telemetry
import TelemetryCodec

/// Readings that a live reader did not get to see, because the ring had given them up.
package struct FeedGap: Sendable, Equatable {
    /// Readings missed; nil: unknown.
    package var count: Int?
    /// False: not more than `count`, because some of them would not have been shown.
    package var isExact: Bool
    /// The newest reading that was missed.
    package var last: SequenceNumber
}

/// What one live reader is to be shown.
package struct FeedSelection: Sendable {
    package var devices = FeedFilter()
    /// Nil: all. A reading without any of them is not shown.
    package var fields: [String]?
    /// Of each device only the newest reading that there is.
    package var isNewestOnly = false

    package init() {}

    var isEverything: Bool { devices.isEverything && fields == nil && !isNewestOnly }
}

/// One live reader: goes through the commits of a table in their order, as they come.
///
/// Sees each reading that said something new once, after it is durable and applied; or is told how many it missed.
/// `@unchecked Sendable`: for one task at a time. Nothing here waits for anybody.
package final class FeedReader: @unchecked Sendable {
    private let feed: Feed
    private let core: TableCore
    private let selection: FeedSelection
    private let wanted: FieldSet?
    private var matcher: FeedMatcher
    private var cursor: FeedCursor
    private var pendingGap: FeedGap?
    private var turn: Turn?

    /// While `isNewestOnly`: what a walk ahead of the cursor found, and where it stands.
    private struct Turn {
        /// Of each device the newest reading so far.
        var newest: [UInt32: SequenceNumber] = [:]
        var ahead: FeedCursor
        /// Where the walk ends: what comes later is the next turn's, however fast it comes.
        var last: SequenceNumber
        /// The walk is over: what was found is shown now.
        var isKnown = false
    }

    /// Rows that one call looks at: about a millisecond's. A filter that takes nothing would go through the whole ring otherwise.
    static let rowLimit = 8_192

    /// - Parameter feed: has counted this reader in.
    init(_ feed: Feed, _ core: TableCore, _ selection: FeedSelection, after: SequenceNumber?) {
        (self.feed, self.core, self.selection) = (feed, core, selection)
        wanted = selection.fields.map { names in FieldSet(names.compactMap { core.registry.field($0) }) }
        matcher = FeedMatcher(selection.devices, core.registry)
        let table = core.number
        let start: (cursor: FeedCursor, page: FeedPage?, count: Int, gap: FeedGap?) = feed.look { state in
            let end = FeedCursor(
                table: table, page: state.pages.last?.number ?? state.nextPage, entry: state.pages.last?.count ?? 0,
                settled: state.end - 1, passed: state.shown[Int(table)])
            guard let after, after != state.end - 1 else { return (end, nil, 0, nil) }
            // From a store before this one, or from readings that a power cut took: nobody knows what lies between.
            if after >= state.end { return (end, nil, 0, FeedGap(count: nil, isExact: false, last: state.end - 1)) }
            let held = state.pages.last { $0.firstSequence <= after + 1 }
            guard let page = held ?? state.pages.first else {
                return (end, nil, 0, FeedGap(count: Int(clamping: state.end - 1 - after), isExact: false, last: state.end - 1))
            }
            let cursor = FeedCursor(
                table: table, page: page.number, settled: page.firstSequence - 1, passed: page.shownBefore[Int(table)])
            guard held == nil else { return (cursor, page, page.count, nil) }
            let missed = Int(clamping: page.firstSequence - 1 - after)
            return (cursor, nil, 0, FeedGap(count: missed, isExact: false, last: page.firstSequence - 1))
        }
        cursor = start.cursor
        pendingGap = start.gap
        if let page = start.page, let after {
            var budget = Int.max
            _ = cursor.advance(through: page, count: start.count, limit: after, budget: &budget) { _ in true }
        }
    }

    deinit { feed.leave() }

    /// Everything up to this reading was shown, skipped or reported missing: where to resume.
    package var settled: SequenceNumber { cursor.settled }

    /// Readings, of all tables, that were committed and not looked at yet.
    package var behindCount: Int { Int(clamping: Int64(clamping: feed.end) - Int64(clamping: cursor.settled) - 1) }

    /// True when a call of `read` may find something.
    package var hasNews: Bool { pendingGap != nil || cursor.settled + 1 < feed.end }

    /// The gap that `read` would tell of next; it is told then.
    package func takeGap() -> FeedGap? { pendingGap.take() }

    package enum Progress: Sendable, Equatable {
        /// Call again: there may be no rows, when enough were looked at.
        case more
        /// All there was, for now.
        case atEnd
        /// No rows; the missed ones lie before those that come next.
        case gap(FeedGap)
    }

    /// Reads on.
    /// - Parameters:
    ///   - rows: emptied, then filled.
    ///   - byteLimit: about when to stop; one row always fits.
    package func read(into rows: inout FeedRows, byteLimit: Int) -> Progress {
        rows.removeAll()
        if let gap = takeGap() { return .gap(gap) }
        var budget = FeedReader.rowLimit
        if selection.isNewestOnly, turn?.isKnown != true {
            if turn == nil, let gap = catchUp(&cursor) { return .gap(gap) }
            guard lookAhead(&budget) else { return .more }
        }
        let expiry = core.expiry(now: core.clock.now()).microseconds
        var isFull = false
        let gap = walk(&cursor, limit: turn?.ahead.settled ?? .max, &budget) { row in
            if isShown(row, expiry), turn.map({ $0.newest[row.device] == row.sequence }) ?? true {
                rows.append(row.sequence, device: row.device, time: row.time, cells: row.cells, wanted: wanted)
            }
            isFull = rows.byteCount >= byteLimit
            return !isFull
        }
        rows.resolve(core.registry)
        if let end = turn?.ahead.settled, cursor.settled >= end { turn = nil }
        if let gap {
            // Rows from before the gap go out first.
            guard !rows.isEmpty else { return .gap(gap) }
            pendingGap = gap
            return .more
        }
        if selection.isNewestOnly { return turn == nil ? .atEnd : .more }
        return isFull || budget == 0 ? .more : .atEnd
    }

    // MARK: - On the way

    private func isShown(_ row: FeedCursor.Row, _ expiry: Int64) -> Bool {
        guard row.time >= expiry, matcher.matches(row.device) else { return false }
        guard let wanted else { return true }
        var hasWanted = false
        CellWalk.forEach(row.cells) { field, _ in hasWanted = hasWanted || wanted.contains(field) }
        return hasWanted
    }

    /// Goes on looking for the newest reading of each device.
    /// - Returns: true when they are known.
    private func lookAhead(_ budget: inout Int) -> Bool {
        let expiry = core.expiry(now: core.clock.now()).microseconds
        // Out of `self` for the time, so that the dictionary is not copied.
        var current = turn.take() ?? Turn(ahead: cursor, last: feed.end - 1)
        // A gap that comes up meanwhile ends it; it is met again, and told, on the way behind.
        let gap = walk(&current.ahead, limit: current.last, &budget) { row in
            if isShown(row, expiry) { current.newest[row.device] = row.sequence }
            return true
        }
        current.isKnown = budget > 0 || gap != nil || current.ahead.settled >= current.last
        turn = current
        return current.isKnown
    }

    /// Moves the cursor through the pages until `body` has enough, the limit, the end, a gap, or the budget of rows is spent.
    private func walk(
        _ cursor: inout FeedCursor, limit: SequenceNumber, _ budget: inout Int, _ body: (FeedCursor.Row) -> Bool
    ) -> FeedGap? {
        while true {
            if let gap = catchUp(&cursor) { return gap }
            let number = cursor.page
            let found: (page: FeedPage, count: Int, isLast: Bool)? = feed.look { state in
                guard number >= state.firstPage, number - state.firstPage < UInt64(state.pages.count) else { return nil }
                let page = state.pages[Int(number - state.firstPage)]
                return (page, page.count, page === state.pages.last)
            }
            guard let found else {
                // Given up since the look before; or not begun.
                if number < feed.look({ $0.nextPage }) { continue }
                return nil
            }
            guard cursor.advance(through: found.page, count: found.count, limit: limit, budget: &budget, body), !found.isLast else {
                return nil
            }
            cursor = FeedCursor(table: cursor.table, page: number + 1, settled: cursor.settled, passed: cursor.passed)
        }
    }

    /// Moves a cursor whose page is gone to the oldest reading that is held.
    /// - Returns: what lay between; nil: nothing that would have been shown.
    private func catchUp(_ cursor: inout FeedCursor) -> FeedGap? {
        let table = cursor.table
        let oldest: FeedCursor? = feed.look { [page = cursor.page] state in
            guard page < state.firstPage else { return nil }
            return FeedCursor(
                table: table, page: state.firstPage, settled: state.firstSequence - 1,
                passed: (state.pages.first?.shownBefore ?? state.shown)[Int(table)])
        }
        guard let oldest else { return nil }
        let missed = oldest.passed - cursor.passed
        cursor = oldest
        return missed > 0 ? FeedGap(count: missed, isExact: selection.isEverything, last: oldest.settled) : nil
    }
}

extension TelemetryStore {
    /// A reader of what is committed from now on, or behind reading `after`. Blocking: the first one waits for the log to finish a group.
    /// - Parameter after: a reading that the client knows, of this store or an earlier one.
    /// - Returns: nil: the store keeps no feed (`StoreOptions.feedByteCount` is 0).
    package func liveReader(of table: Table, selection: FeedSelection, after: SequenceNumber? = nil) -> FeedReader? {
        guard feed.byteLimit > 0 else { return nil }
        if !feed.join() { log.openFeed() }
        return FeedReader(feed, table.core, selection, after: after)
    }

    /// Changes when live readers may find something new. Cheap.
    package var liveEnd: SequenceNumber { feed.end }
}

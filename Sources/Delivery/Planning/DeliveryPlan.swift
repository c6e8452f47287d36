import Telemetry
import TelemetryStore

/// Decides what a task should deliver now, by its mode. For one thread.
struct DeliveryPlan {
    private let options: DeliveryOptions
    private let table: Table
    /// Modes that follow writes: since when rows of a partition wait.
    private var waitingSince: [PartitionID: Timestamp] = [:]

    /// Bytes of an object for each row, before the task has any of its own.
    private static let firstGuessOfBytesPerRow = 16

    init(options: DeliveryOptions, table: Table) {
        self.options = options
        self.table = table
    }

    /// In the order of delivery.
    mutating func due(_ state: LedgerState, at now: Timestamp) -> [DueRows] {
        let line = openLine(state).map { DueRows(partition: $0.key, line: .flush($0.value)) }.sorted { $0.partition < $1.partition }
        switch options.mode {
        case .aged:
            return table.deliverable(task: options.name, endingBefore: now - options.age).map { DueRows(partition: $0.id, line: .sealed) }
        case .full: return line
        case .incremental, .differential:
            let inLine = Set(line.map(\.partition))
            return line + dueWrites(state, at: now).filter { !inLine.contains($0.partition) }
        }
    }

    /// Notices what waits, for `lag`, where nothing is to be delivered.
    mutating func look(_ state: LedgerState, at now: Timestamp) {
        if state.begin != nil { _ = due(state, at: now) }
    }

    /// The rows of a partition are delivered, as far as they were due.
    mutating func settle(_ partition: PartitionID) { waitingSince[partition] = nil }

    /// What of the line is still to be delivered, and still there: without `retain_until_delivered` it may have expired.
    func openLine(_ state: LedgerState) -> [PartitionID: FlushID] {
        guard options.mode == .full || options.mode == .differential else { return [:] }
        let open = state.openLine
        guard !open.isEmpty else { return open }
        let present = Set(table.partitions().map(\.id))
        return open.filter { present.contains($0.key) }
    }

    func lag(_ state: LedgerState, at now: Timestamp) -> DeliveryLag {
        if !openLine(state).isEmpty {
            let begun = state.events.last { $0.kind == .begun }?.time ?? now
            return DeliveryLag(lag: max(.zero, now - begun), syncPoint: nil)
        }
        if options.mode.followsWrites {
            guard let oldest = waitingSince.values.min() else { return DeliveryLag(syncPoint: now) }
            return DeliveryLag(lag: max(.zero, now - (oldest + options.maxObjectAge)), syncPoint: oldest)
        }
        if options.mode == .full { return DeliveryLag(syncPoint: nil) }
        let waiting = table.deliverable(task: options.name, endingBefore: .distantFuture)
        return DeliveryLag(
            lag: waiting.first.map { max(.zero, now - ($0.end + options.age)) } ?? .zero, syncPoint: waiting.first?.start ?? now)
    }

    // MARK: - Modes that follow writes

    private mutating func dueWrites(_ state: LedgerState, at now: Timestamp) -> [DueRows] {
        var rowCounts: [PartitionID: Int] = [:]
        var unflushed: Set<PartitionID> = []
        for rows in table.deliverable(task: options.name, endingBefore: .distantFuture, line: .flushed) {
            rowCounts[rows.id] = rows.rowCount
            wait(rows.id, since: now, now)
        }
        for rows in table.unflushed() where rows.rowCount > 0 {
            rowCounts[rows.id, default: 0] += rows.rowCount
            unflushed.insert(rows.id)
            wait(rows.id, since: rows.since, now)
        }
        waitingSince = waitingSince.filter { rowCounts[$0.key] != nil }
        return waitingSince.filter { partition, since in
            now - since >= options.maxObjectAge || fillsAnObject(rowCounts[partition] ?? 0, state.totals)
        }.keys.sorted().map { DueRows(partition: $0, line: .flushed, needsFlush: unflushed.contains($0)) }
    }

    /// A clock that was set back begins the wait anew.
    private mutating func wait(_ partition: PartitionID, since: Timestamp, _ now: Timestamp) {
        waitingSince[partition] = min(waitingSince[partition] ?? since, since, now)
    }

    private func fillsAnObject(_ rowCount: Int, _ totals: DeliveryTotals) -> Bool {
        let bytesPerRow = totals.rowCount > 0 ? max(1, totals.byteCount / totals.rowCount) : Self.firstGuessOfBytesPerRow
        return rowCount >= options.maxObjectByteCount / bytesPerRow
    }
}

import Synchronization
import Telemetry

/// Holds the readings of one table to its rates, whichever way they come. Free of cost while the table has none.
///
/// A reading that is refused uses nothing up, nor does a commit that failed. All others count: late ones, duplicates, and those with a time
/// of their own that the broker delivers again because their ack was lost.
final class AdmissionGate: Sendable {
    private struct State {
        var limits = TableLimits()
        var tablePace: Pace?
        var devicePace: Pace?
        /// State of `tablePace`.
        var tableState: Int64 = 0
        /// Made when a device is first limited; kept, so that a reload forgives nobody.
        var devices: DeviceBuckets?
    }

    private let isOpen = Atomic(true)
    /// Behind a lock, `DeviceBuckets` included: held once for each run of a table's rows in a batch.
    private let state: Guarded<State>

    init(_ limits: TableLimits) {
        state = Guarded(State())
        set(limits, uptime: .zero)
    }

    /// True while the table has no rate.
    var isFree: Bool { isOpen.load(ordering: .acquiring) }
    var limits: TableLimits { state.withLock { $0.limits } }

    /// Any thread, any time. What was used of a rate stays used, but of a longer burst no more than the new one: nobody is kept out for
    /// longer than it takes to fill an empty bucket.
    func set(_ limits: TableLimits, uptime: TimeSpan) {
        let now = Self.nanoseconds(uptime)
        state.withLock { state in
            state.limits = limits
            state.tablePace = Pace(readingsPerSecond: limits.readingsPerSecond, burst: limits.burst)
            state.devicePace = Pace(readingsPerSecond: limits.deviceReadingsPerSecond, burst: limits.burst)
            if state.devicePace != nil, state.devices == nil { state.devices = DeviceBuckets() }
            if let pace = state.tablePace { state.tableState = min(state.tableState, now + pace.tolerance) }
            if let pace = state.devicePace { state.devices?.clamp(to: now + pace.tolerance) }
            isOpen.store(!limits.hasRates, ordering: .releasing)
        }
    }

    private static func nanoseconds(_ uptime: TimeSpan) -> Int64 { min(uptime.microseconds, .max / 4_000) * 1_000 }

    /// Marks those of the rows that come too fast.
    /// - Parameter rows: rows of this table.
    /// - Parameter uptime: of one clock that never goes back.
    func admit(_ rows: Range<Int>, of batch: inout ReadingBatch, uptime: TimeSpan) {
        guard !isFree else { return }
        let now = Self.nanoseconds(uptime)
        // Not a copy: the bytes stay as they are.
        let bytes = batch.bytes
        state.withLock { state in
            bytes.withUnsafeBytes { arena in
                for row in rows where !batch.rows[row].isRedelivered {
                    let device = UnsafeRawBufferPointer(rebasing: arena[batch.rows[row].device.range])
                    if let refusal = Self.refusal(of: device, &state, now: now) { batch.refuse(row: row, refusal) }
                }
            }
        }
    }

    /// Takes back what those of the rows used up that were admitted.
    func giveBack(_ rows: Range<Int>, of batch: ReadingBatch) {
        guard !isFree else { return }
        state.withLock { state in
            batch.bytes.withUnsafeBytes { arena in
                for row in rows where !batch.rows[row].isRedelivered && batch.refusal(ofRow: row) == nil {
                    let device = UnsafeRawBufferPointer(rebasing: arena[batch.rows[row].device.range])
                    if let pace = state.devicePace, let place = state.devices?.known(device) {
                        place.pointee = max(0, place.pointee - pace.interval)
                    }
                    if let pace = state.tablePace { state.tableState = max(0, state.tableState - pace.interval) }
                }
            }
        }
    }

    @inline(__always)
    private static func refusal(of device: UnsafeRawBufferPointer, _ state: inout State, now: Int64) -> ReadingBatch.Refusal? {
        var deviceState: (place: UnsafeMutablePointer<Int64>, next: Int64)?
        if let pace = state.devicePace, let place = state.devices?.state(of: device) {
            guard let next = pace.next(after: place.pointee, now: now) else { return .deviceRate }
            deviceState = (place, next)
        }
        if let pace = state.tablePace {
            guard let next = pace.next(after: state.tableState, now: now) else { return .tableRate }
            state.tableState = next
        }
        if let deviceState { deviceState.place.pointee = deviceState.next }
        return nil
    }
}

extension TelemetryStore {
    /// Changes what a table takes, while readings come in. Lowering `maxDevices` forgets no device.
    /// - Returns: false when there is no such table.
    @discardableResult
    package func setLimits(_ limits: TableLimits, table name: String) -> Bool {
        guard let core = cores.first(where: { $0.options.name == name }) else { return false }
        core.setLimits(limits, uptime: clock.uptime())
        return true
    }

    package func limits(of table: TableNumber) -> TableLimits { cores[Int(table)].gate.limits }

    /// Holds the rows not yet looked at to the rates of their tables: each once.
    func admit(_ batch: inout ReadingBatch) {
        let rows = batch.admittedCount..<batch.count
        batch.admittedCount = batch.count
        let uptime = clock.uptime()
        forEachRun(rows, of: &batch) { gate, run, batch in gate.admit(run, of: &batch, uptime: uptime) }
    }

    /// For a batch that was not stored: its rows come again.
    func giveBack(_ batch: inout ReadingBatch) {
        forEachRun(0..<batch.admittedCount, of: &batch) { gate, run, batch in gate.giveBack(run, of: batch) }
        batch.forgetAdmission()
    }

    /// Rows of one table that follow one another, with its gate.
    private func forEachRun(
        _ rows: Range<Int>, of batch: inout ReadingBatch, _ body: (AdmissionGate, Range<Int>, inout ReadingBatch) -> Void
    ) {
        guard !rows.isEmpty, cores.contains(where: { !$0.gate.isFree }) else { return }
        var row = rows.lowerBound
        while row < rows.upperBound {
            let table = batch.rows[row].table
            var end = row + 1
            while end < rows.upperBound, batch.rows[end].table == table { end += 1 }
            body(cores[Int(table)].gate, row..<end, &batch)
            row = end
        }
    }
}

extension TableCore {
    func setLimits(_ limits: TableLimits, uptime: TimeSpan) {
        gate.set(limits, uptime: uptime)
        registry.withNames { $0.deviceLimit = limits.deviceLimit }
    }
}

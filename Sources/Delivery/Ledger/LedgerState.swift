import Telemetry
import TelemetryStore

/// What the records of a ledger add up to.
struct LedgerState {
    /// An intent that is not yet carried out.
    struct OpenIntent: Equatable {
        var intent: LedgerRecord.Intent
        /// Slices before this one are carried out.
        var slice = 0
        /// Maybe visible, maybe not: to be looked for.
        var staged: LedgerRecord.Staged?
        /// The last row of the slice's last recorded object; nil before the first.
        var end: ScanPosition?
    }

    /// Nil: the task has not begun, or is to begin anew.
    private(set) var begin: LedgerRecord.Begin?
    /// The store may still know what the task had before its restart.
    private(set) var isRestarting = false
    private(set) var isPaused = false
    private(set) var open: [PartitionID: OpenIntent] = [:]
    private(set) var deliveredThrough: [PartitionID: FlushID] = [:]
    /// Since the task began.
    private(set) var objects: [PartitionID: [DeliveredObject]] = [:]
    /// Since the ledger began.
    private(set) var totals = DeliveryTotals()
    private(set) var lastObject: String?
    /// The newest last.
    private(set) var events: [DeliveryEvent] = []
    private var sequences: [String: UInt64] = [:]

    init() {}

    /// - Parameter version: of the ledger's format. Version 1 knew one mode, which began with the ledger.
    init(version: UInt32) {
        if version == 1 { begin = LedgerRecord.Begin(mode: .aged, table: "", line: [:]) }
    }

    /// The number of the folder's next object.
    func nextSequence(in folder: String) -> UInt64 { sequences[folder] ?? 0 }

    /// Mode `full`: told that all is delivered.
    var isCompleted: Bool { events.last { $0.kind == .begun || $0.kind == .completed }?.kind == .completed }

    /// What of the line is not delivered.
    var openLine: [PartitionID: FlushID] {
        (begin?.line ?? [:]).filter { deliveredThrough[$0.key, default: 0] < $0.value }
    }

    /// - Throws: `LedgerError` when the record cannot follow what came before.
    mutating func apply(_ record: LedgerRecord) throws(LedgerError) {
        switch record {
        case .intent(let intent): try begin(intent)
        case .staged(let staged): try change(staged.partition) { $0.staged = staged }
        case .recorded(let partition): try recordStaged(partition)
        case .delivered(let partition):
            let intent = try openIntent(partition).intent
            open[partition] = nil
            deliveredThrough[partition] = intent.through
        case .slice(let partition, let index):
            guard index > (try openIntent(partition)).slice else {
                throw LedgerError("a slice of partition \(partition.window) out of order")
            }
            try change(partition) { ($0.slice, $0.staged, $0.end) = (index, nil, nil) }
        case .begin(let begin):
            guard self.begin == nil else { throw LedgerError("a beginning after the beginning") }
            (self.begin, isRestarting) = (begin, false)
        case .restart:
            (begin, isRestarting) = (nil, true)
            (open, deliveredThrough, objects) = ([:], [:], [:])
        case .paused(let isPaused): self.isPaused = isPaused
        case .event(let event): add(event)
        }
    }

    private mutating func add(_ event: DeliveryEvent) {
        events.append(event)
        if events.count > DeliveryEvent.keptCount { events.removeFirst() }
    }

    private mutating func begin(_ intent: LedgerRecord.Intent) throws(LedgerError) {
        guard begin != nil, open[intent.partition] == nil, intent.after < intent.through,
            intent.after >= deliveredThrough[intent.partition] ?? 0
        else { throw LedgerError("an intent for partition \(intent.partition.window) out of order") }
        open[intent.partition] = OpenIntent(intent: intent)
    }

    private mutating func recordStaged(_ partition: PartitionID) throws(LedgerError) {
        let current = try openIntent(partition)
        guard let staged = current.staged, staged.object.sequence == nextSequence(in: staged.object.folder) else {
            throw LedgerError("an object of partition \(partition.window) recorded out of order")
        }
        sequences[staged.object.folder] = staged.object.sequence + 1
        objects[partition, default: []].append(staged.object)
        totals.add(staged.object)
        lastObject = staged.object.key
        open[partition] = OpenIntent(intent: current.intent, slice: current.slice, staged: nil, end: staged.end)
    }

    private mutating func change(_ partition: PartitionID, _ body: (inout OpenIntent) -> Void) throws(LedgerError) {
        var intent = try openIntent(partition)
        body(&intent)
        open[partition] = intent
    }

    private func openIntent(_ partition: PartitionID) throws(LedgerError) -> OpenIntent {
        guard let intent = open[partition] else { throw LedgerError("a record of partition \(partition.window) without an intent") }
        return intent
    }
}

extension DeliveredObject {
    /// Everything before the key's last `/`; empty at the top.
    var folder: String { key.lastIndex(of: "/").map { String(key[..<$0]) } ?? "" }
}

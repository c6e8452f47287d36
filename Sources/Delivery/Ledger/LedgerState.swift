import Telemetry
import TelemetryStore

/// What the records of a ledger add up to.
struct LedgerState {
    /// An intent that is not yet carried out.
    struct OpenIntent: Equatable {
        var intent: LedgerRecord.Intent
        /// Maybe visible, maybe not: to be looked for.
        var staged: LedgerRecord.Staged?
        /// The last row of the last recorded object; nil before the first.
        var end: ScanPosition?
    }

    private(set) var open: [PartitionID: OpenIntent] = [:]
    private(set) var deliveredThrough: [PartitionID: FlushID] = [:]
    private(set) var objects: [PartitionID: [DeliveredObject]] = [:]
    private(set) var totals = DeliveryTotals()
    private(set) var lastObject: String?
    private var sequences: [String: UInt64] = [:]

    /// The number of the folder's next object.
    func nextSequence(in folder: String) -> UInt64 { sequences[folder] ?? 0 }

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
        }
    }

    private mutating func begin(_ intent: LedgerRecord.Intent) throws(LedgerError) {
        guard open[intent.partition] == nil, intent.after < intent.through, intent.after >= deliveredThrough[intent.partition] ?? 0 else {
            throw LedgerError("an intent for partition \(intent.partition.window) out of order")
        }
        open[intent.partition] = OpenIntent(intent: intent)
    }

    private mutating func recordStaged(_ partition: PartitionID) throws(LedgerError) {
        let current = try openIntent(partition)
        guard let staged = current.staged, staged.object.sequence == nextSequence(in: current.intent.folder) else {
            throw LedgerError("an object of partition \(partition.window) recorded out of order")
        }
        sequences[current.intent.folder] = staged.object.sequence + 1
        objects[partition, default: []].append(staged.object)
        totals.add(staged.object)
        lastObject = staged.object.key
        open[partition] = OpenIntent(intent: current.intent, staged: nil, end: staged.end)
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

import Synchronization
import Telemetry
import TelemetryStore

/// What other threads see of a running delivery, and ask of it.
final class DeliveryBoard: Sendable {
    private struct Content {
        var status = DeliveryStatus()
        var objects: [PartitionID: [DeliveredObject]] = [:]
    }

    private let content = Mutex(Content())
    private let isStopRequested = Atomic(false)
    private let interruptionCount = Atomic(0)

    var status: DeliveryStatus { content.withLock { $0.status } }

    func objects(of partition: PartitionID) -> [DeliveredObject] { content.withLock { $0.objects[partition] ?? [] } }

    /// The run under way is to end soon.
    var isStopped: Bool { isStopRequested.load(ordering: .relaxed) || interruptionCount.load(ordering: .relaxed) > 0 }

    func requestStop() { isStopRequested.store(true, ordering: .relaxed) }

    /// Somebody waits for the run under way to end; undone by `endInterruption`.
    func interrupt() { interruptionCount.wrappingAdd(1, ordering: .relaxed) }

    func endInterruption() { interruptionCount.wrappingSubtract(1, ordering: .relaxed) }

    func show(_ ledger: LedgerState) {
        content.withLock {
            $0.objects = ledger.objects
            $0.status.totals = ledger.totals
            $0.status.lastObject = ledger.lastObject
            $0.status.events = ledger.events
        }
    }

    func add(_ object: DeliveredObject, of partition: PartitionID) {
        content.withLock {
            $0.objects[partition, default: []].append(object)
            $0.status.totals.add(object)
            $0.status.lastObject = object.key
        }
    }

    func update(_ body: (inout DeliveryStatus) -> Void) { content.withLock { body(&$0.status) } }
}

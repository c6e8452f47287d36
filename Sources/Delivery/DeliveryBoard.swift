import Synchronization
import Telemetry
import TelemetryStore

/// What other threads see of a running delivery.
final class DeliveryBoard: Sendable {
    private struct Content {
        var status = DeliveryStatus()
        var objects: [PartitionID: [DeliveredObject]] = [:]
    }

    private let content = Mutex(Content())
    private let isStopRequested = Atomic(false)

    var status: DeliveryStatus { content.withLock { $0.status } }

    func objects(of partition: PartitionID) -> [DeliveredObject] { content.withLock { $0.objects[partition] ?? [] } }

    var isStopped: Bool { isStopRequested.load(ordering: .relaxed) }

    func requestStop() { isStopRequested.store(true, ordering: .relaxed) }

    func show(_ ledger: LedgerState) {
        content.withLock {
            $0.objects = ledger.objects
            $0.status.totals = ledger.totals
            $0.status.lastObject = ledger.lastObject
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

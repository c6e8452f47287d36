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

    var status: DeliveryStatus { content.withLock { $0.status } }

    func objects(of partition: PartitionID) -> [DeliveredObject] { content.withLock { $0.objects[partition] ?? [] } }

    /// The last of each of the newest partitions, the newest last.
    var newestObjects: [DeliveredObject] {
        content.withLock { content in content.objects.sorted { $0.key < $1.key }.compactMap(\.value.last) }
    }

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

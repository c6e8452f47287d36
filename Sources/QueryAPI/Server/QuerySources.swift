import Telemetry
import TelemetryStore

/// What the API shows of parts it does not know: the gateway fills these in. All may be called from any thread and return quickly, if
/// nothing else is said.
package struct QuerySources: Sendable {
    /// Why the gateway is not ready; empty when it is.
    package var readiness: @Sendable () -> [Unreadiness] = { [] }
    /// The MQTT side; nil when it is not configured.
    package var ingest: @Sendable () -> IngestSnapshot? = { nil }
    /// The effective configuration as a JSON object, secrets redacted.
    package var configuration: @Sendable () -> [UInt8] = { Array("{}".utf8) }
    package var deliveries = DeliveryControl()
    /// What delivery did with a partition of a table.
    package var delivery: @Sendable (_ table: String, _ partition: PartitionID) -> PartitionDelivery = { _, _ in PartitionDelivery() }
    /// The newest refused messages, newest first, of one reason or of any. Blocking, the only one here that is.
    package var deadLetters: @Sendable (_ reason: RejectReason?, _ limit: Int) throws -> [DeadLetterSample] = { _, _ in [] }
    /// Adds metric families of other parts.
    package var metrics: @Sendable (inout PrometheusText) -> Void = { _ in }

    package init() {}
}

/// Why one part of the gateway is not ready.
package struct Unreadiness: Sendable, Equatable {
    /// In a word that anyone may know: `mqtt`.
    package var part: String
    /// A sentence, with addresses and names that are the operator's.
    package var reason: String

    package init(part: String, reason: String) { (self.part, self.reason) = (part, reason) }
}

/// Counters of ingest since the start.
package struct IngestSnapshot: Sendable {
    /// Each broker that is configured, by `host:port`; the figures below are of all.
    package var brokers: [(name: String, snapshot: IngestSnapshot)] = []
    package var messages = 0
    package var bytes = 0
    package var readings = 0
    package var rejected: [RejectReason: Int] = [:]
    package var reconnects = 0
    package var isConnected = false
    package var lastError: String?

    package init() {}
}

/// The objects of one partition, and why the last attempt to deliver it failed.
package struct PartitionDelivery: Sendable {
    package struct Object: Sendable {
        package var key: String
        package var rowCount: Int
        package var byteCount: Int
        /// Lower-case hex.
        package var sha256: String

        package init(key: String, rowCount: Int, byteCount: Int, sha256: String) {
            self.key = key
            self.rowCount = rowCount
            self.byteCount = byteCount
            self.sha256 = sha256
        }
    }

    package var objects: [Object] = []
    package var lastError: String?

    package init() {}
}

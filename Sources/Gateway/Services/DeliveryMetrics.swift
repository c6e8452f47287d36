import Delivery
import QueryAPI
import Telemetry

/// The families `gaugehouse_delivery_…` of `/metrics`.
extension PrometheusText {
    private static let errors = DeliveryErrorCode.allCases.filter { $0 != .ok }.map(\.rawValue)
    private static let phases = DeliveryStatus.Phase.allCases.map(\.rawValue)

    mutating func deliveries(_ all: [DeliverySnapshot]) {
        guard !all.isEmpty else { return }
        // Those that cannot run have a state and an error, and nothing else.
        let running = all.filter { !$0.isInvalid }
        each(running, "objects_total", .counter, "Objects delivered since the ledger began.") { Double($0.objectCount) }
        each(running, "rows_total", .counter, "Rows in them.") { Double($0.rowCount) }
        each(running, "bytes_total", .counter, "Bytes in them.") { Double($0.byteCount) }
        each(running, "dirty_fields_total", .counter, "Values that the schema had no place for.") { Double($0.dirtyFieldCount) }
        each(running, "lag_seconds", .gauge, "For how long the oldest undelivered rows have been due.") { $0.lag.seconds }
        each(running, "sync_point_timestamp_seconds", .gauge, "Up to when everything is delivered; see docs/deliveries.md.") {
            $0.syncPoint.map { Double($0.microseconds) / 1e6 }
        }
        each(running, "late", .gauge, "1 when it is further behind than it should ever be.") { $0.isLate ? 1 : 0 }
        each(running, "paused", .gauge, "1 when an operator has paused it.") { $0.state == DeliveryStatus.Activity.paused.rawValue ? 1 : 0 }
        each(running, "phase", .gauge, "1 for the phase that it is in.", oneOf: "phase", Self.phases) { $0.phase }
        each(all, "failing", .gauge, "1 when the last attempt failed, or when it cannot run.") { $0.isFailing ? 1 : 0 }
        each(all, "error", .gauge, "1 for the error of the last attempt; 0 for all when it succeeded.", oneOf: "error", Self.errors) {
            $0.error
        }
    }

    private mutating func each(
        _ deliveries: [DeliverySnapshot], _ name: String, _ kind: Kind, _ help: String, _ value: (DeliverySnapshot) -> Double?
    ) {
        family("gaugehouse_delivery_" + name, kind, help)
        for delivery in deliveries {
            if let value = value(delivery) { sample(value, labels: ["delivery": delivery.name]) }
        }
    }

    /// A sample for each thing that it can be, so that none is missing before it happens.
    private mutating func each(
        _ deliveries: [DeliverySnapshot], _ name: String, _ kind: Kind, _ help: String, oneOf label: String, _ choices: [String],
        _ chosen: (DeliverySnapshot) -> String
    ) {
        family("gaugehouse_delivery_" + name, kind, help)
        for delivery in deliveries {
            let chosen = chosen(delivery)
            for choice in choices { sample(choice == chosen ? 1 : 0, labels: ["delivery": delivery.name, label: choice]) }
        }
    }
}

import Dialects
import Telemetry

/// What would become of a message: for `gaugehouse explain`. Decides exactly as ingest does; the store is not asked.
package enum Explanation: Sendable, Equatable {
    /// The subscription's filter and table, and the readings. A reading without a time would get the receive time.
    case readings(filter: String, table: String, [Reading])
    /// An empty payload says nothing.
    case ignored
    case rejected(Rejection)

    package init(topic: String, payload: [UInt8], subscriptions: [SubscriptionOptions]) throws(TopicTemplate.Invalid) {
        var routes: [TopicRoute] = []
        // The position stands for the table, so that the batch tells which subscription it was.
        for (index, subscription) in subscriptions.enumerated() {
            routes.append(try TopicRoute(subscription, table: TableNumber(truncatingIfNeeded: index)))
        }
        var intake = MessageIntake(routes: routes)
        Array(topic.utf8).withUnsafeBytes { topic in
            payload.withUnsafeBytes { intake.receive(topic: topic, payload: $0, packetID: 1, isRetained: false) }
        }
        if let rejected = intake.rejected.first {
            self = .rejected(rejected.rejection)
        } else if let row = intake.batch.rows.first {
            let subscription = subscriptions[Int(row.table)]
            let readings = intake.batch.rows.indices.map { intake.batch.reading(at: $0) }
            self = .readings(filter: subscription.filter, table: subscription.table, readings)
        } else {
            self = .ignored
        }
    }
}

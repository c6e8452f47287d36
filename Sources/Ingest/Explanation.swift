import Dialects
import Telemetry

/// What would become of a message: for `gaugehouse explain`. Decides exactly as ingest does; the store is not asked, so that formats which
/// remember know nothing.
package enum Explanation: Sendable, Equatable {
    /// The subscription's filter and table, and the readings. A reading without a time would get the receive time.
    case readings(filter: String, table: String, [Reading])
    /// It says nothing that is to be stored.
    case ignored(String)
    case rejected(Rejection)

    /// - Parameter tables: the configured ones.
    package init(topic: String, payload: [UInt8], subscriptions: [SubscriptionOptions], tables: [String]) throws(TopicTemplate.Invalid) {
        let numbered = tables.enumerated().map { (name: $1, number: TableNumber(truncatingIfNeeded: $0)) }
        var routes: [TopicRoute] = []
        for subscription in subscriptions {
            let table = numbered.first { $0.name == subscription.table }?.number ?? 0
            routes.append(try TopicRoute(subscription, table: table, tables: TableNames(numbered), note: { _ in nil }))
        }
        var intake = MessageIntake(routes: routes, clock: SystemClock())
        let bytes = Array(topic.utf8)
        bytes.withUnsafeBytes { topic in
            payload.withUnsafeBytes { intake.receive(topic: topic, payload: $0, packetID: 1, isRetained: false) }
        }
        if let rejected = intake.rejected.first {
            self = .rejected(rejected.rejection)
        } else if let row = intake.batch.rows.first {
            let readings = intake.batch.rows.indices.map { intake.batch.reading(at: $0) }
            self = .readings(filter: intake.route(of: topic)?.filter ?? "", table: tables[Int(row.table)], readings)
        } else {
            let why = intake.lastIgnored?.description ?? "no reading"
            self = .ignored(payload.isEmpty ? "An empty payload is ignored." : "Ignored: \(why).")
        }
    }
}

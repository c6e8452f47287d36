import Dialects
import Telemetry

/// What would become of a message: for `gaugehouse explain`. Decides exactly as ingest does; the store is not asked, so that formats which
/// remember know nothing.
package struct Explanation: Sendable, Equatable {
    package enum Outcome: Sendable, Equatable {
        /// A reading without a time would get the receive time.
        case readings(table: String, [Reading])
        /// It says nothing that is to be stored.
        case ignored(String)
        case rejected(Rejection)
    }

    package let outcome: Outcome
    /// The subscription that decides, by its filter; nil: the topic fits none.
    package var filter: String?
    /// The subscription's format. Of `auto`: what it took the message for, and why.
    package var format: String?

    /// - Parameter tables: the configured ones.
    package init(topic: String, payload: [UInt8], subscriptions: [SubscriptionOptions], tables: [String]) throws(TopicTemplate.Invalid) {
        let numbered = tables.enumerated().map { (name: $1, number: TableNumber(truncatingIfNeeded: $0)) }
        var routes: [TopicRoute] = []
        for subscription in subscriptions {
            let table = numbered.first { $0.name == subscription.table }?.number ?? 0
            routes.append(try TopicRoute(subscription, table: table, tables: TableNames(numbered), note: { _ in nil }))
        }
        var intake = MessageIntake(routes: routes, clock: SystemClock())
        let topic = Array(topic.utf8)
        topic.withUnsafeBytes { topic in
            payload.withUnsafeBytes { intake.receive(topic: topic, payload: $0, packetID: 1, isRetained: false) }
        }
        outcome = Outcome(intake, payload, tables)
        guard let index = routes.firstIndex(where: { route in topic.withUnsafeBytes { route.fits($0) } }) else { return }
        filter = routes[index].filter
        format = Self.format(subscriptions[index], routes[index], topic, payload)
    }

    private static func format(_ subscription: SubscriptionOptions, _ route: TopicRoute, _ topic: [UInt8], _ payload: [UInt8]) -> String {
        guard subscription.dialect.format == .auto, !payload.isEmpty else { return subscription.dialect.format.rawValue }
        let guess = topic.withUnsafeBytes { topic in payload.withUnsafeBytes { route.decoder.guess(topic: topic, payload: $0) } }
        return "auto: \(guess.format?.rawValue ?? "none"), because \(guess.reason)"
    }
}

extension Explanation.Outcome {
    fileprivate init(_ intake: borrowing MessageIntake, _ payload: [UInt8], _ tables: [String]) {
        if let rejected = intake.rejected.first {
            self = .rejected(rejected.rejection)
        } else if let row = intake.batch.rows.first {
            self = .readings(table: tables[Int(row.table)], intake.batch.rows.indices.map { intake.batch.reading(at: $0) })
        } else {
            self = .ignored(payload.isEmpty ? "an empty payload says nothing" : intake.lastIgnored?.description ?? "no reading")
        }
    }
}

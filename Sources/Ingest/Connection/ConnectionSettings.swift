import Synchronization
import Telemetry

/// What one connection's thread needs to know.
struct ConnectionSettings: Sendable, Equatable {
    /// The group that several connections share their subscriptions in.
    private static let shareGroup = "gaugehouse"
    static let droppedTopic = "$SYS/broker/publish/messages/dropped"

    var options: MQTTOptions
    /// 1...
    var number: Int
    /// Those of this connection.
    var subscriptions: [SubscriptionOptions]
    /// Nothing is subscribed to any more: what the broker's session still holds is taken in, then the session is ended.
    var isRetiring = false

    /// All connections of a broker.
    static func all(of broker: MQTTBroker) -> [ConnectionSettings] {
        (1...max(broker.options.connections, 1)).map { number in
            ConnectionSettings(
                options: broker.options, number: number,
                subscriptions: number == 1 ? broker.subscriptions : broker.subscriptions.filter { !$0.needsOneConnection })
        }
    }

    /// The same broker under the name of a session that is to end.
    func retiring(session clientID: String) -> ConnectionSettings {
        var settings = self
        (settings.options.clientID, settings.options.connections, settings.number) = (clientID, 1, 1)
        settings.isRetiring = true
        return settings
    }

    var clientID: String { number > 1 ? "\(options.clientID)-\(number)" : options.clientID }
    var noteSource: String { "mqtt/\(options.clientID)/\(number)" }
    var threadName: String { "mqtt-\(number)" }
    var broker: String { "\(options.host):\(options.port)" }

    /// As subscribed, with the QoS: shared when there are several connections.
    var filters: [(filter: String, qos: Int)] {
        guard !isRetiring else { return [] }
        return subscriptions.map { subscription in
            let isShared = options.connections > 1 && !subscription.needsOneConnection && !TopicTemplate.isShared(subscription.filter)
            return (isShared ? "$share/\(Self.shareGroup)/\(subscription.filter)" : subscription.filter, subscription.qos)
        }
    }

    func routes(_ path: CommitPath) throws(MQTTIngest.InvalidSubscription) -> [TopicRoute] {
        var routes: [TopicRoute] = []
        for subscription in subscriptions { routes.append(try TopicRoute(subscription, path: path)) }
        return routes
    }
}

extension TopicRoute {
    /// - Throws: a subscription that cannot work, and why.
    convenience init(_ subscription: SubscriptionOptions, path: CommitPath) throws(MQTTIngest.InvalidSubscription) {
        let tables = TableNames(path.tables)
        guard let table = path.tables.first(where: { $0.name == subscription.table }) else {
            throw MQTTIngest.InvalidSubscription(
                filter: subscription.filter, description: "there is no table \"\(subscription.table)\"")
        }
        guard (0...1).contains(subscription.qos) else {
            throw MQTTIngest.InvalidSubscription(
                filter: subscription.filter,
                description: "qos is \(subscription.qos), must be 0 or 1: at 2 the broker lets go of messages before they are on disk")
        }
        do throws(TopicTemplate.Invalid) {
            try self.init(subscription, table: table.number, tables: tables, note: path.note)
        } catch {
            throw MQTTIngest.InvalidSubscription(filter: subscription.filter, description: error.description)
        }
    }
}

/// What a connection's thread and its owner tell each other.
final class ConnectionControl: Sendable {
    let stop: Signal
    /// The thread sits in the library's blocking connect, with nothing in hand: it need not be waited for.
    let isConnecting = Atomic<Bool>(false)
    /// Settings that differ in nothing but subscriptions, or retire the connection; taken over between two batches.
    let nextSettings = Guarded<ConnectionSettings?>(nil)

    init(stop: Signal) { self.stop = stop }
}

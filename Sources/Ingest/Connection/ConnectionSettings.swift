import Synchronization
import Telemetry

/// What one connection's thread needs to know.
struct ConnectionSettings: Sendable {
    /// The group that several connections share their subscriptions in.
    static let shareGroup = "gaugehouse"

    var options: MQTTOptions
    /// 1...
    var number: Int
    var subscriptions: [(options: SubscriptionOptions, table: TableNumber)]

    var clientID: String { options.connections > 1 ? "\(options.clientID)-\(number)" : options.clientID }
    var noteSource: String { "mqtt/\(options.clientID)/\(number)" }
    var threadName: String { "mqtt-\(number)" }
    var broker: String { "\(options.host):\(options.port)" }

    /// As subscribed: shared when there are several connections.
    func filter(of subscription: SubscriptionOptions) -> String {
        options.connections > 1 ? "$share/\(Self.shareGroup)/\(subscription.filter)" : subscription.filter
    }

    func routes() throws(TopicTemplate.Invalid) -> [TopicRoute] {
        var routes: [TopicRoute] = []
        for subscription in subscriptions { routes.append(try TopicRoute(subscription.options, table: subscription.table)) }
        return routes
    }
}

/// What a connection's thread and its owner tell each other.
final class ConnectionControl: Sendable {
    let stop: Signal
    /// The thread sits in the library's blocking connect, with nothing in hand: it need not be waited for.
    let isConnecting = Atomic<Bool>(false)

    init(stop: Signal) { self.stop = stop }
}

import Telemetry

/// What one connection's thread needs to know.
struct ConnectionSettings: Sendable, Equatable {
    /// The group that several connections share their subscriptions in.
    private static let shareGroup = "gaugehouse"
    static let droppedTopic = "$SYS/broker/publish/messages/dropped"

    var options: MQTTOptions
    /// 1...
    var number: Int
    /// Names the session at the broker, and what the store remembers of it.
    var clientID: String
    /// Those of this connection.
    var subscriptions: [SubscriptionOptions]
    /// Nothing is subscribed to any more: what the broker's session still holds is taken in, then the session is ended.
    var isRetiring = false

    /// All connections of a broker.
    static func all(of broker: MQTTBroker) -> [ConnectionSettings] {
        (1...max(broker.options.connections, 1)).map { number in
            ConnectionSettings(
                options: broker.options, number: number, clientID: clientID(number, of: broker.options),
                subscriptions: number == 1 ? broker.subscriptions : broker.subscriptions.filter { !$0.needsOneConnection })
        }
    }

    /// A session that is to end. Messages that wait in it are read as the section says that has its filters now, else as others of the same
    /// broker say.
    /// - Returns: nil: no section names that broker any more.
    static func retiring(_ clientID: String, _ note: SessionNote, among brokers: [MQTTBroker]) -> ConnectionSettings? {
        let candidates = brokers.filter { $0.options.host == note.host && $0.options.port == note.port }
        func likeness(_ broker: MQTTBroker) -> Int { all(of: broker)[0].filters.count { note.filters.contains($0.filter) } }
        guard let best = candidates.max(by: { likeness($0) < likeness($1) }) else { return nil }
        let others = candidates.filter { $0 != best }.flatMap(\.subscriptions)
        return ConnectionSettings(
            options: best.options, number: 1, clientID: clientID, subscriptions: best.subscriptions + others, isRetiring: true)
    }

    private static func clientID(_ number: Int, of options: MQTTOptions) -> String {
        number > 1 ? "\(options.clientID)-\(number)" : options.clientID
    }

    var noteSource: String { "mqtt/\(clientID)" }
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

    var identifiers: SubscriptionIdentifiers {
        SubscriptionIdentifiers(
            filters: zip(filters, subscriptions).map { filter, subscription in
                let template = try? TopicTemplate(subscription.topic, filter: subscription.filter)
                return .init(
                    text: filter.filter, qos: filter.qos, isSharedByUser: TopicTemplate.isShared(subscription.filter),
                    takesWhole: template?.takesWholeFilter ?? false)
            })
    }

    /// Two brokers may have devices of one name: what a format remembers belongs to the session that it learnt it from.
    static func dialectNote(_ source: String, of clientID: String) -> String { "dialect/\(clientID)/\(source)" }

    func routes(_ path: CommitPath) throws(MQTTIngest.InvalidSubscription) -> [TopicRoute] {
        var routes: [TopicRoute] = []
        for subscription in subscriptions {
            routes.append(try TopicRoute(subscription, path: path) { [clientID] in path.note(Self.dialectNote($0, of: clientID)) })
        }
        return routes
    }
}

extension TopicRoute {
    /// - Throws: a subscription that cannot work, and why.
    convenience init(
        _ subscription: SubscriptionOptions, path: CommitPath, note: @escaping (String) -> [UInt8]? = { _ in nil }
    ) throws(MQTTIngest.InvalidSubscription) {
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
            try self.init(subscription, table: table.number, tables: tables, note: note)
        } catch {
            throw MQTTIngest.InvalidSubscription(filter: subscription.filter, description: error.description)
        }
    }
}

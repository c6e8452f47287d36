import Dialects
import Telemetry

/// How to reach the broker; `[mqtt]` of the configuration.
package struct MQTTOptions: Sendable, Equatable {
    /// PEM files for a TLS connection.
    package struct TLS: Sendable, Equatable {
        /// Certificates that may have signed the broker's; nil: those that the system trusts.
        package var caFile: String?
        /// The gateway's own certificate and its key, where the broker asks for them.
        package var certificateFile: String?
        package var keyFile: String?

        package init(caFile: String?, certificateFile: String? = nil, keyFile: String? = nil) {
            self.caFile = caFile
            self.certificateFile = certificateFile
            self.keyFile = keyFile
        }
    }

    package var host = "127.0.0.1"
    package var port = 1883
    /// Names the broker's session, which keeps what arrives while the gateway is away. Connections above the first add `-2`, `-3`, ….
    package var clientID = "gaugehouse"
    /// Above 1, the connections share `$share/gaugehouse/<filter>`; formats that remember stay with the first.
    package var connections = 1
    /// Whether the broker's own count of dropped messages is watched (`$SYS`), where it lets us.
    package var watchesBroker = true
    package var username: String?
    package var password: String?
    package var tls: TLS?
    /// Silence after which the connection counts as dead. Far above `commitRetry`, because a ping waits behind a commit.
    package var keepAlive: TimeSpan = .seconds(60)
    /// How long an MQTT v5 broker keeps the session of a gateway that is away.
    package var sessionExpiry: TimeSpan = .days(30)
    /// How long a commit that the store refuses is tried again before the connection is dropped without acking.
    package var commitRetry: TimeSpan = .seconds(5)
    /// Under load, the least time from one commit of a connection to the next: what arrives meanwhile shares the sync.
    package var commitInterval: TimeSpan = .milliseconds(2)

    package init() {}
}

/// What becomes of messages that the broker sends because it had retained them.
package enum RetainedPolicy: String, Sendable, CaseIterable {
    /// Acked and counted: an old value is not a new reading.
    case drop
    /// Stored like any other message.
    case store
}

/// One `[[mqtt.subscription]]`.
package struct SubscriptionOptions: Sendable, Equatable {
    package var filter: String
    /// See `TopicTemplate`.
    package var topic: String
    package var dialect = DialectOptions()
    package var table: String
    /// 0 or 1. At 2 the broker would let go of messages before they are on disk.
    package var qos = 1
    package var retained: RetainedPolicy = .drop

    package init(filter: String, topic: String, table: String) {
        self.filter = filter
        self.topic = topic
        self.table = table
    }

    /// Whether retained messages count as readings. Homie retains everything, by its convention.
    var keepsRetained: Bool { retained == .store || dialect.format == .homie }

    /// The format's messages lean on earlier ones: one connection must see them all.
    var needsOneConnection: Bool { [.sparkplugB, .homie, .auto].contains(dialect.format) }
}

/// One `[[mqtt]]`: a broker, and what to subscribe to there.
package struct MQTTBroker: Sendable, Equatable {
    package var options: MQTTOptions
    package var subscriptions: [SubscriptionOptions]
    /// As logs, metrics and dead letters call it.
    package var name: String { "\(options.host):\(options.port)" }

    package init(options: MQTTOptions, subscriptions: [SubscriptionOptions]) {
        self.options = options
        self.subscriptions = subscriptions
    }
}

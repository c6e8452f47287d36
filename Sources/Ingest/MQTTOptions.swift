import Telemetry

/// How to reach the broker; `[mqtt]` of the configuration.
package struct MQTTOptions: Sendable {
    /// PEM files for a TLS connection.
    package struct TLS: Sendable {
        /// Certificates that may have signed the broker's.
        package var caFile: String
        /// The gateway's own certificate and its key, where the broker asks for them.
        package var certificateFile: String?
        package var keyFile: String?

        package init(caFile: String, certificateFile: String? = nil, keyFile: String? = nil) {
            self.caFile = caFile
            self.certificateFile = certificateFile
            self.keyFile = keyFile
        }
    }

    package var host = "127.0.0.1"
    package var port = 1883
    /// Names the broker's session, which keeps what arrives while the gateway is away. Several connections add `-1`, `-2`, ….
    package var clientID = "gaugehouse"
    /// Above 1, the connections share `$share/gaugehouse/<filter>`.
    package var connections = 1
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

package enum PayloadFormat: String, Sendable, CaseIterable {
    /// Objects and lists of objects; see `JSONReadingDecoder`.
    case json
}

/// One `[[mqtt.subscription]]`.
package struct SubscriptionOptions: Sendable {
    package var filter: String
    /// See `TopicTemplate`.
    package var topic: String
    package var format: PayloadFormat = .json
    package var table: String
    /// 0 or 1. At 2 the broker would let go of messages before they are on disk.
    package var qos = 1
    package var retained: RetainedPolicy = .drop

    package init(filter: String, topic: String, table: String) {
        self.filter = filter
        self.topic = topic
        self.table = table
    }
}

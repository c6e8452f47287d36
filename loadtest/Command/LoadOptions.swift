/// A run's settings, checked.
struct LoadOptions: Sendable {
    /// Where MQTT goes.
    var host: String
    var port: UInt16
    var credentials: MQTTPacket.Credentials?
    /// Instead of MQTT.
    var writeTarget: HTTPWriteTarget?
    var description: RunDescription
    var plan: Plan
    var template: PayloadTemplate?
    var topic: TopicTemplate
    /// 0 or 1.
    var qualityOfService: Int
    /// Messages in flight per connection, 1...65535.
    var window: Int
    var threadCount: Int
    var reconnects: Bool
    /// All connections break this often, ns.
    var stormNanoseconds: UInt64?
    /// How long the last PUBACKs are waited for.
    var drainNanoseconds: UInt64
    var keepAliveSeconds: UInt16
    /// Keep every acknowledged reading in memory, for verification after the run.
    var keepsAcknowledged: Bool

    var encoder: PayloadEncoder {
        PayloadEncoder(
            dialect: description.dialect, generator: description.generator, naming: description.naming, fleet: description.fleet,
            template: template)
    }

    /// Whether messages are acknowledged, so that they have a latency.
    var isAcknowledged: Bool { writeTarget != nil || qualityOfService > 0 }

    var isRetained: Bool { template == nil && description.dialect.isRetained }

    func clientID(connection: Int) -> String { "gh-load-\(description.run)-\(connection)" }
}

/// A run's settings, checked.
struct LoadOptions: Sendable {
    var host: String
    var port: UInt16
    var credentials: MQTTPacket.Credentials?
    var description: RunDescription
    var topic: TopicTemplate
    /// 0 or 1.
    var qualityOfService: Int
    /// Messages a second of the whole fleet; nil: as fast as the broker takes them.
    var rate: Double?
    var durationNanoseconds: UInt64?
    var messageCount: Int?
    /// Messages in flight per connection, 1...65535.
    var window: Int
    var tickNanoseconds: UInt64
    var threadCount: Int
    var reconnects: Bool
    /// How long the last PUBACKs are waited for.
    var drainNanoseconds: UInt64
    var keepAliveSeconds: UInt16
    /// Keep every acknowledged reading in memory, for verification after the run.
    var keepsAcknowledged: Bool

    var schedule: Schedule? {
        rate.map { Schedule(rate: $0, tickNanoseconds: tickNanoseconds) }
    }

    /// Messages of the whole fleet that the run is to send at most.
    var messageLimit: Int {
        var limit = messageCount ?? .max
        if let rate, let durationNanoseconds { limit = min(limit, Int(rate * Double(durationNanoseconds) / 1e9)) }
        return limit
    }

    func clientID(connection: Int) -> String { "gh-load-\(description.run)-\(connection)" }
}

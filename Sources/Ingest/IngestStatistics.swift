import Synchronization
import Telemetry

/// What ingest has done since it was started.
package struct IngestStatistics: Sendable {
    /// Messages whose ack may leave, of whatever fate.
    package var messages = 0
    package var payloadBytes = 0
    /// Readings on disk, duplicates included.
    package var readings = 0
    package var duplicates = 0
    /// Messages that were refused, and readings that the store refused, by reason.
    package var rejects: [RejectReason: Int] = [:]
    /// Dead letters that could not be written.
    package var deadLettersLost = 0
    package var retainedDropped = 0
    /// Of readings that carry a time.
    package var clockSkew = ClockSkew()
    /// Messages without a payload.
    package var emptyIgnored = 0
    /// Copies of messages that an earlier subscription takes.
    package var overlapsIgnored = 0
    /// Messages that their format does not store: commands, attributes.
    package var ignored = 0
    /// Messages missing in numbered sequences (Sparkplug).
    package var sequenceGaps = 0
    /// Metrics whose alias nobody had explained (Sparkplug).
    package var unknownAliases = 0
    /// Metrics of births that cannot be stored (Sparkplug).
    package var ignoredMetrics = 0
    /// What each broker said it has dropped since it started, by `host:port`. Empty where `$SYS` cannot be read.
    package var brokerDropped: [String: Int] = [:]
    package var batches = 0
    /// Most messages in one batch.
    package var largestBatch = 0
    package var connections = 0
    package var connectionsUp = 0
    /// Subscriptions that brokers refuse: `filter at host:port`.
    package var refusedFilters: [String] = []
    /// Brokers, by `host:port`, with a connection that is down.
    package var awayBrokers: [String] = []
    /// Connections made again after they were lost.
    package var reconnects = 0
    /// Of the broker or the store; kept after it has passed.
    package var lastError: String?
    fileprivate var lastErrorTime: ContinuousClock.Instant?
    /// Each broker that is configured, `host:port`, in the configuration's order. The figures above are of all, those that left included.
    package var brokers: [(name: String, statistics: IngestStatistics)] = []

    package init() {}

    package var isConnected: Bool { connectionsUp == connections }

    /// Adds the figures of another broker.
    fileprivate mutating func add(_ other: IngestStatistics) {
        messages += other.messages
        payloadBytes += other.payloadBytes
        readings += other.readings
        duplicates += other.duplicates
        rejects.merge(other.rejects, uniquingKeysWith: +)
        deadLettersLost += other.deadLettersLost
        retainedDropped += other.retainedDropped
        clockSkew.merge(other.clockSkew)
        emptyIgnored += other.emptyIgnored
        overlapsIgnored += other.overlapsIgnored
        ignored += other.ignored
        sequenceGaps += other.sequenceGaps
        unknownAliases += other.unknownAliases
        ignoredMetrics += other.ignoredMetrics
        brokerDropped.merge(other.brokerDropped, uniquingKeysWith: max)
        batches += other.batches
        largestBatch = max(largestBatch, other.largestBatch)
        connections += other.connections
        connectionsUp += other.connectionsUp
        refusedFilters = (refusedFilters + other.refusedFilters).sorted()
        awayBrokers = (awayBrokers + other.awayBrokers).sorted()
        reconnects += other.reconnects
        guard let time = other.lastErrorTime, lastErrorTime.map({ $0 < time }) ?? true else { return }
        (lastError, lastErrorTime) = (other.lastError, time)
    }
}

/// The counters of all brokers there ever were, by `host:port`.
final class BrokerCounters: Sendable {
    private let rejectLog: RejectLog
    private let byBroker = Mutex<[String: IngestCounters]>([:])

    init(clock: any WallClock) { rejectLog = RejectLog(clock: clock) }

    subscript(broker: String) -> IngestCounters {
        byBroker.withLock { byBroker in
            if let counters = byBroker[broker] { return counters }
            let counters = IngestCounters(rejectLog: rejectLog)
            byBroker[broker] = counters
            return counters
        }
    }

    /// - Parameter connections: that the configuration wants.
    func snapshot(_ connections: [ConnectionSettings]) -> IngestStatistics {
        var names: [String] = []
        for settings in connections where !names.contains(settings.broker) { names.append(settings.broker) }
        var total = IngestStatistics()
        for name in names {
            let own = self[name].snapshot(connections.filter { $0.broker == name })
            total.add(own)
            total.brokers.append((name, own))
        }
        for (name, counters) in byBroker.withLock({ $0 }) where !names.contains(name) { total.add(counters.snapshot([])) }
        return total
    }
}

/// The counters behind `IngestStatistics`, of one broker. Added to once a batch.
final class IngestCounters: Sendable {
    let rejectLog: RejectLog
    let messages = Atomic<Int>(0)
    let payloadBytes = Atomic<Int>(0)
    let readings = Atomic<Int>(0)
    let duplicates = Atomic<Int>(0)
    let deadLettersLost = Atomic<Int>(0)
    let retainedDropped = Atomic<Int>(0)
    let emptyIgnored = Atomic<Int>(0)
    let overlapsIgnored = Atomic<Int>(0)
    let ignored = Atomic<Int>(0)
    let sequenceGaps = Atomic<Int>(0)
    let unknownAliases = Atomic<Int>(0)
    let ignoredMetrics = Atomic<Int>(0)
    let batches = Atomic<Int>(0)
    let largestBatch = Atomic<Int>(0)
    let reconnects = Atomic<Int>(0)
    private let rejects = Mutex<[RejectReason: Int]>([:])
    private let clockSkew = Mutex(ClockSkew())
    private let lastError = Mutex<(text: String, time: ContinuousClock.Instant)?>(nil)
    /// Filters that a broker refuses, with the broker.
    private let refused = Mutex<Set<String>>([])
    private let brokerDropped = Mutex<[String: Int]>([:])
    /// Client ids of connections that are up.
    private let up = Mutex<Set<String>>([])

    init(rejectLog: RejectLog) { self.rejectLog = rejectLog }

    func addRejects(_ counts: [RejectReason: Int]) {
        guard !counts.isEmpty else { return }
        rejects.withLock { $0.merge(counts, uniquingKeysWith: +) }
    }

    func add(_ skew: ClockSkew) { clockSkew.withLock { $0.merge(skew) } }

    func setLastError(_ text: String) { lastError.withLock { $0 = (text, .now) } }

    func setUp(_ clientID: String, _ isUp: Bool) {
        up.withLock { up in
            if isUp { up.insert(clientID) } else { up.remove(clientID) }
        }
    }

    func setRefused(_ filter: String, by settings: ConnectionSettings, _ isRefused: Bool) {
        let name = "\(filter) at \(settings.broker)"
        refused.withLock { refused in
            if isRefused { refused.insert(name) } else { refused.remove(name) }
        }
    }

    /// - Parameter count: not negative.
    /// - Returns: by how much the count has risen since it was last told; a broker that was restarted begins again.
    func setDropped(_ count: Int, by broker: String) -> Int {
        brokerDropped.withLock { dropped in
            let before = dropped.updateValue(count, forKey: broker) ?? 0
            return count > before ? count - before : 0
        }
    }

    func snapshot(_ connections: [ConnectionSettings]) -> IngestStatistics {
        var statistics = IngestStatistics()
        statistics.messages = messages.load(ordering: .relaxed)
        statistics.payloadBytes = payloadBytes.load(ordering: .relaxed)
        statistics.readings = readings.load(ordering: .relaxed)
        statistics.duplicates = duplicates.load(ordering: .relaxed)
        statistics.rejects = rejects.withLock { $0 }
        statistics.deadLettersLost = deadLettersLost.load(ordering: .relaxed)
        statistics.retainedDropped = retainedDropped.load(ordering: .relaxed)
        statistics.emptyIgnored = emptyIgnored.load(ordering: .relaxed)
        statistics.overlapsIgnored = overlapsIgnored.load(ordering: .relaxed)
        statistics.ignored = ignored.load(ordering: .relaxed)
        statistics.sequenceGaps = sequenceGaps.load(ordering: .relaxed)
        statistics.unknownAliases = unknownAliases.load(ordering: .relaxed)
        statistics.ignoredMetrics = ignoredMetrics.load(ordering: .relaxed)
        statistics.brokerDropped = brokerDropped.withLock { $0 }
        statistics.batches = batches.load(ordering: .relaxed)
        statistics.largestBatch = largestBatch.load(ordering: .relaxed)
        statistics.connections = connections.count
        let away = up.withLock { up in connections.filter { !up.contains($0.clientID) } }
        statistics.connectionsUp = connections.count - away.count
        let wanted = Set(connections.flatMap { settings in settings.filters.map { "\($0.filter) at \(settings.broker)" } })
        statistics.refusedFilters = refused.withLock { wanted.intersection($0) }.sorted()
        statistics.awayBrokers = Set(away.map(\.broker)).sorted()
        statistics.reconnects = reconnects.load(ordering: .relaxed)
        statistics.clockSkew = clockSkew.withLock { $0 }
        let lastError = lastError.withLock { $0 }
        (statistics.lastError, statistics.lastErrorTime) = (lastError?.text, lastError?.time)
        return statistics
    }
}

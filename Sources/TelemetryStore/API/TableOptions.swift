import Telemetry

/// What the operator sets for one table; see docs of `[[table]]` in configs/gaugehouse.toml.
package struct TableOptions: Sendable, Equatable {
    package var name: String
    /// Number of hash buckets (1...1024). Fixed when the table is created.
    package var buckets: Int = 16
    package var ttl: TimeSpan = .days(30)
    /// Readable versions of a cell (1...100).
    package var maxVersions: Int = 1
    /// Length of a partition's time window. Fixed when the table is created.
    package var partitionLength: TimeSpan = .hours(1)
    /// Grace for late readings before a window is sealed.
    package var sealAfter: TimeSpan = .minutes(10)
    /// How far ahead of the clock a reading's time may be.
    package var maxFuture: TimeSpan = .hours(1)
    /// A device silent for longer is `stale`.
    package var staleAfter: TimeSpan = .minutes(5)
    /// Names of the delivery tasks that must have a partition before its TTL may drop it; `Table.require` changes them later.
    package var requiredDeliveries: [String] = []
    /// False: TTL drops partitions whether delivered or not.
    package var retainUntilDelivered = true
    /// In force from the start; `TelemetryStore.setLimits` changes them later.
    package var limits = TableLimits()

    package init(name: String) { self.name = name }
}

/// When a commit counts as durable.
package enum Durability: String, Sendable, CaseIterable {
    /// `fdatasync` before every ack.
    case fsync
    /// `fdatasync` once a second; a power cut may lose the last second of acks.
    case interval
    /// The kernel decides; a power cut may lose half a minute of acks.
    case none
}

package struct StoreOptions: Sendable {
    /// Directory of the store; created when missing.
    package var path: String
    package var durability: Durability = .fsync
    /// Longest time a commit waits for company before its group is written.
    package var commitInterval: TimeSpan = .zero
    /// Memory of unflushed rows above which the biggest heads are flushed. Commits wait at twice this.
    package var headByteBudget = 256 << 20
    /// A head older than this is flushed, so that the log can be trimmed.
    package var headAge: TimeSpan = .minutes(10)
    /// Memory for decompressed frames of segments.
    package var blockCacheByteCount = 64 << 20
    /// Preallocated size of one log file.
    package var logFileByteCount = 64 << 20
    /// Memory that keeps the newest commits for live readers; 0: there are none.
    package var feedByteCount = 8 << 20
    /// While less is free on the store's disk, commits are refused as if it were full; 0: until it is.
    package var diskReserveByteCount = 0
    /// No clock can be right that is earlier: commits are refused until it is later. The gateway sets the time it was built.
    package var earliestClock = Timestamp.distantPast
    /// zstd level of segments.
    package var compressionLevel: Int32 = 3

    package init(path: String) { self.path = path }
}

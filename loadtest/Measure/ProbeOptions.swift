import Histogram

/// How the run is probed from outside.
struct ProbeOptions: Sendable {
    /// The gateway's HTTP address.
    var endpoint: HTTPEndpoint
    var token: String?
    var table: String?
    /// Probes a second, of each kind.
    var rate: Double
    /// Between two questions for the newest value: the resolution, with the time a question takes.
    var pollNanoseconds: UInt64
    /// After the run, how long probes that have not come through yet are waited for.
    var patienceNanoseconds: UInt64

    func dueTime(_ probe: Int) -> UInt64 { UInt64(Double(probe) * 1e9 / rate) }
}

/// What the probes of one kind found.
struct ProbeOutcome: Sendable {
    /// µs from the time the probe was due. Probes that never came through stand in it with the time they were waited for.
    var latency = Latency.histogram()
    var series = SecondSeries()
    var dueCount = 0
    /// Probes that were due and never came through, for whatever reason: not sent, not answered, not visible.
    var missingCount = 0
    /// µs that a question took.
    var question = Latency.histogram()
    var failure: LoadError?

    mutating func record(dueAt due: UInt64, now: UInt64) {
        recordLatency(dueAt: due, now: now)
        series.note(acknowledgedAt: now)
    }

    /// The time a probe was waited for in vain is the least its latency can be.
    mutating func recordMissing(dueAt due: UInt64, now: UInt64) {
        recordLatency(dueAt: due, now: now)
        missingCount += 1
    }

    private mutating func recordLatency(dueAt due: UInt64, now: UInt64) {
        let microseconds = min(now > due ? (now - due) / 1_000 : 0, Latency.highestMicroseconds)
        latency.record(microseconds)
        series.note(latencyMicroseconds: microseconds, dueAt: due)
    }
}

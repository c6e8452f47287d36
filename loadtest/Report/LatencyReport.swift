import Histogram

/// Percentiles of one kind of latency.
struct LatencyReport: Codable, Equatable, Sendable {
    struct Point: Codable, Equatable, Sendable {
        /// 0...100
        var percentile: Double
        var microseconds: UInt64
    }

    /// Microseconds. In open loop from the scheduled time, flat out from the write.
    var p50, p90, p99, p999, p9999, max: UInt64
    var mean: Double
    var count: Int
    /// Many percentiles, ever closer to 100: the curve of the report.
    var curve: [Point]

    /// Nil when nothing was recorded.
    init?(_ histogram: Histogram<UInt64>) {
        guard histogram.totalCount > 0 else { return nil }
        p50 = histogram.valueAtPercentile(50)
        p90 = histogram.valueAtPercentile(90)
        p99 = histogram.valueAtPercentile(99)
        p999 = histogram.valueAtPercentile(99.9)
        p9999 = histogram.valueAtPercentile(99.99)
        max = histogram.max
        mean = histogram.mean
        count = Int(histogram.totalCount)
        curve = Self.percentiles(count: count).map { Point(percentile: $0, microseconds: histogram.valueAtPercentile($0)) }
    }

    /// Ten to each factor of ten by which the share of slower messages falls, as far as there are messages.
    private static func percentiles(count: Int) -> [Double] {
        var percentiles = [0.0]
        var share = 1.0
        let step = 0.794_328_234_724_281_5  // 10^(-1/10)
        while share * Double(count) >= 1, share > 1e-7 {
            share *= step
            percentiles.append(100 * (1 - share))
        }
        return percentiles
    }

    /// `p50 0.43  p90 …`, ms.
    var text: String {
        let points = [("p50", p50), ("p90", p90), ("p99", p99), ("p99.9", p999), ("p99.99", p9999), ("max", max)]
        return points.map { "\($0.0) \(Text.decimal(Double($0.1) / 1_000, digits: 2))" }.joined(separator: "  ")
    }
}

/// What the probes of one kind say.
struct ProbeReport: Codable, Equatable, Sendable {
    var latencyMicroseconds: LatencyReport?
    /// Probes due, and of these the ones that never came through. They stand in the latencies with the time they were waited for.
    var sent, missing: Int
    /// Probes a second.
    var rate: Double
    /// Queryable: a latency is too long by at most the poll interval and one question.
    var pollIntervalMicroseconds: UInt64
    var questionMicroseconds: LatencyReport?
    var series: [SecondReport]

    init(_ outcome: ProbeOutcome, _ probe: ProbeOptions) {
        latencyMicroseconds = LatencyReport(outcome.latency)
        (sent, missing) = (outcome.dueCount, outcome.missingCount)
        rate = probe.rate
        pollIntervalMicroseconds = probe.pollNanoseconds / 1_000
        questionMicroseconds = LatencyReport(outcome.question)
        series = SecondReport.list(outcome.series)
    }
}

/// One second of a run; several of one that lasts longer than an hour.
struct SecondReport: Codable, Equatable, Sendable {
    /// After the first publish.
    var second: Int
    /// How many seconds these are.
    var seconds: Int
    /// Sent and answered in this time.
    var sent, acknowledged: Int
    /// µs, within 3 %, of the messages that were due in this time; nil when there were none.
    var p50, p90, p99, max: UInt64?

    static func list(_ series: SecondSeries) -> [SecondReport] {
        (0..<series.count).map { span in
            let counts = series.latencies(in: span)
            return SecondReport(
                second: span * series.spanLength, seconds: series.spanLength, sent: Int(series.sent[span]),
                acknowledged: Int(series.acknowledged[span]),
                p50: LatencyBuckets.percentile(0.5, of: counts), p90: LatencyBuckets.percentile(0.9, of: counts),
                p99: LatencyBuckets.percentile(0.99, of: counts), max: LatencyBuckets.percentile(1, of: counts))
        }
    }
}

/// How the run was planned.
struct PlanReport: Codable, Equatable, Sendable {
    /// Messages a second; nil: flat out, or bursts.
    var rate, endRate: Double?
    /// `N@interval`.
    var burst: String?
    var poisson: Bool
    var rampUpSeconds, rampDownSeconds: Double
    var durationSeconds: Double?
    var count: Int?

    init(_ plan: Plan) {
        (rate, endRate, burst, poisson) = (plan.rate, plan.endRate, plan.burst?.text, plan.isPoisson)
        rampUpSeconds = Double(plan.rampUpNanoseconds) / 1e9
        rampDownSeconds = Double(plan.rampDownNanoseconds) / 1e9
        durationSeconds = plan.durationNanoseconds.map { Double($0) / 1e9 }
        count = plan.messageCount
    }

    var text: String {
        var text = "flat out"
        if let burst { text = "bursts of \(burst)" }
        if let rate {
            text = "open loop at \(Text.decimal(rate, digits: rate < 10 ? 1 : 0))"
            if let endRate { text += " to \(Text.decimal(endRate, digits: 0))" }
            text += " msg/s" + (poisson ? " (Poisson)" : "")
        }
        return text
    }

    /// The rate the plan asks for in a second of the run; nil where it asks for none in particular.
    func plannedRate(second: Double) -> Double? {
        guard let rate, let durationSeconds else { return rate }
        let end = endRate ?? rate
        if second < rampUpSeconds { return rate * second / rampUpSeconds }
        let steady = second - rampUpSeconds
        if steady <= durationSeconds { return rate + (end - rate) * steady / durationSeconds }
        guard rampDownSeconds > 0 else { return 0 }
        return max(0, end * (1 - (steady - durationSeconds) / rampDownSeconds))
    }
}

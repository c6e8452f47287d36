/// What happened in each second of a run: how much was sent and answered, and how long messages that were due in it took.
///
/// A long run is kept in longer spans, of two seconds after an hour, four after two: 13 MB at most.
struct SecondSeries: Sendable {
    /// Spans; when there would be more, each two become one.
    private static let limit = 3_600

    private(set) var sent: [UInt32] = []
    private(set) var acknowledged: [UInt32] = []
    /// `LatencyBuckets.count` for each span, by the span in which the message was due.
    private var latencies: [UInt32] = []
    private(set) var start: UInt64 = 0

    /// Seconds.
    private(set) var spanLength = 1

    /// Spans.
    var count: Int { sent.count }

    mutating func begin(start: UInt64) { self.start = start }

    mutating func note(sent count: Int, now: UInt64) {
        guard count > 0 else { return }
        let span = span(now)
        sent[span] += UInt32(clamping: count)
    }

    mutating func note(acknowledgedAt now: UInt64) { acknowledged[span(now)] += 1 }

    mutating func note(latencyMicroseconds: UInt64, dueAt time: UInt64) {
        let span = span(time)
        latencies[span * LatencyBuckets.count + LatencyBuckets.index(microseconds: latencyMicroseconds)] += 1
    }

    mutating func add(_ other: SecondSeries) {
        var other = other
        while other.spanLength < spanLength { other.fold() }
        while spanLength < other.spanLength { fold() }
        if other.count > 0 { grow(to: other.count) }
        for span in 0..<other.count {
            sent[span] += other.sent[span]
            acknowledged[span] += other.acknowledged[span]
        }
        for index in other.latencies.indices { latencies[index] += other.latencies[index] }
    }

    /// Counts of the buckets of one span.
    func latencies(in span: Int) -> ArraySlice<UInt32> {
        latencies[(span * LatencyBuckets.count)..<((span + 1) * LatencyBuckets.count)]
    }

    private mutating func span(_ time: UInt64) -> Int {
        let second = time > start ? Int((time - start) / 1_000_000_000) : 0
        while second / spanLength >= Self.limit { fold() }
        let span = second / spanLength
        if span >= count { grow(to: span + 1) }
        return span
    }

    /// Makes one span of each two.
    private mutating func fold() {
        spanLength *= 2
        Self.fold(&sent, width: 1)
        Self.fold(&acknowledged, width: 1)
        Self.fold(&latencies, width: LatencyBuckets.count)
    }

    /// - Parameter width: counts of a span.
    private static func fold(_ counts: inout [UInt32], width: Int) {
        let spanCount = counts.count / width
        for span in 0..<spanCount {
            for index in 0..<width {
                let count = counts[span * width + index]
                if span % 2 == 0 { counts[span / 2 * width + index] = count } else { counts[span / 2 * width + index] += count }
            }
        }
        counts.removeLast(counts.count - (spanCount + 1) / 2 * width)
    }

    private mutating func grow(to size: Int) {
        guard size > count else { return }
        let missing = size - count
        sent.append(contentsOf: repeatElement(0, count: missing))
        acknowledged.append(contentsOf: repeatElement(0, count: missing))
        latencies.append(contentsOf: repeatElement(0, count: missing * LatencyBuckets.count))
    }
}

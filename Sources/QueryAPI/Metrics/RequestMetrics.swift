import Synchronization
import Telemetry

/// Counts of answered requests, and how long their answers took to begin.
final class RequestMetrics: Sendable {
    private struct Key: Hashable {
        let route: String
        let status: Int
    }

    private struct Durations {
        var buckets = [Int](repeating: 0, count: RequestMetrics.bucketSeconds.count)
        var count = 0
        var seconds = 0.0
    }

    private struct State {
        var requests: [Key: Int] = [:]
        var durations: [String: Durations] = [:]
        var rejected: [RejectReason: Int] = [:]
    }

    /// Upper bounds: from an answer out of memory to a scan of cold segments.
    private static let bucketSeconds = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10]

    private let state = Mutex(State())

    func record(route: String, status: Int, duration: Duration) {
        let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
        state.withLock { state in
            state.requests[Key(route: route, status: status), default: 0] += 1
            state.durations[route, default: Durations()].count += 1
            state.durations[route, default: Durations()].seconds += seconds
            if let bucket = Self.bucketSeconds.firstIndex(where: { seconds <= $0 }) {
                state.durations[route, default: Durations()].buckets[bucket] += 1
            }
        }
    }

    /// Counts readings of a write that were not stored.
    func record(rejected counts: [RejectReason: Int]) {
        state.withLock { state in state.rejected.merge(counts, uniquingKeysWith: +) }
    }

    func write(to text: inout PrometheusText) {
        let state = state.withLock { $0 }
        text.family("gaugehouse_http_readings_rejected_total", .counter, "Readings of HTTP writes that were not stored.")
        for reason in RejectReason.allCases {
            text.sample(state.rejected[reason, default: 0], labels: ["reason": reason.rawValue])
        }
        text.family("gaugehouse_http_requests_total", .counter, "HTTP requests answered.")
        for (key, count) in state.requests.sorted(by: { ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status) }) {
            text.sample(count, labels: ["route": key.route, "code": String(key.status)])
        }
        text.family("gaugehouse_http_request_duration_seconds", .histogram, "Time until the answer to an HTTP request began.")
        for (route, durations) in state.durations.sorted(by: { $0.key < $1.key }) {
            var total = 0
            for (bound, count) in zip(Self.bucketSeconds, durations.buckets) {
                total += count
                text.sample(total, labels: ["route": route, "le": String(bound)], suffix: "_bucket")
            }
            text.sample(durations.count, labels: ["route": route, "le": "+Inf"], suffix: "_bucket")
            text.sample(durations.seconds, labels: ["route": route], suffix: "_sum")
            text.sample(durations.count, labels: ["route": route], suffix: "_count")
        }
    }
}

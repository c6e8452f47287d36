import FoundationEssentials
import Histogram

/// What a run did. `--json` prints it as it stands; keys are part of the interface.
struct LoadReport: Codable, Sendable {
    struct Latency: Codable, Sendable {
        /// Microseconds. In open loop from the scheduled time, flat out from the write, to the PUBACK.
        var p50, p90, p99, p999, p9999, max: UInt64
        var mean: Double
    }

    struct Generator: Codable, Sendable {
        /// CPU of this process from the first publish to the last PUBACK.
        var userSeconds, systemSeconds, cpuMicrosecondsPerMessage: Double
    }

    var description: RunDescription
    var qualityOfService: Int
    /// Nil: flat out.
    var targetRate: Double?
    /// First publish to end of sending, and to the last PUBACK.
    var sendingSeconds, seconds: Double
    var sent, acknowledged, unacknowledged: Int
    /// Messages sent later than scheduled because the window or the socket was full.
    var overrun: Int
    /// Scheduled and never sent.
    var unsent: Int
    var reconnects, republished: Int
    /// PUBACKs a second; at QoS 0 messages written a second.
    var messagesPerSecond: Double
    /// Bytes of one payload.
    var payloadBytes: Int
    var latencyMicroseconds: Latency?
    var generator: Generator
    /// First publish, ns of CLOCK_MONOTONIC: for programs that time the other end.
    var startMonotonicNanoseconds: UInt64
    /// The run broke off for this reason.
    var failure: String?
    var verification: VerificationReport?

    static func encoded(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        // Only finite numbers and strings are in a report, which always encode.
        return String(decoding: (try? encoder.encode(value)) ?? Data(), as: UTF8.self)
    }

    var text: String {
        let mode = targetRate.map { "open loop at \(Text.decimal($0, digits: 0)) msg/s" } ?? "flat out"
        var lines = [
            "run        \(description.run): \(description.devices) devices \(description.prefix)*, \(description.connections) connections, "
                + "QoS \(qualityOfService), \(mode), \(payloadBytes)-byte payloads, seed \(description.seed)",
            "published  \(sent) messages in \(Text.decimal(sendingSeconds, digits: 2)) s, "
                + "\(Text.decimal(messagesPerSecond, digits: 0)) msg/s",
        ]
        if qualityOfService == 1 { lines.append("acked      \(acknowledged), unacked \(unacknowledged)") }
        if targetRate != nil { lines.append("overrun    \(overrun) sent late, \(unsent) never sent") }
        if reconnects > 0 { lines.append("reconnects \(reconnects), \(republished) messages sent again") }
        if let latency = latencyMicroseconds {
            let points = [
                ("p50", latency.p50), ("p90", latency.p90), ("p99", latency.p99), ("p99.9", latency.p999), ("p99.99", latency.p9999),
                ("max", latency.max),
            ]
            let origin = targetRate == nil ? "write" : "schedule"
            let columns = points.map { "\($0.0) \(Text.decimal(Double($0.1) / 1_000, digits: 2))" }.joined(separator: "  ")
            lines.append("PUBACK ms  \(columns)  (from \(origin))")
        }
        lines.append(
            "generator  \(Text.decimal(generator.cpuMicrosecondsPerMessage, digits: 2)) µs CPU per message "
                + "(user \(Text.decimal(generator.userSeconds, digits: 2)) s, system \(Text.decimal(generator.systemSeconds, digits: 2)) s)"
        )
        return lines.joined(separator: "\n")
    }
}

extension LoadReport.Latency {
    /// Nil when nothing was recorded.
    init?(_ histogram: Histogram<UInt64>) {
        guard histogram.totalCount > 0 else { return nil }
        self.init(
            p50: histogram.valueAtPercentile(50), p90: histogram.valueAtPercentile(90), p99: histogram.valueAtPercentile(99),
            p999: histogram.valueAtPercentile(99.9), p9999: histogram.valueAtPercentile(99.99), max: histogram.max, mean: histogram.mean)
    }
}

/// Numbers as people read them, without a locale.
enum Text {
    static func decimal(_ value: Double, digits: Int) -> String {
        guard value.isFinite, value.magnitude < 1e15 else { return "\(value)" }
        var scale: Int64 = 1
        for _ in 0..<digits { scale *= 10 }
        let scaled = Int64((value.magnitude * Double(scale)).rounded())
        let whole = (value < 0 ? "-" : "") + String(scaled / scale)
        guard digits > 0 else { return whole }
        let fraction = String(scaled % scale)
        return whole + "." + String(repeating: "0", count: digits - fraction.count) + fraction
    }
}

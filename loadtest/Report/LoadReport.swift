import FoundationEssentials

/// What a run did. `--json` prints it as it stands; keys are part of the interface.
struct LoadReport: Codable, Sendable {
    struct Generator: Codable, Sendable {
        /// CPU of this process from the first publish to the last PUBACK, probes included.
        var userSeconds, systemSeconds, cpuMicrosecondsPerMessage: Double

        init(_ time: ProcessorTime, messageCount: Int) {
            userSeconds = Double(time.userMicroseconds) / 1e6
            systemSeconds = Double(time.systemMicroseconds) / 1e6
            cpuMicrosecondsPerMessage = messageCount == 0 ? 0 : Double(time.totalMicroseconds) / Double(messageCount)
        }
    }

    var description: RunDescription
    var target: Target
    var qualityOfService: Int
    /// Nil: flat out, or bursts.
    var targetRate: Double?
    var plan: PlanReport
    /// First publish to end of sending, and to the last PUBACK.
    var sendingSeconds, seconds: Double
    /// Second copies that were sent on purpose do not count, but in `repeated`.
    var sent, acknowledged, unacknowledged: Int
    /// Messages sent later than scheduled because the window or the socket was full.
    var overrun: Int
    /// Scheduled and never sent.
    var unsent: Int
    var repeated: Int
    var reconnects, republished: Int
    /// PUBACKs (over HTTP: messages answered) a second, of the measured part where there are ramps; at QoS 0 messages written a second.
    var messagesPerSecond: Double
    var readingsPerMessage: Int
    /// Bytes of one payload; over HTTP of one message in a request.
    var payloadBytes: Int
    /// To the broker's PUBACK, or over HTTP to the answer.
    var latencyMicroseconds: LatencyReport?
    /// Messages in `latencyMicroseconds` that were never sent or never acknowledged: the time they were waited for, a lower bound.
    var unanswered: Int
    var generator: Generator
    /// First publish, ns of CLOCK_MONOTONIC: for programs that time the other end.
    var startMonotonicNanoseconds: UInt64
    var queryable: ProbeReport?
    var durable: ProbeReport?
    var series: [SecondReport]
    /// The run broke off for this reason.
    var failure: String?
    var verification: VerificationReport?

    var readingsPerSecond: Double { messagesPerSecond * Double(readingsPerMessage) }

    static func encoded(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        // Only finite numbers and strings are in a report, which always encode.
        return String(decoding: (try? encoder.encode(value)) ?? Data(), as: UTF8.self)
    }

    var isMQTT: Bool { target == .mqtt }
    /// What an answer is called.
    var answerName: String { isMQTT ? "PUBACK" : "answer" }
    /// What the latencies are measured from.
    var origin: String { plan.rate == nil && plan.burst == nil ? "write" : "schedule" }

    var text: String {
        let way = isMQTT ? "QoS \(qualityOfService)" : "HTTP to \(target.rawValue)"
        var shape = description.template.map { "template \($0)" } ?? description.dialect.rawValue
        if readingsPerMessage > 1 { shape += ", \(readingsPerMessage) readings each" }
        var lines = [
            "run        \(description.run): \(description.devices) devices \(description.prefix)*, \(description.connections) connections, "
                + "\(way), \(plan.text), \(payloadBytes)-byte payloads (\(shape)), seed \(description.seed)",
            "published  \(sent) messages in \(Text.decimal(sendingSeconds, digits: 2)) s, "
                + "\(Text.decimal(messagesPerSecond, digits: 0)) msg/s"
                + (readingsPerMessage > 1 ? ", \(Text.decimal(readingsPerSecond, digits: 0)) readings/s" : ""),
        ]
        if qualityOfService == 1 { lines.append("acked      \(acknowledged), unacked \(unacknowledged)") }
        if origin == "schedule" { lines.append("overrun    \(overrun) sent late, \(unsent) never sent") }
        if repeated > 0 { lines.append("repeated   \(repeated) messages sent twice") }
        if reconnects > 0 { lines.append("reconnects \(reconnects), \(republished) messages sent again") }
        if let latency = latencyMicroseconds {
            let bounds = unanswered > 0 ? "; \(unanswered) never answered, with the time waited" : ""
            lines.append("\(padded("\(answerName) ms")) \(latency.text)  (from \(origin)\(bounds))")
        }
        lines += [("durable ms", durable), ("query ms", queryable)].compactMap { name, probe in probe.map { probeLine(name, $0) } }
        lines.append(
            "generator  \(Text.decimal(generator.cpuMicrosecondsPerMessage, digits: 2)) µs CPU per message "
                + "(user \(Text.decimal(generator.userSeconds, digits: 2)) s, system \(Text.decimal(generator.systemSeconds, digits: 2)) s)"
        )
        return lines.joined(separator: "\n")
    }

    private func probeLine(_ name: String, _ probe: ProbeReport) -> String {
        let missing = probe.missing > 0 ? ", \(probe.missing) NEVER" : ""
        return "\(padded(name)) \(probe.latencyMicroseconds?.text ?? "nothing measured")  (\(probe.sent) probes\(missing))"
    }

    private func padded(_ name: String) -> String { name + String(repeating: " ", count: max(0, 10 - name.utf8.count)) }

    /// The share of messages that may be sent late, or be left over at the end, before a run counts as too much.
    private static let tolerableOverrun = 0.01

    /// What to make of the run, in a sentence; and whether it is what was asked for.
    var verdict: (isGood: Bool, text: String) {
        if let failure { return (false, "The run broke off: \(failure).") }
        if let verification, !verification.isEqual { return (false, "Verification found \(verification.differenceCount) differences.") }
        if unacknowledged > 0 { return (false, "\(unacknowledged) messages were never acknowledged.") }
        let missing = (queryable?.missing ?? 0) + (durable?.missing ?? 0)
        if missing > 0 { return (false, "\(missing) probes never came through.") }
        let checked = verification.map { " Verified: all \($0.acknowledged) acknowledged readings are readable, once, with equal values." }
        guard Double(overrun + unsent) <= Self.tolerableOverrun * Double(sent) else {
            let counts = "\(overrun) messages were sent late and \(unsent) never"
            let reason =
                "The schedule was not kept: \(counts). This is more than the system takes; its latencies are those of a growing queue."
            return (false, reason + (checked ?? ""))
        }
        var kept = origin == "schedule" ? "The schedule was kept" : "Everything sent was acknowledged"
        if overrun + unsent > 0 { kept += ", but for \(overrun + unsent) messages, sent late or left over at the end" }
        return (true, kept + "." + (checked ?? " Nothing was verified (--verify)."))
    }
}

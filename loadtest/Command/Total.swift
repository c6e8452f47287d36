import Histogram

/// Adds up what the workers and probes of a run did.
struct Total {
    let options: LoadOptions
    let outcomes: [WorkerOutcome]
    /// ns on the monotonic clock.
    let start: UInt64

    private func sum(_ count: (WorkerOutcome) -> Int) -> Int { outcomes.reduce(0) { $0 + count($1) } }

    func outcome(processorTime: ProcessorTime, probe: ProbeOptions?, probes: [ProbeOutcome]) -> LoadRun.Outcome {
        var latency = Latency.histogram()
        var series = SecondSeries()
        for outcome in outcomes {
            latency.add(outcome.recorder.latency)
            series.add(outcome.recorder.series)
        }
        let sent = outcomes.reduce(into: [Int: Int]()) { $0.merge($1.sent) { a, _ in a } }
        let sentCount = sent.values.reduce(0, +)
        let failure = outcomes.lazy.compactMap(\.failure).first ?? probes.lazy.compactMap(\.failure).first
        let time = times()
        let report = LoadReport(
            description: options.description, target: options.writeTarget?.target ?? .mqtt,
            qualityOfService: options.qualityOfService, targetRate: options.plan.rate, plan: PlanReport(options.plan),
            sendingSeconds: time.sending, seconds: time.total, sent: sentCount, acknowledged: sum(\.recorder.count),
            unacknowledged: sum(\.unacknowledged), overrun: sum(\.overrun),
            unsent: sum(\.unsent), repeated: sum(\.repeated), reconnects: sum(\.reconnects), republished: sum(\.republished),
            messagesPerSecond: rate(sentCount: sentCount, time),
            readingsPerMessage: options.description.readingsPerMessage, payloadBytes: payloadByteCount,
            latencyMicroseconds: LatencyReport(latency), unanswered: sum(\.recorder.unansweredCount),
            generator: LoadReport.Generator(processorTime, messageCount: sentCount),
            startMonotonicNanoseconds: start, queryable: probe.flatMap { probe in probes.first.map { ProbeReport($0, probe) } },
            durable: probe.flatMap { probe in probes.last.map { ProbeReport($0, probe) } }, series: SecondReport.list(series),
            failure: failure?.message)
        let newestTime = outcomes.reduce(options.description.startTime) { max($0, $1.newestTime) }
        return LoadRun.Outcome(
            report: report,
            trailer: Ledger.Trailer(sent: (0..<options.description.connections).map { sent[$0] ?? 0 }, endTime: newestTime),
            acknowledged: outcomes.flatMap(\.recorder.acknowledged), failure: failure)
    }

    /// Seconds from the first publish to the end of sending, and to the last acknowledgement.
    private func times() -> (sending: Double, total: Double) {
        let sendingEnd = outcomes.reduce(start + 1) { max($0, $1.sendingEnd) }
        let lastAck = outcomes.reduce(sendingEnd) { max($0, $1.recorder.lastNanoseconds) }
        return (Double(sendingEnd - start) / 1e9, Double(lastAck - start) / 1e9)
    }

    /// Messages a second: of the measured part where the run has ramps.
    private func rate(sentCount: Int, _ time: (sending: Double, total: Double)) -> Double {
        if !options.isAcknowledged { return Double(sentCount) / time.sending }
        guard options.plan.hasRamps else {
            // After the last burst comes the rest of its interval.
            let planned = options.plan.burst == nil ? 0 : Double(options.plan.totalNanoseconds ?? 0) / 1e9
            return Double(sum(\.recorder.count)) / max(planned, time.total)
        }
        let upTo = min(Double(options.plan.measured.upperBound) / 1e9, time.total)
        return Double(sum(\.recorder.measuredCount)) / max(1e-9, upTo - Double(options.plan.measured.lowerBound) / 1e9)
    }

    /// Of the first device's first message.
    private var payloadByteCount: Int {
        var payload: [UInt8] = []
        let readings = MessageReadings(
            device: 0, sequence: 0, count: options.description.readingsPerMessage, time: options.description.startTime, step: 1)
        switch options.writeTarget?.format {
        case nil: options.encoder.append(readings, ordinal: 0, to: &payload)
        case .lineProtocol: options.encoder.appendLines(readings, tag: "device", to: &payload)
        case .ndjson, .json: options.encoder.appendNative(readings, separator: UInt8(ascii: "\n"), to: &payload)
        }
        return payload.count
    }
}

import Glibc
import Histogram
import Synchronization

/// One run of the generator: starts the workers, shows progress, adds up what they did.
struct LoadRun {
    struct Outcome: Sendable {
        var report: LoadReport
        /// By connection.
        var trailer: Ledger.Trailer
        var acknowledged: [AcknowledgedReading]
        var failure: LoadError?
    }

    let options: LoadOptions
    let ledger: LedgerWriter?
    let showsProgress: Bool

    /// Blocking, until everything is sent and acknowledged or the deadlines are over. Ctrl-C ends it early.
    /// - Throws: when not every connection came up, so that nothing was sent. Later failures stand in the outcome.
    func run() throws(LoadError) -> Outcome {
        let counters = LoadCounters()
        let connectionCount = options.description.connections
        let threadCount = min(options.threadCount, connectionCount)
        let (options, ledger) = (options, ledger)
        let threads = (0..<threadCount).map { thread in
            WorkerThread {
                var worker = PublishWorker(
                    indices: Array(stride(from: thread, to: connectionCount, by: threadCount)), options: options, counters: counters,
                    ledger: ledger)
                let outcome = worker.run()
                counters.finishedWorkers.wrappingAdd(1, ordering: .releasing)
                return outcome
            }
        }
        while counters.readyWorkers.load(ordering: .acquiring) < threadCount, !counters.isStopping.load(ordering: .relaxed) {
            stopIfInterrupted(counters)
            Clock.sleep(nanoseconds: 500_000)
        }
        guard counters.readyWorkers.load(ordering: .acquiring) == threadCount else {
            let failure = threads.compactMap { $0.join().failure }.first
            throw failure ?? LoadError(.unavailable, "interrupted while connecting")
        }
        let before = ProcessorTime.now()
        let start = Clock.nanoseconds()
        counters.startNanoseconds.store(start, ordering: .releasing)
        watch(counters, threadCount: threadCount, start: start)
        let outcomes = threads.map { $0.join() }
        return sum(outcomes, start: start, processorTime: ProcessorTime.now() - before)
    }

    private func watch(_ counters: LoadCounters, threadCount: Int, start: UInt64) {
        var progress = ProgressLine(start: start)
        while counters.finishedWorkers.load(ordering: .acquiring) < threadCount {
            Clock.sleep(nanoseconds: 20_000_000)
            stopIfInterrupted(counters)
            if showsProgress { progress.update(counters, now: Clock.nanoseconds()) }
        }
        if showsProgress { progress.clear() }
    }

    private func stopIfInterrupted(_ counters: LoadCounters) {
        if Interrupt.isPending { counters.isStopping.store(true, ordering: .relaxed) }
    }

    private func sum(_ outcomes: [PublishWorker.Outcome], start: UInt64, processorTime: ProcessorTime) -> Outcome {
        var latency = outcomes[0].recorder.latency
        for outcome in outcomes.dropFirst() { latency.add(outcome.recorder.latency) }
        let sent = outcomes.reduce(into: [Int: Int]()) { $0.merge($1.sent) { a, _ in a } }
        let sentCount = sent.values.reduce(0, +)
        let acknowledged = outcomes.reduce(0) { $0 + $1.recorder.count }
        let sendingEnd = max(start + 1, outcomes.map(\.sendingEnd).max()!)
        let lastAck = max(sendingEnd, outcomes.map(\.recorder.lastNanoseconds).max()!)
        let failure = outcomes.lazy.compactMap(\.failure).first
        let isAcknowledging = options.qualityOfService == 1
        let (sendingSeconds, seconds) = (Double(sendingEnd - start) / 1e9, Double(lastAck - start) / 1e9)
        var payload: [UInt8] = []
        options.description.generator.appendPayload(device: 0, sequence: 0, time: options.description.startTime, to: &payload)
        let report = LoadReport(
            description: options.description, qualityOfService: options.qualityOfService, targetRate: options.rate,
            sendingSeconds: sendingSeconds, seconds: seconds, sent: sentCount, acknowledged: acknowledged,
            unacknowledged: outcomes.reduce(0) { $0 + $1.unacknowledged }, overrun: outcomes.reduce(0) { $0 + $1.overrun },
            unsent: options.schedule == nil || Interrupt.isPending || failure != nil ? 0 : options.messageLimit - sentCount,
            reconnects: outcomes.reduce(0) { $0 + $1.reconnects }, republished: outcomes.reduce(0) { $0 + $1.republished },
            messagesPerSecond: isAcknowledging ? Double(acknowledged) / seconds : Double(sentCount) / sendingSeconds,
            payloadBytes: payload.count, latencyMicroseconds: LoadReport.Latency(latency),
            generator: LoadReport.Generator(
                userSeconds: Double(processorTime.userMicroseconds) / 1e6, systemSeconds: Double(processorTime.systemMicroseconds) / 1e6,
                cpuMicrosecondsPerMessage: sentCount == 0 ? 0 : Double(processorTime.totalMicroseconds) / Double(sentCount)),
            startMonotonicNanoseconds: start, failure: failure?.message)
        return Outcome(
            report: report,
            trailer: Ledger.Trailer(
                sent: (0..<options.description.connections).map { sent[$0] ?? 0 },
                endTime: max(options.description.startTime, outcomes.map(\.newestTime).max()!)),
            acknowledged: outcomes.flatMap(\.recorder.acknowledged), failure: failure)
    }
}

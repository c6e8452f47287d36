import Glibc
import Histogram
import Synchronization

/// One run of the generator: starts the workers and the probes, shows progress, adds up what they did.
struct LoadRun {
    struct Outcome: Sendable {
        var report: LoadReport
        /// By connection.
        var trailer: Ledger.Trailer
        var acknowledged: [AcknowledgedReading]
        var failure: LoadError?
    }

    let options: LoadOptions
    let probe: ProbeOptions?
    let ledger: LedgerWriter?
    let showsProgress: Bool

    /// Blocking, until everything is sent and acknowledged or the deadlines are over. Ctrl-C ends it early.
    /// - Throws: when not every connection came up, so that nothing was sent. Later failures stand in the outcome.
    func run() throws(LoadError) -> Outcome {
        // Whatever it answers: a gateway that is not ready is worth measuring, one that is not there is a mistake.
        if let probe { _ = try HTTPClient(endpoint: probe.endpoint, token: probe.token).get("/-/ready") }
        if options.writeTarget == nil { return try run(PublisherConnection.self) }
        try options.writeTarget?.prepare()
        return try run(HTTPWriteConnection.self)
    }

    private func run<Connection: LoadConnection>(_: Connection.Type) throws(LoadError) -> Outcome {
        let counters = LoadCounters()
        let connectionCount = options.description.connections
        let threadCount = min(options.threadCount, connectionCount)
        let (options, ledger) = (options, ledger)
        let threads = (0..<threadCount).map { thread in
            WorkerThread {
                var worker = PublishWorker<Connection>(
                    indices: Array(stride(from: thread, to: connectionCount, by: threadCount)), options: options, counters: counters,
                    ledger: ledger)
                let outcome = worker.run()
                counters.finishedWorkers.wrappingAdd(1, ordering: .releasing)
                return outcome
            }
        }
        let probes = probe.map { startProbes($0, of: Connection.self, counters: counters) } ?? []
        let readyCount = threadCount + probes.count
        while counters.readyWorkers.load(ordering: .acquiring) < readyCount, !counters.isStopping.load(ordering: .relaxed) {
            stopIfInterrupted(counters)
            Clock.sleep(nanoseconds: 500_000)
        }
        guard counters.readyWorkers.load(ordering: .acquiring) == readyCount else {
            let failures = threads.map { $0.join().failure } + probes.map { $0.join().failure }
            throw failures.lazy.compactMap(\.self).first ?? LoadError(.unavailable, "interrupted while connecting")
        }
        let before = ProcessorTime.now()
        let start = Clock.nanoseconds()
        counters.startNanoseconds.store(start, ordering: .releasing)
        watch(counters, threadCount: threadCount, start: start)
        let outcomes = threads.map { $0.join() }
        let processorTime = ProcessorTime.now() - before
        counters.probingEndNanoseconds.store(Clock.nanoseconds(), ordering: .relaxed)
        return Total(options: options, outcomes: outcomes, start: start).outcome(
            processorTime: processorTime, probe: probe, probes: probes.map { $0.join() })
    }

    /// The queryable one, then the durable one.
    private func startProbes<Connection: LoadConnection>(
        _ probe: ProbeOptions, of: Connection.Type, counters: LoadCounters
    ) -> [WorkerThread<ProbeOutcome>] {
        let (queryable, durable) = (options.probing("probe-", rate: probe.rate), options.probing("durable-", rate: probe.rate))
        let waitForStart: @Sendable () -> UInt64 = {
            counters.readyWorkers.wrappingAdd(1, ordering: .releasing)
            return counters.waitForStart()
        }
        return [
            WorkerThread {
                let outcome = QueryableProbe<Connection>(probe: probe, options: queryable, counters: counters).run(
                    waitForStart: waitForStart)
                if counters.startNanoseconds.load(ordering: .relaxed) == 0 { counters.isStopping.store(true, ordering: .relaxed) }
                return outcome
            },
            WorkerThread {
                DurableProbe(probe: probe, description: durable.description, counters: counters).run(waitForStart: waitForStart)
            },
        ]
    }

    private func watch(_ counters: LoadCounters, threadCount: Int, start: UInt64) {
        var progress = ProgressLine(start: start, plan: options.plan)
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
}

extension LoadOptions {
    /// The same run for one more device, whose messages are whole and in order, at the probes' rate and QoS 1.
    func probing(_ name: String, rate: Double) -> LoadOptions {
        var options = self
        options.description.run += name
        options.description.prefix += name
        options.description.devices = 1
        options.description.connections = 1
        options.description.readingsPerMessage = 1
        options.description.payloadSize = 0
        options.description.faults = Faults()
        options.plan = Plan(rate: rate, tickNanoseconds: 1_000_000)
        options.qualityOfService = 1
        options.window = 10_000
        options.reconnects = true
        options.stormNanoseconds = nil
        options.keepsAcknowledged = false
        return options
    }
}

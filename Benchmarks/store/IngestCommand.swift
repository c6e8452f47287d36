import ArgumentParser
import Glibc
import Telemetry
import TelemetryStore

/// Commits a data set and waits until it is sealed; or, with `--crash`, ends as a kill would, with everything in the log.
struct IngestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "ingest")

    @OptionGroup var set: DataSet
    @OptionGroup var settings: StoreSettings
    @Option(help: "Threads that commit.") var committers = 3
    @Option(help: "Readings of a commit.") var batch = 500
    @Flag(help: "With a live reader, who never reads.") var live = false
    @Flag(help: "No maintenance; kill this process at the end, after printing.") var crash = false

    func run() throws {
        let names = DeviceNames(count: set.devices)
        let generator = try generatorUsage(set, names: names, committers: committers, batch: batch)
        resetPeakMemory()
        let memoryBefore = memoryByteCount("VmRSS")
        let clock = SimulatedClock(committers: committers, start: set.start)
        let target = try StoreUnderTest(settings, clock: clock)

        let reader = live ? target.store.liveReader(of: target.table, selection: FeedSelection()) : nil
        defer { withExtendedLifetime(reader) {} }
        let start = Usage.now()
        if !crash { target.startMaintenance() }
        try target.ingest(set, names: names, committers: committers, batch: batch)
        let committed = Usage.now()
        try target.stopMaintenance()
        if !crash { try target.settle() }
        let settled = Usage.now()

        let statistics = target.store.statistics
        var report: [(String, Double)] = [
            ("readings", Double(set.readingCount)), ("commit_cpu_s", (committed - start).cpuSeconds),
            ("commit_wall_s", (committed - start).wallSeconds), ("cpu_s", (settled - start).cpuSeconds),
            ("wall_s", (settled - start).wallSeconds), ("generator_cpu_s", generator.cpuSeconds),
            ("peak_bytes", Double(memoryByteCount("VmHWM"))), ("before_bytes", Double(memoryBefore)),
            ("groups", Double(statistics.groups)), ("sync_s", Double(statistics.syncNanoseconds) / 1e9),
            ("overloads", Double(target.overloadCount)), ("flushes", Double(statistics.flushes)),
            ("partitions", Double(target.table.partitions().count)),
            ("segment_bytes", Double(statistics.segmentByteCount)), ("log_bytes", Double(statistics.logByteCount)),
        ]
        guard !crash else {
            printReport(report)
            fflush(nil)
            kill(getpid(), SIGKILL)
            return
        }
        try Verifier(set, names: names).verify(target.table)
        try target.store.close()
        report.append(("verified", 1))
        printReport(report)
    }
}

/// Opens a store that is there, measures the time to ready, and checks what it holds.
struct OpenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "open")

    @OptionGroup var set: DataSet
    @OptionGroup var settings: StoreSettings
    @Flag(help: "End as a kill would, so that the next open finds what this one found.") var crash = false

    func run() throws {
        let clock = SimulatedClock(committers: 1, start: set.end)
        let start = Usage.now()
        let store = try settings.open(clock: clock)
        let ready = Usage.now()
        let statistics = store.statistics
        let peak = memoryByteCount("VmHWM")
        try Verifier(set, names: DeviceNames(count: set.devices)).verify(store.tables[0])
        printReport([
            ("ready_s", (ready - start).wallSeconds), ("ready_cpu_s", (ready - start).cpuSeconds), ("peak_bytes", Double(peak)),
            ("segment_bytes", Double(statistics.segmentByteCount)),
            ("head_bytes", Double(statistics.headByteCount)), ("verified", 1),
        ])
        fflush(nil)
        if crash { kill(getpid(), SIGKILL) }
        try store.close()
    }
}

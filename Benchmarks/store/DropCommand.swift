import ArgumentParser
import Glibc
import Synchronization
import Telemetry
import TelemetryStore

/// Drops a big partition while commits go on, and tells how long the drop took and what the commits noticed.
struct DropCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "drop")

    @OptionGroup var set: DataSet
    @OptionGroup var settings: StoreSettings
    @Option(help: "Threads that commit.") var committers = 3
    @Option(help: "Readings of a commit.") var batch = 500
    @Option(help: "Milliseconds between two commits of a thread.") var pauseMilliseconds: UInt32 = 2
    @Option(help: "Seconds of commits before the drop, and after it.") var seconds = 3

    /// Commits that overlap with this much time behind the drop count as during it: what the disk still does for it.
    private static let aftermath: UInt64 = 100_000_000

    func run() throws {
        let names = DeviceNames(count: set.devices)
        let clock = SimulatedClock(committers: committers, start: set.start)
        let target = try StoreUnderTest(settings, clock: clock)
        target.startMaintenance()
        try target.ingest(set, names: names, committers: committers, batch: batch)
        try target.stopMaintenance()
        try target.settle()
        try target.store.close()
        guard let big = target.table.partitions().first, target.table.partitions().count == 1 else {
            throw BenchError("the data set must fill one partition")
        }

        // Just before the partition's time is over; commits go on in the window of that moment.
        let expiry = big.end + settings.tableOptions.ttl
        let lateClock = SimulatedClock(committers: committers, start: expiry - .seconds(Int64(seconds) + 60))
        let late = try StoreUnderTest(settings, clock: lateClock)
        late.startMaintenance()
        let commits = SteadyCommits(late, set, names: names, committers: committers, batch: batch, pauseMilliseconds: pauseMilliseconds)
        sleep(UInt32(seconds))
        lateClock.set(to: expiry + .seconds(1))
        for _ in 0..<600 where late.dropTimes == nil { usleep(50_000) }
        sleep(UInt32(seconds))
        let times = try commits.stop()
        try late.stopMaintenance()
        guard let drop = late.dropTimes else { throw BenchError("nothing was dropped") }
        guard !late.table.partitions().contains(where: { $0.id == big.id }) else { throw BenchError("the partition is still there") }
        try late.store.close()
        report(big, drop, times)
    }

    private func report(_ big: PartitionSummary, _ drop: (start: UInt64, end: UInt64), _ commits: [(start: UInt64, end: UInt64)]) {
        var (before, during, after) = (Latencies(), Latencies(), Latencies())
        for commit in commits {
            if commit.end < drop.start {
                before.add(commit.end - commit.start)
            } else if commit.start <= drop.end + Self.aftermath {
                during.add(commit.end - commit.start)
            } else {
                after.add(commit.end - commit.start)
            }
        }
        printReport(
            [
                ("partition_bytes", Double(big.byteCount)), ("partition_rows", Double(big.rowCount)),
                ("drop_ms", Double(drop.end - drop.start) / 1e6),
            ] + before.report("before") + during.report("during") + after.report("after"))
    }
}

/// Threads that commit small batches at the clock's time, one after the other, and note when each commit began and ended.
private final class SteadyCommits: Sendable {
    private let isStopped = Atomic(false)
    private let times = Mutex<[(start: UInt64, end: UInt64)]>([])
    private let workers = Mutex<[Worker]>([])

    init(_ target: StoreUnderTest, _ set: DataSet, names: DeviceNames, committers: Int, batch: Int, pauseMilliseconds: UInt32) {
        let threads = Fleet.split(set, count: committers).map { devices in
            Worker { [self] in
                try commit(target, BatchBuilder(set, names: names), devices.map { Generator(device: $0, of: set) }, devices, batch) {
                    usleep(pauseMilliseconds * 1_000)
                }
            }
        }
        workers.withLock { $0 = threads }
    }

    private func commit(
        _ target: StoreUnderTest, _ builder: BatchBuilder, _ generators: [Generator], _ devices: Range<Int>, _ count: Int,
        pause: () -> Void
    ) throws {
        var generators = generators
        var batch = ReadingBatch()
        var own: [(start: UInt64, end: UInt64)] = []
        var index = 0
        var millisecond: Int64 = 0
        while !isStopped.load(ordering: .acquiring) {
            batch.removeAll()
            let now = target.clock.now().microseconds / 1_000
            for _ in 0..<count {
                var sample = generators[index].next()
                // A millisecond for each round, so that no device has two readings of one time.
                sample.milliseconds = now + millisecond
                builder.append(sample, of: devices.lowerBound + index, to: &batch)
                index += 1
                if index == devices.count { (index, millisecond) = (0, millisecond + 1) }
            }
            let start = Usage.nanoseconds()
            let receipt = try target.store.commit(&batch)
            own.append((start, Usage.nanoseconds()))
            guard receipt.accepted == count else { throw BenchError("only \(receipt.accepted) of \(count) readings were stored") }
            pause()
        }
        times.withLock { $0 += own }
    }

    func stop() throws -> [(start: UInt64, end: UInt64)] {
        isStopped.store(true, ordering: .releasing)
        for worker in workers.withLock({ $0 }) { try worker.join() }
        return times.withLock { $0 }
    }
}

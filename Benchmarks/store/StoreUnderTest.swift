import ArgumentParser
import Glibc
import Synchronization
import Telemetry
import TelemetryStore

/// How the store is set up; what is not named here is as the gateway has it without a configuration.
struct StoreSettings: ParsableArguments, Sendable {
    @Option(help: "Directory of the store.") var path: String
    @Option(help: "Length of a partition's window, minutes.") var windowMinutes: Int64 = 60
    @Option(help: "Memory for unflushed rows, MiB.") var headMebibytes = 256
    @Option(help: "Memory for decompressed frames, MiB.") var cacheMebibytes = 64
    @Option(help: "fsync, interval or none.") var durability: Durability = .fsync
    @Option(help: "Days that readings live.") var ttlDays: Int64 = 3_650

    static let tableName = "readings"

    var storeOptions: StoreOptions {
        var options = StoreOptions(path: path)
        options.durability = durability
        options.headByteBudget = headMebibytes << 20
        options.blockCacheByteCount = cacheMebibytes << 20
        return options
    }

    var tableOptions: TableOptions {
        var options = TableOptions(name: Self.tableName)
        options.partitionLength = .minutes(windowMinutes)
        options.ttl = .days(ttlDays)
        // The clock stands where the slowest committer is: the others are ahead of it, by whole steps of the data set.
        options.maxFuture = .days(30)
        return options
    }

    func open(clock: any WallClock) throws -> TelemetryStore {
        try TelemetryStore.open(options: storeOptions, tables: [tableOptions], clock: clock)
    }
}

/// A store with its maintenance thread, as the gateway's MaintenanceService drives it.
final class StoreUnderTest: Sendable {
    let store: TelemetryStore
    let clock: SimulatedClock
    private let isStopped = Atomic(false)
    private let overloads = Atomic(0)
    /// Longest pass in which a partition was dropped, ns, and when it began and ended.
    private let drop = Mutex<(start: UInt64, end: UInt64)?>(nil)
    private let maintainer = Mutex<Worker?>(nil)

    /// The gateway's pause for windows of ten seconds and more.
    private static let pause = TimeSpan.seconds(1)

    var table: Table { store.tables[0] }
    /// Commits that were refused because too much was unflushed.
    var overloadCount: Int { overloads.load(ordering: .relaxed) }
    var dropTimes: (start: UInt64, end: UInt64)? { drop.withLock { $0 } }

    init(_ settings: StoreSettings, clock: SimulatedClock) throws {
        self.clock = clock
        store = try settings.open(clock: clock)
    }

    func startMaintenance() {
        let worker = Worker { [self] in
            while !isStopped.load(ordering: .acquiring) {
                store.waitUntilMaintenanceNeeded(timeout: Self.pause)
                try maintain()
            }
        }
        maintainer.withLock { $0 = worker }
    }

    private func maintain() throws {
        let dropped = store.statistics.droppedPartitions
        let start = Usage.nanoseconds()
        try store.performMaintenance()
        let end = Usage.nanoseconds()
        if store.statistics.droppedPartitions > dropped { drop.withLock { $0 = (start, end) } }
    }

    func stopMaintenance() throws {
        isStopped.store(true, ordering: .releasing)
        try maintainer.withLock { $0 }?.join()
    }

    /// Moves the clock on until everything is in sealed segments. Maintenance has been stopped: the passes run here.
    func settle() throws {
        let last = table.partitions().map(\.end).max() ?? clock.now()
        clock.set(to: max(clock.now(), last) + table.options.sealAfter)
        clock.advance(by: .seconds(1))
        for _ in 0..<16 {
            try store.performMaintenance()
            if store.statistics.headByteCount == 0, table.partitions().allSatisfy({ $0.state != .open }) { return }
            // Late rows of sealed windows are gathered for another grace period.
            clock.advance(by: table.options.sealAfter)
        }
        throw BenchError("the store does not come to rest")
    }

    /// Commits as ingest does: a store that is behind with its flushes says so, and is asked again.
    private func commit(_ batch: inout ReadingBatch) throws -> CommitReceipt {
        while true {
            do throws(StoreError) {
                return try store.commit(&batch)
            } catch {
                guard error.code == .overloaded else { throw error }
                overloads.add(1, ordering: .relaxed)
            }
        }
    }

    /// Commits the whole data set from `committers` threads.
    func ingest(_ set: DataSet, names: DeviceNames, committers: Int, batch batchCount: Int) throws {
        let workers = Fleet.split(set, count: committers).enumerated().map { number, devices in
            Worker { [self] in
                defer { clock.finish(number) }
                var fleet = Fleet(set, devices: devices)
                let builder = BatchBuilder(set, names: names)
                var batch = ReadingBatch()
                while true {
                    builder.fill(&batch, from: &fleet, count: batchCount)
                    if batch.isEmpty { return }
                    let receipt = try commit(&batch)
                    guard receipt.accepted == batch.count, receipt.duplicates == 0 else {
                        throw BenchError("of \(batch.count) readings \(receipt.accepted) were stored, \(receipt.duplicates) twice")
                    }
                    clock.move(number, to: Timestamp(microseconds: fleet.milliseconds * 1_000))
                }
            }
        }
        for worker in workers { try worker.join() }
        clock.set(to: Timestamp(microseconds: set.endMilliseconds * 1_000))
    }
}

/// The cost of making the readings, without a store.
func generatorUsage(_ set: DataSet, names: DeviceNames, committers: Int, batch batchCount: Int) throws -> Usage {
    let before = Usage.now()
    let workers = Fleet.split(set, count: committers).map { devices in
        Worker {
            var fleet = Fleet(set, devices: devices)
            let builder = BatchBuilder(set, names: names)
            var batch = ReadingBatch()
            repeat { builder.fill(&batch, from: &fleet, count: batchCount) } while !batch.isEmpty
        }
    }
    for worker in workers { try worker.join() }
    return Usage.now() - before
}

extension DataSet {
    var start: Timestamp { Timestamp(microseconds: Self.firstMilliseconds * 1_000) }
    var end: Timestamp { Timestamp(microseconds: endMilliseconds * 1_000) }

    /// A clock for a store that already holds the data set.
    func clockAfterwards() -> SimulatedClock { SimulatedClock(committers: 1, start: end + .hours(2)) }
}

extension Durability: ExpressibleByArgument {}

import Synchronization
import Telemetry
import Testing

@testable import TelemetryStore

/// How far a writer has come. The clock of these tests moves with the first device's rows.
private final class Progress: Sendable {
    private let counts = Guarded([0, 0])
    let isDone = Atomic(false)

    func acked(_ device: Int) -> Int { counts.withLock { $0[device] } }
    func setAcked(_ count: Int, of device: Int) { counts.withLock { $0[device] = count } }
}

@Suite("Reads, commits and maintenance at once")
struct ConcurrencyTests {
    private static let rowCount = 600
    private static let devices = ["a", "b"]

    /// The options that let windows be flushed, sealed, delivered and dropped while they are read.
    private func bench(ttl: TimeSpan, deliveries: [String] = []) throws -> Bench {
        try Bench { table, store in
            table.partitionLength = .seconds(20)
            table.sealAfter = .seconds(5)
            table.ttl = ttl
            table.requiredDeliveries = deliveries
            table.maxFuture = .hours(2)
            store.blockCacheByteCount = 4_096
            store.headAge = .seconds(7)
        }
    }

    @Test("a range read of a window under flush or seal is always right")
    func underFlushAndSeal() async throws {
        let bench = try bench(ttl: .days(1))
        await Self.run(bench) { Self.checkAll($0, $1, device: $2, in: bench) }
        #expect(bench.table.summary().rowCount == 2 * Self.rowCount)
    }

    @Test("a range read of a window under delivery is always right, and so is the delivery")
    func underDelivery() async throws {
        let bench = try bench(ttl: .days(1), deliveries: ["archive"])
        let delivered = Guarded(DeliveredRows())
        await Self.run(bench) {
            Self.checkAll($0, $1, device: $2, in: bench)
        } maintaining: {
            for due in bench.table.deliverable(task: "archive", endingBefore: bench.clock.now()) {
                try bench.table.markDelivering(due.id, task: "archive")
                let rows = try DeliveredRows(bench.table.scan(due.id, after: due.after, through: due.through))
                delivered.withLock { $0.merge(rows) }
                try bench.table.markDelivered(due.id, task: "archive", through: due.through)
            }
        }
        for device in Self.devices {
            for (time, fields) in delivered.withLock({ $0.devices[device] ?? [:] }) {
                let number = (time - Bench.start.microseconds) / 1_000_000
                #expect(fields["n"] == .integer(number), "\(device) at \(time)")
            }
            #expect(delivered.withLock { $0.devices[device]?.count ?? 0 } > Self.rowCount / 2)
        }
    }

    /// With a TTL of a minute and windows of twenty seconds. A read sees every row that is not expired when it ends.
    @Test("a range read of a window under drop is always right")
    func underDrop() async throws {
        let bench = try bench(ttl: .minutes(1))
        await Self.run(bench) { Self.checkNewest($0, $1, device: $2, in: bench) }
        #expect(bench.store.statistics.droppedPartitions > 10)
        #expect(bench.table.summary().rowCount < 300)
    }

    /// Writers, a maintenance thread and readers of every device, until all is written.
    private static func run(
        _ bench: Bench, check: @escaping @Sendable (Progress, RangeQuery.Order, Int) -> Void,
        maintaining: @escaping @Sendable () throws -> Void = {}
    ) async {
        let (store, clock, progress) = (bench.store, bench.clock, Progress())
        await withTaskGroup(of: Void.self) { group in
            for (index, device) in devices.enumerated() {
                group.addTask {
                    for number in 0..<rowCount {
                        // The second device keeps behind the first, whose rows move the clock.
                        while index == 1, progress.acked(0) + 3 < number { await Task.yield() }
                        write(number, device, store)
                        progress.setAcked(number + 1, of: index)
                        if index == 0 { clock.advance(by: .seconds(1)) }
                        await Task.yield()
                    }
                }
            }
            group.addTask {
                while !progress.isDone.load(ordering: .relaxed) {
                    do {
                        try store.performMaintenance()
                        try maintaining()
                    } catch { Issue.record(error) }
                    await Task.yield()
                }
            }
            for (index, order) in [(0, RangeQuery.Order.descending), (0, .ascending), (1, .descending)] {
                group.addTask {
                    while progress.acked(index) < rowCount {
                        check(progress, order, index)
                        await Task.yield()
                    }
                    check(progress, order, index)
                    if index == 1 { progress.isDone.store(true, ordering: .relaxed) }
                }
            }
        }
    }

    private static func write(_ number: Int, _ device: String, _ store: TelemetryStore) {
        var batch = ReadingBatch()
        let fields: [String: FieldValue] = ["n": .integer(Int64(number)), "text": .string("value \(number)")]
        batch.append(reading(device, Bench.start + .seconds(Int64(number)), fields))
        do { _ = try store.commit(&batch) } catch { Issue.record(error) }
    }

    /// All rows, page by page, exactly: no hole, none twice, each with its values, and all that was acked before.
    private static func checkAll(_ progress: Progress, _ order: RangeQuery.Order, device: Int, in bench: Bench) {
        let acked = progress.acked(device)
        let numbers = numbers(devices[device], order, in: bench)
        if numbers != Array(0..<numbers.count) { Issue.record("\(devices[device]): rows \(numbers.prefix(9))… of \(numbers.count)") }
        if numbers.count < acked { Issue.record("\(devices[device]): \(numbers.count) rows, \(acked) acked") }
    }

    /// The rows that were not expired when the read ended, exactly; older ones may still have been there when it began.
    private static func checkNewest(_ progress: Progress, _ order: RangeQuery.Order, device: Int, in bench: Bench) {
        let acked = progress.acked(device)
        let expiredBefore = expiredCount(bench)
        let numbers = numbers(devices[device], order, in: bench)
        let expired = expiredCount(bench)
        if numbers.contains(where: { $0 < expiredBefore }) { Issue.record("\(devices[device]): expired rows are shown") }
        let alive = numbers.filter { $0 >= expired }
        let end = alive.last.map { $0 + 1 } ?? expired
        if alive != Array(expired..<max(end, expired)) { Issue.record("\(devices[device]): rows \(alive.prefix(9))… from \(expired)") }
        if end < acked { Issue.record("\(devices[device]): rows to \(end), \(acked) acked") }
    }

    /// Number of the first row that is not expired.
    private static func expiredCount(_ bench: Bench) -> Int {
        let expiry = bench.clock.now() - bench.tableOptions.ttl
        return max(0, Int((expiry.microseconds - Bench.start.microseconds) / 1_000_000))
    }

    /// Numbers of a device's rows, ascending.
    private static func numbers(_ device: String, _ order: RangeQuery.Order, in bench: Bench) -> [Int] {
        var query = RangeQuery(device: device, start: .distantPast, end: .distantFuture)
        query.limit = 37
        query.order = order
        var numbers: [Int] = []
        do {
            repeat {
                guard let page = try bench.table.range(query) else { return [] }
                for row in page.times.indices { numbers.append(number(page, row)) }
                query.after = page.nextAfter
            } while query.after != nil
        } catch { Issue.record(error) }
        return order == .ascending ? numbers : numbers.reversed()
    }

    private static func number(_ page: RangePage, _ row: Int) -> Int {
        let number = Int((page.times[row] - Bench.start).microseconds / 1_000_000)
        let fields = Dictionary(
            uniqueKeysWithValues: page.columns.enumerated().map {
                ($1.name, page.cells[row * page.columns.count + $0].value(in: page.bytes))
            })
        if fields != ["n": .integer(Int64(number)), "text": .string("value \(number)")] { Issue.record("row \(number): \(fields)") }
        return number
    }
}

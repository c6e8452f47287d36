import Glibc
import Telemetry
import Testing

@testable import TelemetryStore

/// A random life of a store beside its model: commits of every kind, flushes, seals, deliveries, expiry, restarts, power cuts.
final class Scenario {
    private var random: SeededGenerator
    private let clock = ManualClock(Timestamp(microseconds: 1_764_000_000_000_000))
    private var disk = SimulatedFileSystem()
    private var store: TelemetryStore?
    private var model = Model()
    private let options: TableOptions
    private let seed: UInt64
    private let deviceNames: [String]
    private(set) var crashes = 0

    init(seed: UInt64) {
        self.seed = seed
        random = SeededGenerator(seed: seed)
        var options = TableOptions(name: "telemetry")
        options.buckets = [1, 4, 16].randomElement(using: &random)!
        options.maxVersions = [1, 1, 3].randomElement(using: &random)!
        options.partitionLength = .seconds([10, 60].randomElement(using: &random)!)
        options.sealAfter = .seconds(5)
        options.ttl = .seconds([120, 3_600].randomElement(using: &random)!)
        options.requiredDeliveries = Bool.random(using: &random) ? ["archive"] : []
        self.options = options
        deviceNames = (0..<Int.random(in: 1...6, using: &random)).map { "line/\($0)" }
    }

    private var storeOptions: StoreOptions {
        var options = StoreOptions(path: "/store")
        options.logFileByteCount = 4_096
        return options
    }

    private var table: Table { store!.tables[0] }

    func run(steps: Int, withCrashes: Bool) throws {
        store = try TelemetryStore.open(options: storeOptions, tables: [options], fileSystem: disk, clock: clock)
        for _ in 0..<steps {
            if withCrashes, Int.random(in: 0..<6, using: &random) == 0 {
                disk.fail(after: Int.random(in: 1...30, using: &random), errno: EIO, isLasting: true)
                try stepsUntilCrash()
            } else {
                try step(acked: nil)
            }
            try check()
        }
        try store!.close()
    }

    /// Works on until the disk is gone, then starts again on what a power cut left.
    private func stepsUntilCrash() throws {
        var doubtful: [Reading] = []
        for _ in 0..<40 {
            do {
                try step(acked: { doubtful = $0 })
                doubtful = []
            } catch is StoreError {
                break
            }
        }
        try? store?.close()
        store = nil
        disk = disk.crashed(using: &random)
        crashes += 1
        store = try TelemetryStore.open(options: storeOptions, tables: [options], fileSystem: disk, clock: clock)
        try adopt(doubtful)
    }

    /// A batch that was not acked is there whole or not at all.
    private func adopt(_ batch: [Reading]) throws {
        guard !batch.isEmpty, model.isChanged(by: batch) else { return }
        var with = model
        for reading in batch { _ = with.write(reading) }
        if with.rowCount == table.summary().rowCount, agreesWholly(with) { model = with }
    }

    private func step(acked: (([Reading]) -> Void)?) throws {
        switch Int.random(in: 0..<21, using: &random) {
        case 0..<12: try commit(acked)
        case 12..<14: try flushAll()
        case 14: clock.advance(by: .seconds(Int64.random(in: 1...20, using: &random)))
        case 15..<18:
            try store!.performMaintenance()
            dropExpired()
        case 18: try deliver()
        case 19: try restart()
        default: try kill()
        }
    }

    private func commit(_ pending: (([Reading]) -> Void)?) throws {
        let readings = (0..<Int.random(in: 1...12, using: &random)).map { _ in reading() }
        var batch = ReadingBatch()
        for reading in readings { batch.append(reading) }
        let oldest = max(clock.now() - options.ttl, Timestamp(microseconds: table.core.lock.reading { table.core.droppedThrough }))
        let accepted = readings.filter { $0.time! >= oldest && $0.time! <= clock.now() + options.maxFuture }
        pending?(accepted)
        let receipt = try store!.commit(&batch)
        var duplicates = 0
        for reading in accepted where !model.write(reading) { duplicates += 1 }
        #expect(receipt.accepted == accepted.count, "seed \(seed)")
        #expect(receipt.duplicates == duplicates, "seed \(seed)")
    }

    private func reading() -> Reading {
        let device = deviceNames.randomElement(using: &random)!
        let seconds =
            Int64.random(in: 0..<10, using: &random) == 0
            ? Int64.random(in: -200...5, using: &random) : Int64.random(in: -12...2, using: &random)
        let time = clock.now() + .seconds(seconds)
        var fields: [String: FieldValue] = [:]
        for name in ["a", "b", "c", "status"].shuffled(using: &random).prefix(Int.random(in: 1...4, using: &random)) {
            fields[name] = value()
        }
        return Reading(device: device, time: time, fields: fields)
    }

    private func value() -> FieldValue {
        switch Int.random(in: 0..<8, using: &random) {
        case 0..<3: .integer(Int64.random(in: -3...3, using: &random))
        case 3..<5: .double([0.5, -1.25, 1e300, -0.0].randomElement(using: &random)!)
        case 5: .boolean(Bool.random(using: &random))
        case 6: .string(["", "ok", "ünïcode", "a longer text that does not fit a small slot"].randomElement(using: &random)!)
        default: .binary([0, 255, 7])
        }
    }

    private func flushAll() throws {
        for partition in table.core.lock.reading({ Array(table.core.partitions.values) }).sorted(by: { $0.id < $1.id }) {
            try store!.maintenance.turn { () throws(StoreError) in try store!.maintenance.flush(partition, of: table.core) }
        }
    }

    private func deliver() throws {
        for due in table.deliverable(task: "archive", endingBefore: clock.now()) {
            try table.markDelivering(due.id, task: "archive")
            if Bool.random(using: &random) { try table.markDelivered(due.id, task: "archive", through: due.through) }
        }
    }

    private func restart() throws {
        try store!.close()
        store = try TelemetryStore.open(options: storeOptions, tables: [options], fileSystem: disk, clock: clock)
    }

    /// As kill −9: no clean close, and what was written but not synced is still there for the next process.
    private func kill() throws {
        store = nil
        store = try TelemetryStore.open(options: storeOptions, tables: [options], fileSystem: disk, clock: clock)
    }

    private func dropExpired() { model.drop(before: table.core.lock.reading { table.core.droppedThrough }) }

    // MARK: - Checks

    private func check() throws {
        dropExpired()
        let (rowCount, expectedRowCount) = (table.summary().rowCount, model.rowCount)
        try #require(rowCount == expectedRowCount, "row count, seed \(seed)")
        let isRight = agrees(model)
        try #require(isRight, "latest values or ranges, seed \(seed)")
        for device in deviceNames {
            let (count, expected) = (table.device(device)?.summary.readingCount ?? 0, model.stored[device] ?? 0)
            try #require(count == expected, "readings of \(device), seed \(seed)")
        }
    }

    private func agrees(_ model: Model) -> Bool {
        deviceNames.allSatisfy { device in
            latestAgrees(device, model) && rangeAgrees(device, model, randomQuery(device, .descending))
                && rangeAgrees(device, model, randomQuery(device, .ascending))
        }
    }

    /// Every row and version of every device.
    private func agreesWholly(_ model: Model) -> Bool {
        deviceNames.allSatisfy { device in
            var query = RangeQuery(device: device, start: clock.now() - .days(1), end: clock.now() + .days(1))
            query.versions = options.maxVersions
            return latestAgrees(device, model) && rangeAgrees(device, model, query)
        }
    }

    private func latestAgrees(_ device: String, _ model: Model) -> Bool {
        let expiry = (clock.now() - options.ttl).microseconds
        let expected = (model.newest[device] ?? [:]).filter { $0.value.time >= expiry }
        guard let latest = table.latest(device: device, fields: nil) else { return model.newest[device] == nil }
        guard latest.entries.count == expected.count else { return false }
        return latest.entries.allSatisfy { entry in
            guard let value = expected[entry.field] else { return false }
            return value.time == entry.time.microseconds && value.value.bitsEqual(entry.cell.value(in: latest.bytes))
        }
    }

    private func randomQuery(_ device: String, _ order: RangeQuery.Order) -> RangeQuery {
        let now = clock.now()
        var query = RangeQuery(
            device: device, start: now - .seconds(Int64.random(in: 1...4_000, using: &random)),
            end: now + .seconds(Int64.random(in: -3...10, using: &random)))
        query.order = order
        query.limit = Int.random(in: 1...20, using: &random)
        query.versions = options.maxVersions
        if Bool.random(using: &random) { query.fields = [["a"], ["c", "b"], ["status"]].randomElement(using: &random) }
        return query
    }

    private func rangeAgrees(_ device: String, _ model: Model, _ query: RangeQuery) -> Bool {
        var query = query
        let expiry = (clock.now() - options.ttl).microseconds
        guard query.start < query.end else { return true }
        var expected = model.rows(device, expiry: expiry, in: query.start.microseconds..<query.end.microseconds)
        if let fields = query.fields { expected = expected.filter { row in fields.contains { row.fields[$0] != nil } } }
        if query.order == .ascending { expected.reverse() }
        var position = 0
        repeat {
            guard let page = try? table.range(query) else { return model.devices[device] == nil }
            for row in page.times.indices {
                guard position < expected.count, page.times[row].microseconds == expected[position].time else { return false }
                guard page.matches(row, expected[position].fields, maxVersions: options.maxVersions) else { return false }
                position += 1
            }
            query.after = page.nextAfter
        } while query.after != nil
        return position == expected.count
    }
}

extension Model {
    func isChanged(by batch: [Reading]) -> Bool {
        var copy = self
        return batch.contains { copy.write($0) }
    }
}

extension RangePage {
    fileprivate func matches(_ row: Int, _ fields: [String: [FieldValue]], maxVersions: Int) -> Bool {
        for (index, column) in columns.enumerated() {
            let expected = fields[column.name] ?? []
            let cell = row * columns.count + index
            guard cells[cell].value(in: bytes).bitsEqual(expected.first) else { return false }
            guard let versions else { continue }
            let list = versions.cells[versions.offsets[cell]..<versions.offsets[cell + 1]].map { $0.value(in: bytes) }
            guard list.count == min(maxVersions, expected.count), zip(list, expected).allSatisfy({ $0.bitsEqual($1) }) else { return false }
        }
        return true
    }
}

extension FieldValue? {
    fileprivate func bitsEqual(_ other: FieldValue?) -> Bool {
        if case .double(let a) = self, case .double(let b) = other { return a.bitPattern == b.bitPattern }
        return self == other
    }
}

extension FieldValue {
    fileprivate func bitsEqual(_ other: FieldValue?) -> Bool { Optional(self).bitsEqual(other) }
}

import Glibc
import Telemetry
import Testing

@testable import TelemetryStore

@Suite("Semantics of product.md")
struct SemanticsTests {
    let now = Bench.start

    @Test("a write is readable at once: latest, range, devices, tables")
    func readable() throws {
        let bench = try Bench()
        try bench.commit(reading("dev-1", now, ["temperature": .double(21.5), "status": .string("ok")]))
        #expect(bench.value("dev-1", "temperature") == .double(21.5))
        let page = try bench.rows("dev-1")
        #expect(page.columns.map(\.name) == ["status", "temperature"])
        #expect(page.times == [now])
        #expect(page.cells.map { $0.value(in: page.bytes) } == [.string("ok"), .double(21.5)])
        #expect(bench.table.devices(prefix: "", state: .online, after: nil, limit: 10).map(\.id) == ["dev-1"])
        #expect(bench.table.summary().rowCount == 1)
        #expect(bench.table.latest(device: "nobody", fields: nil) == nil)
    }

    @Test("a redelivered write is a duplicate: before and after a restart, a flush and a seal", arguments: [false, true])
    func idempotent(isSealed: Bool) throws {
        let bench = try Bench()
        let first = reading("dev-1", now, ["a": .integer(1), "b": .boolean(true)])
        #expect(try bench.commit(first).duplicates == 0)
        #expect(try bench.commit(first).duplicates == 1)
        #expect(try bench.commit(reading("dev-1", now, ["a": .integer(1)])).duplicates == 1)
        if isSealed { try bench.seal() }
        try bench.reopen()
        #expect(try bench.commit(first).duplicates == 1)
        #expect(bench.table.summary().rowCount == 1)
        #expect(bench.table.device("dev-1")?.summary.readingCount == 1)
    }

    @Test("max_versions newest versions are readable, others at once not", arguments: [1, 3])
    func versions(maxVersions: Int) throws {
        let bench = try Bench { table, _ in table.maxVersions = maxVersions }
        for value in 1...5 {
            try bench.commit(reading("dev-1", now, ["a": .integer(Int64(value)), "b": .integer(0)]))
            if value == 2 { try bench.flush() }
        }
        func check() throws {
            let page = try bench.rows("dev-1", versions: 10)
            let versions = try #require(page.versions)
            let list = versions.cells[versions.offsets[0]..<versions.offsets[1]].map(\.integer)
            #expect(list == [5, 4, 3].prefix(maxVersions).map { Int64($0) })
            #expect(page.cells.map(\.integer) == [5, 0])
        }
        try check()
        try bench.seal()
        try check()
        try bench.reopen()
        try check()
        #expect(bench.table.summary().rowCount == 1)
    }

    @Test("a write leaves the fields alone that it does not carry")
    func partialWrite() throws {
        let bench = try Bench()
        try bench.commit(reading("dev-1", now, ["a": .integer(1), "b": .integer(2)]))
        try bench.commit(reading("dev-1", now, ["b": .integer(3)]))
        #expect(try bench.rows("dev-1").cells.map(\.integer) == [1, 3])
        try bench.seal()
        #expect(try bench.rows("dev-1").cells.map(\.integer) == [1, 3])
    }

    @Test("expired readings are never returned, even before their bytes are gone, and partitions go")
    func ttl() throws {
        let bench = try Bench { table, _ in table.ttl = .minutes(5) }
        try bench.commit(reading("dev-1", now, ["a": .integer(1)]))
        bench.clock.advance(by: .minutes(5) + .seconds(1))
        #expect(try bench.rows("dev-1").times.isEmpty)
        #expect(bench.table.latest(device: "dev-1", fields: nil)?.entries.isEmpty == true)
        #expect(bench.table.partitions().count == 1)
        bench.clock.advance(by: .minutes(1))
        try bench.store.performMaintenance()
        #expect(bench.table.partitions().isEmpty)
        try bench.reopen()
        #expect(bench.table.summary().rowCount == 0)
        #expect(bench.table.device("dev-1")?.summary.readingCount == 1)
    }

    @Test("late and future readings are rejected by reason, their neighbours stored")
    func timeWindow() throws {
        let bench = try Bench { table, _ in table.ttl = .hours(1) }
        let receipt = try bench.commit(
            reading("dev-1", now - .hours(1) - .seconds(1), ["a": .integer(1)]),
            reading("dev-1", now, ["a": .integer(2)]),
            reading("dev-1", now + .hours(1) + .seconds(1), ["a": .integer(3)]))
        #expect(receipt.accepted == 1)
        #expect(receipt.rejections.map(\.reason) == [.late, .future])
        #expect(receipt.rejections.map(\.row) == [0, 2])
        #expect(bench.store.statistics.rejected == [.late: 1, .future: 1])
    }

    @Test("a late reading is accepted whatever the state of its partition, which is then to be delivered again")
    func lateAfterDelivery() throws {
        let bench = try Bench { table, _ in table.requiredDeliveries = ["archive"] }
        try bench.commit(reading("dev-1", now, ["a": .integer(1)]))
        try bench.seal()
        let first = try #require(bench.table.deliverable(task: "archive", endingBefore: bench.clock.now()).first)
        try bench.table.markDelivered(first.id, task: "archive", through: first.through)
        #expect(bench.table.partitions().map(\.state) == [.delivered])
        try bench.commit(reading("dev-1", now + .seconds(1), ["a": .integer(2)]))
        #expect(bench.table.partitions().map(\.state) == [.sealed])
        try bench.seal()
        let second = try #require(bench.table.deliverable(task: "archive", endingBefore: bench.clock.now()).first)
        #expect(second.after == first.through)
        let scan = try bench.table.scan(second.id, after: second.after, through: second.through)
        #expect(try scan.next()?.times == [now + .seconds(1)])
        #expect(try scan.next() == nil)
    }

    @Test("no partition is dropped before its deliveries have it, unless the operator says so", arguments: [true, false])
    func retention(isRetained: Bool) throws {
        let bench = try Bench { table, _ in
            table.requiredDeliveries = ["archive"]
            table.retainUntilDelivered = isRetained
            table.ttl = .minutes(5)
        }
        try bench.commit(reading("dev-1", now, ["a": .integer(1)]))
        try bench.seal()
        bench.clock.advance(by: .minutes(30))
        try bench.store.performMaintenance()
        #expect(bench.table.partitions().count == (isRetained ? 1 : 0))
        try bench.reopen()
        for due in bench.table.deliverable(task: "archive", endingBefore: bench.clock.now()) {
            try bench.table.markDelivered(due.id, task: "archive", through: due.through)
        }
        try bench.store.performMaintenance()
        #expect(bench.table.partitions().isEmpty)
    }

    @Test("partition states are durable")
    func states() throws {
        let bench = try Bench { table, _ in table.requiredDeliveries = ["archive"] }
        try bench.commit(reading("dev-1", now, ["a": .integer(1)]))
        func state() -> [PartitionState] { bench.table.partitions().map(\.state) }
        #expect(state() == [.open])
        try bench.seal()
        try bench.reopen()
        #expect(state() == [.sealed])
        let id = bench.table.partitions()[0].id
        try bench.table.markDelivering(id, task: "archive")
        try bench.reopen()
        #expect(state() == [.delivering])
        try bench.table.markDelivered(id, task: "archive", through: 1)
        try bench.reopen()
        #expect(state() == [.delivered])
    }

    @Test("readings without a time get receive times that differ per device by a microsecond")
    func assignedTimes() throws {
        let bench = try Bench()
        try bench.commit(
            reading("a", nil, ["x": .integer(1)]), reading("b", nil, ["x": .integer(1)]), reading("a", nil, ["x": .integer(2)]))
        #expect(try bench.rows("a").times == [now + TimeSpan(microseconds: 1), now])
        #expect(try bench.rows("b").times == [now])
    }

    @Test("the latest value is per field and by the reading's time, after a restart too")
    func latest() throws {
        let bench = try Bench()
        try bench.commit(reading("dev-1", now, ["a": .integer(2), "text": .string("a longer text than fits")]))
        try bench.commit(reading("dev-1", now - .seconds(5), ["a": .integer(1), "b": .double(0.5)]))
        for _ in 0..<2 {
            #expect(bench.value("dev-1", "a") == .integer(2))
            #expect(bench.value("dev-1", "b") == .double(0.5))
            #expect(bench.value("dev-1", "text") == .string("a longer text than fits"))
            try bench.reopen()
        }
    }

    @Test("a wrong clock accepts nothing and harms nothing")
    func clock() throws {
        let bench = try Bench { _, store in store.earliestClock = Timestamp(microseconds: 1_700_000_000_000_000) }
        try bench.commit(reading("dev-1", now, ["a": .integer(1)]))
        bench.clock.set(to: Timestamp(microseconds: 3_600_000_000))
        #expect(throws: StoreError.self) { try bench.commit(reading("dev-1", nil, ["a": .integer(2)])) }
        #expect(bench.store.clockProblem?.contains("1970") == true)
        bench.clock.set(to: now - .days(2))
        #expect(bench.store.clockProblem?.contains("newest commit") == true)
        try bench.store.performMaintenance()
        bench.clock.set(to: now - .hours(2))
        #expect(bench.store.clockProblem == nil)
        bench.clock.set(to: now)
        #expect(try bench.rows("dev-1").cells.map(\.integer) == [1])
    }

    @Test("every limit has its reason")
    func limits() throws {
        let bench = try Bench()
        let long = String(repeating: "x", count: Limits.deviceByteCount + 1)
        var many: [String: FieldValue] = [:]
        for index in 0...Limits.fieldsPerReading { many["f\(index)"] = .integer(0) }
        let receipt = try bench.commit(
            reading(long, now, ["a": .integer(1)]), reading("", now, ["a": .integer(1)]), reading("d", now, [:]),
            reading("d", now, [long: .integer(1)]), reading("d", now, ["a": .double(.nan)]), reading("d", now, many),
            reading("d", now, ["a": .string(String(repeating: "x", count: Limits.valueByteCount + 1))]))
        #expect(
            receipt.rejections.map(\.reason) == [
                .deviceTooLong, .noDevice, .noFields, .fieldNameTooLong, .badValue, .tooManyFields, .valueTooLong,
            ])
        #expect(receipt.accepted == 0)
    }

    @Test("notes come back after a restart, with the readings they were committed with")
    func notes() throws {
        let bench = try Bench()
        var batch = ReadingBatch()
        batch.append(reading("d", now, ["a": .integer(1)]))
        _ = try bench.store.commit(&batch, notes: [CommitNote(source: "mqtt/a", bytes: [1, 2, 3])])
        #expect(bench.store.note(from: "mqtt/a") == [1, 2, 3])
        try bench.reopen()
        try bench.reopen()
        #expect(bench.store.note(from: "mqtt/a") == [1, 2, 3])
        #expect(bench.store.note(from: "mqtt/b") == nil)
    }

    @Test("a commit may hold notes alone, and a note without bytes forgets")
    func notesAlone() throws {
        let bench = try Bench()
        var (batch, empty) = (ReadingBatch(), ReadingBatch())
        batch.append(reading("d", now, ["a": .integer(1)]))
        _ = try bench.store.commit(&batch, notes: [CommitNote(source: "a", bytes: [1]), CommitNote(source: "b", bytes: [2])])
        _ = try bench.store.commit(&empty, notes: [CommitNote(source: "a", bytes: []), CommitNote(source: "c", bytes: [3])])
        for _ in 0..<3 {
            #expect(["a", "b", "c"].map { bench.store.note(from: $0) } == [nil, [2], [3]])
            #expect(bench.store.sequence == 1)
            try bench.reopen()
        }
    }

    @Test("a device that is said to be offline is, until it is heard again")
    func deviceState() throws {
        let bench = try Bench()
        func state() -> DeviceState? { bench.table.devices(prefix: "", state: nil, after: nil, limit: 1).first?.state }
        try bench.commit(reading("d", now, ["a": .integer(1)]))
        #expect(state() == .online)
        try bench.commit(reading("d", now + .seconds(1), ["$state": .string("offline")]))
        #expect(state() == .offline)
        #expect(bench.table.devices(prefix: "", state: .offline, after: nil, limit: 10).map(\.id) == ["d"])
        bench.clock.advance(by: .hours(1))
        #expect(state() == .offline, "not merely stale")
        try bench.commit(reading("d", now + .hours(1), ["a": .integer(2)]))
        #expect(state() == .online)
        try bench.commit(reading("d", now + .hours(1) + .seconds(1), ["$state": .string("offline")]))
        try bench.commit(reading("d", now + .hours(1) + .seconds(2), ["$state": .string("online")]))
        #expect(state() == .online)
    }

    @Test("what is fixed about a table cannot be changed by the configuration")
    func fixedOptions() throws {
        let bench = try Bench()
        bench.tableOptions.buckets = 99
        #expect { try bench.reopen() } throws: { ($0 as? StoreError)?.code == .configuration }
    }

    @Test("commits of many threads share syncs, and all are there")
    func groupCommit() async throws {
        let bench = try Bench()
        let store = bench.store
        await withTaskGroup(of: Void.self) { group in
            for device in 0..<8 {
                group.addTask {
                    for step in 0..<50 {
                        var batch = ReadingBatch()
                        batch.append(reading("d\(device)", Bench.start + .milliseconds(Int64(step)), ["a": .integer(Int64(step))]))
                        _ = try? store.commit(&batch)
                    }
                }
            }
        }
        #expect(bench.table.summary().rowCount == 400)
        #expect(store.sequence == 400)
        try bench.reopen()
        #expect(bench.table.summary().rowCount == 400)
    }
}

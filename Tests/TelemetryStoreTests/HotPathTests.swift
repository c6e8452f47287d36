import Telemetry
import TelemetryCodec
import Testing

@testable import TelemetryStore

@Suite("Commit, latest values, late rows, the clock")
struct HotPathTests {
    let now = Bench.start

    @Test("a device shuffled over many rows: duplicates, versions and new rows are told apart, before and behind a flush", arguments: 0..<4)
    func shuffled(seed: Int) throws {
        let bench = try Bench { table, store in
            table.partitionLength = .hours(1)
            table.maxVersions = 2
            store.logFileByteCount = 1 << 20
        }
        var random = SeededGenerator(seed: UInt64(seed))
        let count = 700
        for (index, step) in Array(0..<count).shuffled(using: &random).enumerated() {
            try bench.commit(reading("d", now + .seconds(Int64(step)), ["a": .integer(Int64(step)), "s": .string("v\(step)")]))
            if index == count / 3 { try bench.flush() }
        }
        for step in Array(0..<count).shuffled(using: &random) {
            let time = now + .seconds(Int64(step))
            switch step % 4 {
            case 0: #expect(try bench.commit(reading("d", time, ["s": .string("v\(step)")])).duplicates == 1, "seed \(seed), \(step)")
            case 1: #expect(try bench.commit(reading("d", time, ["a": .integer(-1)])).duplicates == 0, "seed \(seed), \(step)")
            case 2:
                #expect(try bench.commit(reading("d", time, ["new": .boolean(true)])).duplicates == 0, "seed \(seed), \(step)")
                let both = reading("d", time, ["a": .integer(Int64(step)), "new": .boolean(true)])
                #expect(try bench.commit(both).duplicates == 1, "seed \(seed), \(step)")
            default: break
            }
        }
        #expect(bench.table.summary().rowCount == count)
        #expect(bench.table.device("d")?.summary.readingCount == count)
        try bench.reopen()
        #expect(bench.table.summary().rowCount == count)
        #expect(bench.table.device("d")?.summary.readingCount == count)
    }

    @Test("a device whose clock stands still makes versions, each found at once")
    func stuckClock() throws {
        let bench = try Bench { _, store in store.logFileByteCount = 1 << 20 }
        for value in 0..<600 { #expect(try bench.commit(reading("d", now, ["a": .integer(Int64(value))])).duplicates == 0) }
        #expect(try bench.commit(reading("d", now, ["a": .integer(599)])).duplicates == 1)
        #expect(try bench.commit(reading("d", now, ["a": .integer(0)])).duplicates == 0)
        #expect(bench.table.summary().rowCount == 1)
    }

    @Test("latest values over rows of other fields, types and lengths; late ones count where nothing newer is")
    func latestOfMixedRows() throws {
        let bench = try Bench()
        let long = String(repeating: "long ", count: 200)
        try bench.commit(reading("d", now, ["a": .string(long), "b": .integer(1)]))
        try bench.commit(reading("d", now + .seconds(1), ["b": .double(2.5)]))
        try bench.commit(reading("d", now + .seconds(2), ["c": .string("c"), "b": .integer(3)]))
        try bench.commit(reading("d", now + .seconds(1), ["a": .string("short"), "c": .boolean(false), "d": .binary([1])]))
        try bench.commit(reading("d", now - .seconds(1), ["a": .integer(0), "e": .integer(5)]))
        func check() {
            #expect(bench.value("d", "a") == .string("short"))
            #expect(bench.value("d", "b") == .integer(3))
            #expect(bench.value("d", "c") == .string("c"))
            #expect(bench.value("d", "d") == .binary([1]))
            #expect(bench.value("d", "e") == .integer(5))
            #expect(bench.table.latest(device: "d", fields: nil)?.entries.map(\.field) == ["a", "b", "c", "d", "e"])
            #expect(bench.table.latest(device: "d", fields: ["d", "a", "none"])?.entries.map(\.field) == ["a", "d"])
        }
        check()
        try bench.reopen()
        check()
        #expect(bench.table.summary().fields.map(\.name) == ["a", "b", "c", "d", "e"])
        try bench.commit(reading("d", now + .seconds(5), ["a": .integer(7)]))
        #expect(bench.value("d", "a") == .integer(7))
        #expect(bench.value("d", "b") == .integer(3))
    }

    @Test("memory of the latest values is given back when large values become small")
    func latestMemory() throws {
        let bench = try Bench { _, store in store.logFileByteCount = 1 << 22 }
        func byteCount() -> Int { bench.table.core.lock.reading { bench.table.core.states.byteCount } }
        for step in 0..<4 {
            let large = FieldValue.binary([UInt8](repeating: 1, count: 60_000))
            for device in 0..<10 { try bench.commit(reading("d\(device)", now + .seconds(Int64(2 * step)), ["x": large])) }
            #expect(byteCount() > 600_000)
            for device in 0..<10 { try bench.commit(reading("d\(device)", now + .seconds(Int64(2 * step + 1)), ["x": .integer(1)])) }
            #expect(byteCount() < 200_000, "step \(step)")
        }
    }

    @Test("a field named twice in a row counts once, also in rows that repeat it")
    func repeatedNames() throws {
        let bench = try Bench()
        var batch = ReadingBatch()
        for step in 0..<3 {
            Array("d".utf8).withUnsafeBytes { batch.beginReading(table: 0, device: $0, time: now + .seconds(Int64(step))) }
            for value in [1, 2] { Array("a".utf8).withUnsafeBytes { batch.appendField(name: $0, integer: Int64(10 * step + value)) } }
            Array("b".utf8).withUnsafeBytes { batch.appendField(name: $0, integer: 0) }
            batch.endReading()
        }
        #expect(try bench.store.commit(&batch).accepted == 3)
        #expect(try bench.rows("d").cells.map(\.integer) == [22, 0, 12, 0, 2, 0])
    }

    @Test("a clock that jumps ahead drops nothing until the new time has stood for an hour, or not at all")
    func jumpAhead() throws {
        let bench = try Bench { table, _ in table.ttl = .minutes(30) }
        try bench.commit(reading("d", now, ["a": .integer(1)]))
        try bench.store.performMaintenance()
        bench.clock.set(to: now + .days(20))
        for _ in 0..<3 { try bench.store.performMaintenance() }
        #expect(bench.table.partitions().count == 1)
        #expect(try bench.rows("d").times.isEmpty)
        bench.clock.set(to: now + .minutes(1))
        try bench.store.performMaintenance()
        #expect(try bench.rows("d").times.count == 1)
        bench.clock.set(to: now + .days(20))
        try bench.store.performMaintenance()
        bench.clock.advance(by: .minutes(59))
        try bench.store.performMaintenance()
        #expect(bench.table.partitions().count == 1)
        bench.clock.advance(by: .minutes(1))
        try bench.store.performMaintenance()
        #expect(bench.table.partitions().isEmpty)
    }

    @Test("time that goes by is no jump, however long a pass is away")
    func longPause() throws {
        let bench = try Bench { table, _ in table.ttl = .minutes(30) }
        try bench.commit(reading("d", now, ["a": .integer(1)]))
        try bench.store.performMaintenance()
        bench.clock.advance(by: .days(3))
        try bench.store.performMaintenance()
        #expect(bench.table.partitions().isEmpty)
    }

    @Test("a clock that jumps hours back and forth changes no stored time and no order of versions and sequences")
    func jumpsBackAndForth() throws {
        let bench = try Bench { table, _ in
            table.maxVersions = 10
            table.maxFuture = .days(1)
        }
        var sequence: SequenceNumber = 0
        for (value, hours) in [0, 5, -6, 3, -2, 0].enumerated() {
            bench.clock.set(to: now + .hours(Int64(hours)))
            let receipt = try bench.commit(reading("d", now, ["a": .integer(Int64(value))]))
            #expect(receipt.sequence > sequence && receipt.rejections.isEmpty)
            sequence = receipt.sequence
        }
        bench.clock.set(to: now + .minutes(1))
        for _ in 0..<2 {
            let page = try bench.rows("d", versions: 10)
            let versions = try #require(page.versions)
            #expect(page.times == [now])
            #expect(versions.cells.map(\.integer) == [5, 4, 3, 2, 1, 0])
            #expect(versions.times == versions.times.sorted(by: >))
            try bench.reopen()
        }
    }

    @Test("rows in a log that name what was never defined, or lie beyond all time, are damage and no crash", arguments: 0..<4)
    func hostileRows(kind: Int) throws {
        let bench = try Bench()
        try bench.commit(reading("d", now, ["a": .integer(1)]))
        let core = bench.table.core
        var rows = RawBuffer()
        rows.append(varint: kind == 0 ? 4_000_000_000 : UInt64(0))
        rows.append(zigzag: kind == 1 ? Int64.max - 5 : now.microseconds)
        rows.append(fixed: UInt32(kind == 3 ? 0 : 2))
        if kind != 3 {
            rows.append(varint: UInt64(kind == 2 ? 12 : 0) << 3 | CellCoding.integer)
            rows.append(varint: 2)
        }
        rows.withBytes { (bytes) -> Void in
            #expect(throws: CodecError.self) {
                try core.lock.writing { () throws(CodecError) in
                    _ = try core.applyLocked(bytes, count: 1, base: 0, commitTime: 1, firstSequence: 9, isReplay: true)
                }
            }
        }
        #expect(bench.value("d", "a") == .integer(1))
    }
}

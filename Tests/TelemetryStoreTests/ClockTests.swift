import Telemetry
import Testing

@testable import TelemetryStore

@Suite("A wall clock that jumps")
struct ClockTests {
    private let jumps: [Int64] = [-5, 5, -3_600, 7_200, -7_200, 60, -18_000, 18_000, -1, 1]

    @Test("stored times stay as they are, versions and sequences keep their order, commit times rise", arguments: [false, true])
    func jumping(isFlushed: Bool) throws {
        let bench = try Bench { table, _ in (table.maxVersions, table.maxFuture) = (100, .days(1)) }
        var commitTime = Int64.min
        var sequence: SequenceNumber = 0
        for (number, seconds) in (jumps + jumps + jumps).enumerated() {
            bench.clock.set(to: bench.clock.now() + .seconds(seconds))
            // One row that gets a version at each commit, and one of its own whose time the clock has no say in.
            let receipt = try bench.commit(
                reading("d", Bench.start, ["n": .integer(Int64(number))]),
                reading("d", Bench.start + .seconds(Int64(number + 1)), ["n": .integer(Int64(number))]))
            #expect(receipt.accepted == 2 && receipt.sequence == sequence + 2)
            sequence = receipt.sequence
            #expect(bench.store.log.commitTime > commitTime)
            commitTime = bench.store.log.commitTime
            if isFlushed, number % 4 == 0 { try bench.flush() }
            if isFlushed, number % 9 == 0 { try bench.reopen() }
        }
        let page = try bench.rows("d", versions: 100)
        #expect(page.times == (0...30).reversed().map { Bench.start + .seconds($0) })
        #expect(page.cells.map(\.integer) == (0..<30).reversed() + [29])
        let versions = try #require(page.versions)
        try #require(versions.offsets.count == 32)
        let newest = versions.offsets[30]..<versions.offsets[31]
        #expect(versions.cells[newest].map(\.integer) == (0..<30).reversed())
        #expect(zip(versions.times[newest], versions.times[newest].dropFirst()).allSatisfy { $0 > $1 }, "commit times do not rise")
        #expect(bench.value("d", "n") == .integer(29))
        #expect(bench.store.sequence == 60)
    }

    @Test("a clock that jumps while others commit breaks no order")
    func jumpsDuringCommits() async throws {
        let bench = try Bench { table, store in
            table.maxVersions = 100
            table.maxFuture = .days(1)
            store.headAge = .seconds(1)
        }
        let (store, clock, jumps) = (bench.store, bench.clock, jumps)
        await withTaskGroup(of: Void.self) { group in
            for device in 0..<3 {
                group.addTask {
                    for number in 0..<90 {
                        var batch = ReadingBatch()
                        let time = Bench.start + .seconds(Int64(number / 3))
                        batch.append(reading("d\(device)", time, ["n": .integer(Int64(number))]))
                        do { _ = try store.commit(&batch) } catch { Issue.record(error) }
                    }
                }
            }
            group.addTask {
                for number in 0..<200 {
                    clock.set(to: clock.now() + .seconds(jumps[number % jumps.count]))
                    if number % 20 == 0 { do { try store.performMaintenance() } catch { Issue.record(error) } }
                }
            }
        }
        try bench.reopen()
        for device in 0..<3 {
            let page = try bench.rows("d\(device)", versions: 100)
            #expect(page.times == (0..<30).reversed().map { Bench.start + .seconds($0) })
            let versions = try #require(page.versions)
            #expect(versions.cells.map(\.integer) == (0..<90).reversed())
            #expect(zip(versions.times, versions.times.dropFirst()).allSatisfy { $0 > $1 })
        }
        #expect(bench.store.sequence == 270)
    }

    @Test("a clock that is a day behind refuses, and harms nothing; when it is right again, all goes on")
    func dayBehind() throws {
        let bench = try Bench()
        try bench.commit(reading("d", Bench.start, ["n": .integer(1)]))
        bench.clock.advance(by: .days(-1) - .seconds(1))
        #expect { try bench.commit(reading("d", Bench.start, ["n": .integer(2)])) } throws: { ($0 as? StoreError)?.code == .clock }
        try bench.store.performMaintenance()
        try bench.reopen()
        #expect { try bench.commit(reading("d", Bench.start, ["n": .integer(2)])) } throws: { ($0 as? StoreError)?.code == .clock }
        bench.clock.set(to: Bench.start)
        #expect(try bench.commit(reading("d", Bench.start, ["n": .integer(3)])).sequence == 2)
        #expect(try bench.rows("d").cells.map(\.integer) == [3])
    }
}

extension TimeSpan {
    static func - (a: TimeSpan, b: TimeSpan) -> TimeSpan { TimeSpan(microseconds: a.microseconds - b.microseconds) }
}

import Telemetry
import Testing

@testable import TelemetryStore

/// What the store keeps apart for deliveries, and what it does not.
@Suite struct DeliveringTests {
    private func segments(_ bench: HookedBench) -> [ClosedRange<FlushID>] { bench.partitions[0].segments.map(\.footer.flushes) }

    /// Eight flushes are enough to be merged.
    private func flush(_ bench: HookedBench, _ seconds: Range<Int>) throws { for second in seconds { try bench.flushRow(second) } }

    @Test func segmentsMergeOnEitherSideOfWhatATaskHas() throws {
        let bench = try HookedBench()
        try flush(bench, 0..<4)
        try bench.table.markDelivered(bench.partitions[0].id, task: "a", through: 4)
        try flush(bench, 4..<12)
        bench.maintain()
        #expect(segments(bench) == [1...1, 2...2, 3...3, 4...4, 5...12])
        try bench.table.markDelivered(bench.partitions[0].id, task: "a", through: 12)
        try flush(bench, 12..<15)
        bench.clock.advance(by: .minutes(2))
        bench.maintain()
        #expect(segments(bench) == [1...12, 13...15], "sealed: all it has is one, what it has not another")
        #expect(bench.table.deliverable(task: "a", endingBefore: .distantFuture).map(\.rowCount) == [3])
    }

    @Test func segmentsMergeOnEitherSideOfWhatATaskReads() throws {
        let bench = try HookedBench()
        try flush(bench, 0..<3)
        let rows = try #require(try bench.table.markDelivering(bench.partitions[0].id, task: "a", line: .flushed))
        #expect((rows.after, rows.through, rows.rowCount) == (0, 3, 3))
        try flush(bench, 3..<11)
        bench.maintain()
        #expect(segments(bench).suffix(1) == [4...11])
        bench.clock.advance(by: .minutes(2))
        bench.maintain()
        #expect(segments(bench) == [1...3, 4...11])
        let scan = try bench.table.scan(rows.id, after: rows.after, through: rows.through)
        #expect(try scan.next()?.times.count == 3)
    }

    /// Version 1 did not say how far a task reads.
    @Test func behindATaskOfVersion1NothingMerges() throws {
        let bench = try HookedBench()
        try flush(bench, 0..<9)
        try bench.table.markDelivered(bench.partitions[0].id, task: "a", through: 9)
        try bench.store.maintenance.update(bench.partitions[0].id, of: bench.core) { $0.tasks["a"]?.delivering = .unknown }
        try flush(bench, 9..<20)
        bench.clock.advance(by: .minutes(2))
        bench.maintain()
        #expect(segments(bench) == [1...9] + (10...20).map { $0...$0 })
    }

    @Test func aTaskThatIsForgottenKeepsNothingApart() throws {
        let bench = try HookedBench()
        try flush(bench, 0..<4)
        try bench.table.markDelivering(bench.partitions[0].id, task: "a", line: .flushed)
        try flush(bench, 4..<6)
        try bench.table.forget(task: "a")
        bench.clock.advance(by: .minutes(2))
        bench.maintain()
        #expect(segments(bench) == [1...6])
        #expect(bench.table.deliverable(task: "a", endingBefore: .distantFuture).map(\.after) == [0])
    }

    @Test(arguments: [false, true]) func aLinePartsWhatIsThereFromWhatComes(skips: Bool) throws {
        let bench = try HookedBench()
        try flush(bench, 0..<2)
        try bench.commit(reading("d", Bench.start + .seconds(2), ["a": .integer(2)]))
        try bench.commit(reading("d", Bench.start + .minutes(1), ["a": .integer(3)]))
        let line = try bench.table.drawLine(task: "a", skips: skips)
        #expect(line.values.sorted() == [3, 4])
        try bench.commit(reading("d", Bench.start + .seconds(4), ["a": .integer(4)]))
        #expect(bench.table.unflushed().map(\.rowCount) == [1])
        try bench.table.flush(bench.partitions[0].id)
        #expect(bench.table.unflushed().isEmpty)
        let due = bench.table.deliverable(task: "a", endingBefore: .distantFuture, line: .flushed)
        #expect(due.map(\.rowCount) == (skips ? [1] : [4, 1]))
        guard !skips else { return }
        let rows = try #require(try bench.table.markDelivering(due[0].id, task: "a", line: .flush(line[due[0].id]!)))
        #expect(rows.through == 3 && rows.rowCount == 3)
    }

    @Test func aScanOfTimesAndOfABucketHasTheirRowsOnly() throws {
        let bench = try HookedBench()
        for device in 0..<40 {
            try bench.commit(reading("d\(device)", Bench.start + .seconds(Int64(device)), ["a": .integer(Int64(device))]))
        }
        try bench.flush()
        let id = bench.partitions[0].id
        func values(_ times: Range<Timestamp>?, _ bucket: Int?) throws -> [Int64] {
            let scan = try bench.table.scan(id, after: 0, through: 1, times: times, bucket: bucket)
            var values: [Int64] = []
            while let chunk = try scan.next() { values += chunk.cells.map(\.integer) }
            return values.sorted()
        }
        #expect(try values(nil, nil) == (0..<40).map { $0 })
        #expect(try values(Bench.start + .seconds(5)..<Bench.start + .seconds(8), nil) == [5, 6, 7])
        #expect(try (0..<16).flatMap { try values(nil, $0) }.sorted() == (0..<40).map { $0 })
        #expect(try values(Bench.start + .seconds(50)..<Bench.start + .seconds(51), 3) == [])
    }
}

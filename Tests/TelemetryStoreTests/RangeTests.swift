import Telemetry
import Testing

@testable import TelemetryStore

/// Ranges whose cost or columns are easy to get wrong; random ones beside a model are in ModelTests.
@Suite("Ranges")
struct RangeTests {
    private let now = Bench.start

    @Test("a field that is asked for twice has its values and versions in both columns")
    func twice() throws {
        let bench = try Bench { table, _ in table.maxVersions = 2 }
        try bench.commit(reading("d", now, ["a": .integer(1), "b": .string("x")]))
        try bench.commit(reading("d", now, ["a": .double(2.5)]))
        var query = RangeQuery(device: "d", start: .distantPast, end: .distantFuture)
        (query.fields, query.versions) = (["a", "b", "a", "none", "b"], 2)
        let page = try #require(try bench.table.range(query))
        #expect(page.cells.map { $0.value(in: page.bytes) } == [.double(2.5), .string("x"), .double(2.5), nil, .string("x")])
        #expect(page.columns.map(\.type) == [.double, .string, .double, nil, .string])
        #expect(page.versions?.offsets == [0, 2, 3, 5, 5, 6])
    }

    @Test("a small page of a field that only the last row has takes few passes", arguments: [RangeQuery.Order.ascending, .descending])
    func rareField(order: RangeQuery.Order) throws {
        // Without a cache, each pass reads from the disk.
        let bench = try Bench { table, store in
            table.partitionLength = .hours(2)
            (store.logFileByteCount, store.blockCacheByteCount) = (4 << 20, 0)
        }
        var batch = ReadingBatch()
        for index in 0..<4_000 {
            var fields: [String: FieldValue] = ["often": .integer(Int64(index))]
            if index == (order == .ascending ? 3_999 : 0) { fields["rare"] = .integer(1) }
            batch.append(reading("d", now - .seconds(4_000 - Int64(index)), fields))
        }
        _ = try bench.store.commit(&batch)
        try bench.flush()
        var query = RangeQuery(device: "d", start: .distantPast, end: .distantFuture)
        (query.fields, query.order, query.limit) = (["rare"], order, 1)
        let before = bench.disk.operationCount
        let page = try #require(try bench.table.range(query))
        #expect(page.times.count == 1 && page.nextAfter == nil)
        #expect(bench.disk.operationCount - before < 100)
    }
}

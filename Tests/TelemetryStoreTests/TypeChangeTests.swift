import Telemetry
import Testing

@testable import TelemetryStore

/// A field that changes its type: integer and double are one, of others each version keeps its own.
@Suite struct TypeChangeTests {
    private let bench: Bench

    init() throws { bench = try Bench() }

    private func send(_ device: String, _ second: Int64, _ fields: [String: FieldValue]) throws {
        try bench.commit(reading(device, Bench.start - .seconds(1_000 - second), fields))
    }

    private var count: Int { bench.store.statistics.typeChanges }
    private func told() -> [String] {
        bench.store.takeTypeChanges().map { "\($0.device).\($0.field): \($0.before.name) to \($0.after.name)" }
    }

    @Test func aChangeIsCountedAndToldOfOncePerDeviceAndField() throws {
        try send("a", 1, ["n": .integer(1), "m": .integer(1)])
        try send("b", 1, ["n": .integer(1)])
        #expect(count == 0 && told() == [])
        try send("a", 2, ["n": .string("x"), "m": .integer(2)])
        #expect(count == 1 && told() == ["a.n: integer to string"])
        try send("a", 3, ["n": .string("y"), "m": .integer(3)])
        #expect(count == 1, "the same type again is no change")
        try send("a", 4, ["n": .boolean(true), "m": .string("z")])
        try send("a", 5, ["n": .integer(1), "m": .string("z")])
        #expect(count == 4 && told() == ["a.m: integer to string"])
        try send("b", 2, ["n": .string("x")])
        #expect(count == 5 && told() == ["b.n: integer to string"])
        #expect(told() == [])
    }

    @Test func integersAndDoublesAreOneType() throws {
        for second in 1...20 { try send("a", Int64(second), ["n": second % 3 == 0 ? .integer(1) : .double(0.5)]) }
        for second in 21...30 { try send("a", Int64(second), ["n": .boolean(second % 2 == 0)]) }
        #expect(count == 1 && told() == ["a.n: double to boolean"] || told() == ["a.n: integer to boolean"])
    }

    @Test func devicesOfDifferentTypesDoNotChangeAnything() throws {
        for second in 1...50 {
            try send("a", Int64(second), ["n": .integer(1), "other": .integer(2)])
            try send("b", Int64(second), ["n": .string("x")])
        }
        #expect(count == 0)
    }

    @Test func aFieldThatTheNewestRowDoesNotHaveIsComparedWithItsOwnNewestValue() throws {
        try send("a", 1, ["n": .integer(1)])
        try send("a", 2, ["other": .integer(1)])
        try send("a", 3, ["n": .string("x")])
        #expect(count == 1 && told() == ["a.n: integer to string"])
        try send("a", 4, ["other": .integer(1)])
        try send("a", 5, ["n": .string("y")])
        #expect(count == 1)
    }

    @Test func lateAndRepeatedReadingsAreNoChange() throws {
        try send("a", 1, ["n": .integer(1)])
        try send("a", 10, ["n": .string("x")])
        for second in 2...9 { try send("a", Int64(second), ["n": .integer(2)]) }
        try send("a", 10, ["n": .string("x")])
        #expect(count == 1)
    }

    @Test func aRestartCountsFromZeroAndStillFindsTheNextChange() throws {
        try send("a", 1, ["n": .integer(1)])
        try send("a", 2, ["n": .string("x")])
        #expect(count == 1)
        try bench.reopen()
        #expect(count == 0 && told() == [])
        try send("a", 3, ["n": .string("y")])
        #expect(count == 0)
        try send("a", 4, ["n": .integer(1)])
        #expect(count == 1 && told() == ["a.n: string to integer"])
    }

    @Test func whatIsToldIsBoundedAndTheCountIsNot() throws {
        var names: Set<String> = []
        for round in 0..<8 {
            for type in 0..<2 {
                var batch = ReadingBatch()
                for device in 0..<200 {
                    let time = Bench.start - .seconds(100 - Int64(round * 2 + type))
                    batch.append(reading("d\(round * 200 + device)", time, ["n": type == 0 ? .integer(1) : .string("x")]))
                }
                _ = try bench.store.commit(&batch)
            }
            names.formUnion(told())
        }
        #expect(count == 1_600 && names.count == TypeChanges.toldLimit)
    }

    @Test func aRowOfManyChangesCostsAndCountsABoundedNumber() throws {
        let fields = (0..<1_000).map { "f\($0)" }
        try send("a", 1, Dictionary(uniqueKeysWithValues: fields.map { ($0, .integer(1)) }))
        try send("a", 2, Dictionary(uniqueKeysWithValues: fields.map { ($0, .string("x")) }))
        #expect(count == 16)
    }

    // MARK: - Reading

    @Test func integersBesideDoublesReadAsDoublesAndStayExact() throws {
        let large = Int64(1) << 60
        try send("a", 1, ["n": .integer(large + 1)])
        try send("a", 2, ["n": .double(0.5)])
        try send("a", 3, ["n": .integer(-3)])
        for _ in 0..<2 {
            let page = try bench.rows("a")
            #expect(page.columns == [RangePage.Column(name: "n", type: .double)])
            #expect(page.cells.map { $0.value(in: page.bytes) } == [.integer(-3), .double(0.5), .integer(large + 1)])
            var query = AggregateQuery(device: "a", start: Bench.start - .seconds(2_000), end: Bench.start, step: .seconds(2_000))
            query.origin = query.start
            query.functions = [.count, .min, .max, .first, .last, .sum]
            let aggregate = try #require(try bench.table.aggregate(query))
            #expect(
                aggregate.cells.map { $0.value(in: aggregate.bytes) } == [
                    .integer(3), .integer(-3), .integer(large + 1), .integer(large + 1), .integer(-3),
                    .double(Double(large - 2) + 0.5),
                ])
            #expect(bench.table.summary().fields == [FieldSummary(name: "n", type: .double, time: nil)])
            try bench.flush()
        }
    }

    @Test func otherMixturesKeepEachTypeInItsVersion() throws {
        try send("a", 1, ["n": .integer(1)])
        try send("a", 2, ["n": .string("x")])
        try send("a", 3, ["n": .boolean(true)])
        for _ in 0..<2 {
            let page = try bench.rows("a")
            #expect(page.columns[0].isMixed)
            #expect(page.cells.map { $0.value(in: page.bytes) } == [.boolean(true), .string("x"), .integer(1)])
            try bench.flush()
        }
        #expect(bench.value("a", "n") == .boolean(true))
    }
}

import Telemetry
import Testing

@testable import TelemetryStore

/// Answers whose rule is easy to get wrong; random aggregates beside a model are in ModelTests.
@Suite("Aggregates")
struct AggregateTests {
    private let now = Bench.start

    @Test("first and last of a field with integers and doubles are its oldest and newest values, from a segment too", arguments: [1, 3])
    func firstOfMixedTypes(maxVersions: Int) throws {
        let bench = try Bench { table, _ in table.maxVersions = maxVersions }
        let values: [FieldValue] = [.integer(2), .double(0.5), .string("x"), .double(1.5), .integer(7)]
        for (second, value) in values.enumerated() { try bench.commit(reading("d", now + .seconds(Int64(second)), ["a": value])) }
        try bench.flush()
        for end in 1...values.count {
            var query = AggregateQuery(device: "d", start: now, end: now + .seconds(Int64(end)), step: .minutes(1))
            query.functions = [.first, .last, .count]
            let page = try #require(try bench.table.aggregate(query))
            #expect(page.cells.map { $0.value(in: page.bytes) } == [.integer(2), values[end - 1], .integer(Int64(end))])
        }
    }

    @Test("the sum of integers is exact, however they lie in pieces; beyond 64 bits it is a double")
    func integerSums() throws {
        for flushes in [[], [0], [1], [0, 1, 2, 3]] as [Set<Int>] {
            let bench = try Bench()
            for (second, value) in [Int64.max, 1, -1, 0].enumerated() {
                try bench.commit(reading("d", now + .seconds(Int64(second)), ["a": .integer(value), "b": .integer(.max)]))
                if flushes.contains(second) { try bench.flush() }
            }
            var query = AggregateQuery(device: "d", start: now, end: now + .minutes(1), step: .hours(1))
            query.functions = [.sum, .avg]
            let sum = Double(Int128(Int64.max) * 4)
            #expect(
                try bench.table.aggregate(query)?.cells == [
                    .integer(.max), .double(Double(Int64.max) / 4), .double(sum), .double(sum / 4),
                ],
                "flushed behind \(flushes)")
        }
    }

    @Test("the least and the greatest of integers and doubles are told apart where doubles are coarse")
    func mixedExtremes() throws {
        let cases: [(integer: Int64, double: Double, least: FieldValue, greatest: FieldValue)] = [
            (9_007_199_254_740_993, 0x1p53, .double(0x1p53), .integer(9_007_199_254_740_993)),
            (-9_007_199_254_740_993, -0x1p53, .integer(-9_007_199_254_740_993), .double(-0x1p53)),
            (.max, 0x1p63, .integer(.max), .double(0x1p63)),
            (.min, -0x1p63, .integer(.min), .integer(.min)),
            (2, 2.5, .integer(2), .double(2.5)),
            (3, 3, .integer(3), .integer(3)),
            (0, .infinity, .integer(0), .double(.infinity)),
            (5, .nan, .integer(5), .integer(5)),
        ]
        for (integer, double, least, greatest) in cases {
            var series = SeriesAccumulator(windowCount: 1, keepsBytes: false)
            series.add(type: .double, bits: double.bitPattern, window: 0)
            series.add(type: .integer, bits: UInt64(bitPattern: integer), window: 0)
            var bytes: [UInt8] = []
            #expect(series.cell(.min, 0, into: &bytes).value(in: []) == least, "\(integer), \(double)")
            #expect(series.cell(.max, 0, into: &bytes).value(in: []) == greatest, "\(integer), \(double)")
        }
    }

    @Test("of the strings of a window only the oldest and the newest are kept, and none to count them")
    func keptBytes() {
        for keepsBytes in [false, true] {
            var series = SeriesAccumulator(windowCount: 2, keepsBytes: keepsBytes)
            for value in 0..<200 {
                let bytes = [UInt8](repeating: UInt8(value), count: 1_000 + value)
                let cell = Cell.bytes(.binary, offset: 0, count: bytes.count)
                bytes.withUnsafeBytes { series.add(count: 1, first: cell, last: cell, source: $0, window: value / 100) }
            }
            #expect(series.byteCount == (keepsBytes ? 1_000 + 1_099 + 1_100 + 1_199 : 0))
            var bytes: [UInt8] = []
            #expect(series.cell(.count, 1, into: &bytes) == .integer(100))
            guard keepsBytes else { continue }
            for (window, function, value) in [(0, AggregateQuery.Function.first, 0), (0, .last, 99), (1, .first, 100), (1, .last, 199)] {
                let expected = [UInt8](repeating: UInt8(value), count: 1_000 + value)
                #expect(series.cell(function, window, into: &bytes).value(in: bytes) == .binary(expected))
            }
        }
    }

    @Test("an answer of too many values, or too many bytes, is refused")
    func limits() throws {
        let bench = try Bench { table, store in
            table.partitionLength = .hours(1)
            store.logFileByteCount = 64 << 20
        }
        let blob = FieldValue.binary([UInt8](repeating: 7, count: 65_536))
        for second in 0..<300 { try bench.commit(reading("d", now + .milliseconds(Int64(second)), ["a": blob])) }
        for isFlushed in [false, true] {
            if isFlushed { try bench.flush() }
            var query = AggregateQuery(device: "d", start: now, end: now + .seconds(11), step: .milliseconds(1))
            query.functions = [.count]
            #expect(try bench.table.aggregate(query)?.cells.count == 11_000)
            query.fields = Array(repeating: "a", count: 96)
            #expect { try bench.table.aggregate(query) } throws: { ($0 as? StoreError)?.code == .invalid }
            (query.fields, query.functions) = (["a"], [.first, .last])
            #expect { try bench.table.aggregate(query) } throws: { ($0 as? StoreError)?.code == .invalid }
            query.step = .milliseconds(10)
            #expect(try bench.table.aggregate(query)?.bytes.count == 60 * 65_536)
        }
    }
}

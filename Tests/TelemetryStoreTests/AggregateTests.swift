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
}

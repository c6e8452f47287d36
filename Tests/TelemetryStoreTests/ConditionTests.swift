import Telemetry
import Testing

@testable import TelemetryStore

/// Conditions on rows, and windows of unequal length, wherever the rows lie.
@Suite("Conditions and edges")
struct ConditionTests {
    private let now = Bench.start

    /// What random conditions take is what a model of them takes: from heads, segments, merged ones, with versions and late rows.
    @Test("a condition takes the rows whose newest values fulfil it", arguments: 0..<40 as Range<UInt64>)
    func conditionsBesideAModel(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let bench = try Bench { table, _ in table.maxVersions = Int.random(in: 1...3, using: &random) }
        var rows: [Int64: [String: FieldValue]] = [:]
        for _ in 0..<Int.random(in: 1...120, using: &random) {
            let second = Int64.random(in: 0..<60, using: &random)
            var fields: [String: FieldValue] = [:]
            for name in ["a", "b", "c"] where Bool.random(using: &random) { fields[name] = Self.value(&random) }
            guard !fields.isEmpty else { continue }
            try bench.commit(reading("d", now + .seconds(second), fields))
            rows[second, default: [:]].merge(fields) { $1 }
            if Int.random(in: 0..<20, using: &random) == 0 { try bench.flush() }
        }
        for _ in 0..<20 {
            let condition = Self.condition(&random, depth: 0)
            let expected = rows.filter { $0.value["a"] != nil && Self.holds(condition, $0.value) }.keys.sorted()
            var query = RangeQuery(device: "d", start: now, end: now + .minutes(1))
            (query.fields, query.order, query.condition) = (["a"], .ascending, condition)
            query.limit = Int.random(in: 1...40, using: &random)
            query.scanLimit = Int.random(in: 1...40, using: &random)
            var found: [Int64] = []
            while let page = try bench.table.range(query) {
                #expect(page.times.count <= query.limit)
                found += page.times.map { ($0 - now).microseconds / 1_000_000 }
                guard let after = page.nextAfter else { break }
                query.after = after
            }
            #expect(found == expected, "seed \(seed): \(condition)")
            var aggregate = AggregateQuery(device: "d", start: now, end: now + .minutes(1), step: .minutes(1))
            (aggregate.fields, aggregate.functions, aggregate.condition) = (["a"], [.count], condition)
            let page = try #require(try bench.table.aggregate(aggregate))
            #expect(page.cells == [.integer(Int64(expected.count))], "seed \(seed): \(condition)")
            #expect(page.hasValues == !expected.isEmpty)
        }
    }

    private static func value(_ random: inout SeededGenerator) -> FieldValue {
        switch Int.random(in: 0..<5, using: &random) {
        case 0: .integer(Int64.random(in: -2...2, using: &random))
        case 1: .double(Double(Int64.random(in: -4...4, using: &random)) / 2)
        case 2: .boolean(Bool.random(using: &random))
        case 3: .string(["", "a", "ab", "b"].randomElement(using: &random)!)
        default: .binary([1])
        }
    }

    private static func condition(_ random: inout SeededGenerator, depth: Int) -> RowCondition {
        let field = ["a", "b", "c", "none"].randomElement(using: &random)!
        switch Int.random(in: 0..<(depth < 3 ? 6 : 3), using: &random) {
        case 0: return .present(field)
        case 1, 2:
            var value = Self.value(&random)
            if case .binary = value { value = .integer(0) }
            return .compare(field, RowCondition.Comparison.allCases.randomElement(using: &random)!, value)
        case 3: return .not(condition(&random, depth: depth + 1))
        case 4: return .all((0..<Int.random(in: 0..<3, using: &random)).map { _ in condition(&random, depth: depth + 1) })
        default: return .any((0..<Int.random(in: 0..<3, using: &random)).map { _ in condition(&random, depth: depth + 1) })
        }
    }

    private static func holds(_ condition: RowCondition, _ row: [String: FieldValue]) -> Bool {
        switch condition {
        case .present(let field): return row[field] != nil
        case .not(let part): return !holds(part, row)
        case .all(let parts): return parts.allSatisfy { holds($0, row) }
        case .any(let parts): return parts.contains { holds($0, row) }
        case .compare(let field, let comparison, let constant):
            guard let value = row[field] else { return false }
            guard let order = order(value, constant) else { return comparison == .notEqual }
            return switch comparison {
            case .equal: order == 0
            case .notEqual: order != 0
            case .less: order < 0
            case .lessOrEqual: order <= 0
            case .greater: order > 0
            case .greaterOrEqual: order >= 0
            }
        }
    }

    /// Nil: not to be compared. The numbers here are small.
    private static func order(_ a: FieldValue, _ b: FieldValue) -> Int? {
        func number(_ value: FieldValue) -> Double? {
            switch value {
            case .integer(let integer): Double(integer)
            case .double(let double): double
            default: nil
            }
        }
        if let a = number(a), let b = number(b) { return a < b ? -1 : a > b ? 1 : 0 }
        switch (a, b) {
        case (.boolean(let a), .boolean(let b)): return (a ? 1 : 0) - (b ? 1 : 0)
        case (.string(let a), .string(let b)): return a < b ? -1 : a > b ? 1 : 0
        default: return nil
        }
    }

    @Test("integers and doubles compare exactly where doubles are coarse")
    func exactComparisons() throws {
        let bench = try Bench()
        let values: [FieldValue] = [.integer(.max), .integer(.min), .double(0x1p63), .double(-0x1p63), .integer(9_007_199_254_740_993)]
        for (second, value) in values.enumerated() { try bench.commit(reading("d", now + .seconds(Int64(second)), ["a": value])) }
        func found(_ comparison: RowCondition.Comparison, _ value: FieldValue) throws -> [Int64] {
            var query = RangeQuery(device: "d", start: now, end: now + .minutes(1))
            (query.order, query.condition) = (.ascending, .compare("a", comparison, value))
            return try #require(try bench.table.range(query)).times.map { ($0 - now).microseconds / 1_000_000 }
        }
        #expect(try found(.equal, .integer(.max)) == [0])
        #expect(try found(.greater, .integer(.max)) == [2])
        #expect(try found(.equal, .double(0x1p63)) == [2])
        #expect(try found(.equal, .integer(.min)) == [1, 3])
        #expect(try found(.greater, .double(0x1p53)) == [0, 2, 4])
        #expect(try found(.notEqual, .double(.nan)) == [0, 1, 2, 3, 4])
        #expect(try found(.less, .double(.nan)) == [])
    }

    @Test("windows of unequal length hold what lies between their edges", arguments: [false, true])
    func edges(isFlushed: Bool) throws {
        let bench = try Bench()
        for second in 0..<100 { try bench.commit(reading("d", now + .seconds(Int64(second)), ["a": .integer(1)])) }
        if isFlushed { try bench.flush() }
        var query = AggregateQuery(device: "d", start: now + .seconds(5), end: now + .seconds(95), step: .hours(1))
        query.functions = [.sum]
        query.edges = [0, 10, 11, 60, 100].map { now + .seconds($0) }
        let page = try #require(try bench.table.aggregate(query))
        #expect(page.times == query.edges.dropLast())
        #expect(page.cells == [.integer(5), .integer(1), .integer(49), .integer(35)])
        for wrong in [[0], [6, 100], [0, 90], [0, 50, 50, 100], [0, 60, 50, 100]] as [[Int64]] {
            query.edges = wrong.map { now + .seconds($0) }
            #expect(throws: StoreError.self) { try bench.table.aggregate(query) }
        }
    }
}

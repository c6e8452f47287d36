import Glibc
import Telemetry
import Testing

@testable import TelemetryStore

@Suite("Maintenance")
struct MaintenanceTests {
    let now = Bench.start

    // MARK: - Damage

    @Test("a damaged segment is left where it is, and what is beside it is merged", arguments: [[0], [7], [3, 20], [59]])
    func damagedSegment(damaged: [Int]) throws {
        let bench = try HookedBench { table, _ in table.partitionLength = .hours(1) }
        var errors = 0
        for second in 0..<60 {
            try bench.flushRow(second)
            if damaged.contains(second) { bench.disk.flip(bench.partitions[0].segments.last!.path, at: 20) }
            if let code = bench.maintain() {
                #expect(code == .corruption)
                errors += 1
            }
        }
        #expect(bench.partitions[0].segments.count < 24)
        #expect(bench.temporaries.isEmpty)
        #expect(errors <= damaged.count, "each is met once")
        bench.clock.advance(by: .hours(2))
        _ = bench.maintain()
        #expect(bench.table.partitions().map(\.state) == [.sealed])
        #expect(bench.partitions[0].segments.count <= 2 * damaged.count + 1)
        #expect(try bench.opened(bench.disk).tables[0].summary().rowCount == 60)
    }
}

import Glibc
import Telemetry
import Testing

@testable import TelemetryStore

/// `GAUGEHOUSE_SEEDS=10` runs ten times as many lives; a failure prints its seed.
enum Seeds {
    static func range(from start: Int, count: Int) -> Range<Int> {
        let factor = getenv("GAUGEHOUSE_SEEDS").flatMap { Int(String(cString: $0)) } ?? 1
        return start..<(start + count * factor)
    }
}

@Suite("The store beside a plain map")
struct ModelTests {
    @Test("every read agrees with the model, over random lives", arguments: Seeds.range(from: 0, count: 40))
    func agrees(seed: Int) throws {
        try Scenario(seed: UInt64(seed)).run(steps: 60, withCrashes: false)
    }

    @Test("power cuts lose no acked reading, invent none, double none", arguments: Seeds.range(from: 1_000, count: 60))
    func survivesCrashes(seed: Int) throws {
        try Scenario(seed: UInt64(seed)).run(steps: 60, withCrashes: true)
    }
}

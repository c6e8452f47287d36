import Glibc
import Telemetry
import Testing

@testable import TelemetryStore

/// How much the tests that live on seeds do. `GAUGEHOUSE_SEEDS=10` is ten times as much.
enum Seeds {
    /// Without the optimizer everything takes thirty times as long, and a thirtieth is done.
    static let count: Double = {
        let factor = getenv("GAUGEHOUSE_SEEDS").flatMap { Double(String(cString: $0)) } ?? 1
        return _isDebugAssertConfiguration() ? factor / 30 : factor
    }()

    /// Seeds from `start` on, in slices that run side by side.
    static func slices(from start: Int, count: Int, of length: Int = 25) -> [Range<Int>] {
        let end = start + max(2, Int(Double(count) * Seeds.count))
        return stride(from: start, to: end, by: length).map { $0..<min($0 + length, end) }
    }

    /// Lives through the scripts of some seeds; a failing one is cut down and printed.
    static func run(_ seeds: Range<Int>, _ script: (UInt64) -> Script, _ live: @escaping (Script) throws -> Void) {
        func failure(_ script: Script) -> (any Error)? {
            do {
                try live(script)
                return nil
            } catch { return error }
        }
        for seed in seeds {
            let script = script(UInt64(seed))
            guard let error = failure(script) else { continue }
            let shrunk = Shrinker(script, error, failure: failure)
            Issue.record("seed \(seed): \(error)\ncut down: \(shrunk.error)\n\(shrunk.script)")
        }
    }
}

@Suite("The store beside a plain map")
struct ModelTests {
    @Test("every read agrees with the model, over random lives", arguments: Seeds.slices(from: 0, count: 1_400))
    func agrees(seeds: Range<Int>) {
        Seeds.run(seeds) {
            ScriptGenerator.life(seed: $0, steps: 60)
        } _: {
            try Life.run($0)
        }
    }

    @Test("power cuts between steps lose nothing, invent nothing, double nothing", arguments: Seeds.slices(from: 100_000, count: 800))
    func survivesPowerCuts(seeds: Range<Int>) {
        Seeds.run(seeds) {
            ScriptGenerator.life(seed: $0, steps: 60, crashEvery: 5)
        } _: {
            try Life.run($0)
        }
    }
}

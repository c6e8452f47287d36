import Glibc
import Telemetry
import TelemetryCodec
import Testing

@testable import TelemetryStore

/// What sensors send stays small: sizes in bytes a value, with some room above what was measured.
@Suite("Column chunks: sizes")
struct ColumnSizeTests {
    private let count = 4_096

    private func bytesPerValue(_ values: [FieldValue]) throws -> Double {
        let fixture = ColumnFixture(values)
        let stored = fixture.encoded()
        #expect(try fixture.decoded(stored) == fixture.expected())
        return Double(stored.count) / Double(values.count)
    }

    private func entropyBytes(_ values: [Int]) -> Double {
        var counts: [Int: Int] = [:]
        for value in values { counts[value, default: 0] += 1 }
        return counts.values.reduce(0.0) { $0 - Double($1) * log2(Double($1) / Double(values.count)) } / 8 / Double(values.count)
    }

    private func gauss(_ random: inout SeededRandom) -> Double {
        sqrt(-2 * log(Double.random(in: 1e-12..<1, using: &random))) * cos(2 * .pi * Double.random(in: 0..<1, using: &random))
    }

    @Test("a random walk in hundredths takes little more than the entropy of its steps")
    func randomWalk() throws {
        var random = SeededRandom(seed: 1)
        let steps = (0..<count).map { _ in Int((gauss(&random) * 2).rounded()) }
        var value = 2_150
        let size = try bytesPerValue(
            steps.map { step in
                value += step
                return .double(Double(value) / 100)
            })
        #expect(size < entropyBytes(steps) * 1.03)
    }

    @Test("independent noise and rare events take little more than their entropy")
    func noise() throws {
        var random = SeededRandom(seed: 2)
        let levels = (0..<count).map { _ in Int((gauss(&random) * 3).rounded()) }
        #expect(try bytesPerValue(levels.map { .integer(Int64($0 - 70)) }) < entropyBytes(levels) * 1.03)
        let events = (0..<count).map { _ in Int.random(in: 0..<50, using: &random) == 0 ? 1 : 0 }
        #expect(try bytesPerValue(events.map { .boolean($0 == 1) }) < entropyBytes(events) * 1.05 + 0.005)
        #expect(try bytesPerValue(events.map { .string(["ok", "error"][$0]) }) < entropyBytes(events) * 1.05 + 0.01)
    }

    @Test("what is constant or even takes nothing a value")
    func constants() throws {
        #expect(try bytesPerValue((0..<count).map { _ in .double(21.5) }) < 0.005)
        #expect(try bytesPerValue((0..<count).map { .integer(Int64($0) * 86_400) }) < 0.006)
        #expect(try bytesPerValue((0..<count).map { _ in .string("running") }) < 0.007)
    }

    @Test("doubles with full mantissa are no larger than zstd makes them", arguments: [4_096, 3_000, 1_000, 400, 50, 3])
    func noisyDoubles(distinct: Int) throws {
        var random = SeededRandom(seed: UInt64(distinct))
        let set = (0..<distinct).map { _ in gauss(&random) }
        let values = (0..<count).map { set[distinct == count ? $0 : Int.random(in: 0..<distinct, using: &random)] }
        var compressed = RawBuffer()
        let size = values.withUnsafeBytes { ZstdCompressor(level: 3).compress($0, into: &compressed) }
        #expect(try bytesPerValue(values.map { .double($0) }) * Double(count) <= Double(size) * 1.001 + 24)
    }
}

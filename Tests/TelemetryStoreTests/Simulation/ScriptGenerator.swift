import Telemetry

@testable import TelemetryStore

/// Makes scripts from seeds.
struct ScriptGenerator {
    private var random: SeededGenerator
    private let seed: UInt64
    private var deviceNames: [String] = []
    private var fieldNames: [String] = []

    init(seed: UInt64) {
        self.seed = seed
        random = SeededGenerator(seed: seed)
    }

    /// A life of all kinds of steps.
    /// - Parameter crashes: every so many steps a kill or a power cut, 0 for none.
    static func life(seed: UInt64, steps: Int, crashEvery: Int = 0) -> Script {
        var generator = ScriptGenerator(seed: seed)
        let options = generator.options()
        generator.chooseNames()
        let steps = (0..<steps).map { _ in generator.step(crashEvery: crashEvery) }
        return generator.script(options, steps)
    }

    /// A life as short as it can be while every kind of file is written, merged, delivered and dropped.
    static func tour(seed: UInt64) -> Script {
        var generator = ScriptGenerator(seed: seed)
        var options = generator.options()
        (options.partitionSeconds, options.ttlSeconds, options.sealAfterSeconds) = (10, 60, 5)
        options.deliveries = generator.random.pick([[], ["archive"]])
        generator.chooseNames()
        let steps: [Step] = [
            generator.commit(), generator.commit(), .flush, generator.commit(), .maintain, generator.commit(), .flush,
            .advance(seconds: 16), .maintain, .deliver(completes: generator.random.chance(3, in: 4)), generator.commit(), .redeliver,
            .advance(seconds: 16), .restart, generator.commit(), .maintain, .deliver(completes: true), generator.commit(),
            .advance(seconds: 61), .maintain, generator.commit(), .kill, generator.commit(), .flush,
        ]
        // Leaves some out, so that no two seeds walk the same way.
        let kept = steps.filter { _ in generator.random.chance(5, in: 6) }
        return generator.script(options, kept)
    }

    private mutating func script(_ options: LifeOptions, _ steps: [Step]) -> Script {
        Script(seed: seed, options: options, lines: steps.map { Script.Line(step: $0, checkSeed: random.next()) })
    }

    private mutating func options() -> LifeOptions {
        var options = LifeOptions()
        options.buckets = random.pick([1, 4, 16])
        options.maxVersions = random.pick([1, 1, 2, 3])
        options.partitionSeconds = random.pick([1, 10, 60])
        options.sealAfterSeconds = random.pick([0, 5])
        options.ttlSeconds = random.pick([30, 120, 3_600])
        options.deliveries = random.pick([[], ["archive"], ["archive", "mirror"]])
        options.isRetained = random.chance(3, in: 4)
        options.logFileByteCount = random.pick([512, 4_096, 65_536])
        options.headByteBudget = random.pick([1, 1 << 20, 1 << 20])
        options.headAgeSeconds = random.pick([1, 15, 600])
        options.cacheByteCount = random.pick([0, 1 << 12, 1 << 20])
        return options
    }

    private mutating func chooseNames() {
        deviceNames = (0..<Int.random(in: 1...6, using: &random)).map { "line/\($0)" }
        fieldNames = ["a", "b", "c", "status"]
        if random.chance(1, in: 3) { fieldNames += (0..<random.pick([8, 40])).map { "field-\($0)" } }
    }

    private mutating func step(crashEvery: Int) -> Step {
        if crashEvery > 0, random.chance(1, in: crashEvery) {
            return random.chance(1, in: 4) ? .kill : .cutPower(random.pick(PowerCut.allCases), seed: random.next())
        }
        switch Int.random(in: 0..<40, using: &random) {
        case 0..<18: return commit()
        case 18..<20: return series()
        case 20: return .redeliver
        case 21..<24: return .flush
        case 24..<30: return .maintain
        case 30..<34: return .advance(seconds: Int64.random(in: 1...20, using: &random))
        case 34: return .advance(seconds: random.pick([61, 130, 3_700, -5, -3_600, 7_200]))
        case 35..<37: return .deliver(completes: random.chance(3, in: 4))
        case 37: return .kill
        default: return .restart
        }
    }

    /// Now and then without readings: a note alone.
    private mutating func commit() -> Step {
        random.chance(1, in: 10)
            ? .commit([]) : .commit((0..<Int.random(in: 1...random.pick([1, 3, 12]), using: &random)).map { _ in draft() })
    }

    private mutating func series() -> Step {
        var series = Series(
            device: random.pick(deviceNames), count: random.pick([3, 20, 70, 70, 130, 300]),
            distance: random.pick([1, 1_000, 10_000, 100_000, 333_333]), end: random.pick([0, 0, 0, -5_000_000, 1_000_000]),
            seed: random.next())
        if random.chance(1, in: 16) {
            // A piece ends at 1 MiB, here behind 27 or 17 rows: these have several, and versions of one time lie in two of them.
            series.count = Int.random(in: 14...24, using: &random)
            (series.versionCount, series.waveByteCount) = (random.pick([1, 2, 2, 3]), random.pick([40_000, 62_000]))
        }
        return .series(series)
    }

    /// Whole seconds for the most part, so that rows meet at one time.
    private mutating func draft() -> Draft {
        let seconds = Int64.random(in: random.chance(1, in: 10) ? -200...5 : -12...2, using: &random)
        var offset: Int64? = seconds * 1_000_000
        if random.chance(1, in: 8) { offset! += Int64.random(in: -3...3, using: &random) }
        if random.chance(1, in: 12) { offset = nil }
        var fields: [String: FieldValue] = [:]
        for _ in 0..<Int.random(in: 1...random.pick([1, 4, 4, 20]), using: &random) { fields[random.pick(fieldNames)] = value() }
        return Draft(device: random.pick(deviceNames), offset: offset, fields: fields)
    }

    private mutating func value() -> FieldValue {
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<3: .integer(Int64.random(in: -3...3, using: &random))
        case 3: .integer(random.pick([.min, .max, .max - 1, 1 << 53, 0]))
        case 4: .double(Double(Int64.random(in: -500...500, using: &random)) / 10)
        case 5: .double(random.pick([0.5, -1.25, 1e300, -0.0, 0, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 0.1 + 0.2]))
        case 6: .boolean(random.chance(1, in: 2))
        case 7: .string(random.pick(["", "ok", "ünïcode", "nul\u{0}inside", "a longer text that does not fit a small slot"]))
        case 8: .string(String(repeating: "x", count: random.pick([1, 100, 700])))
        default: .binary(random.pick([[], [0, 255, 7], [UInt8](repeating: 0, count: 300)]))
        }
    }
}

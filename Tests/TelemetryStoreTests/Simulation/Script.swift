import Telemetry

@testable import TelemetryStore

/// A life of a store, derived from a seed: options and a list of steps. Any sublist of the steps is a life, too; that is what the
/// shrinker lives on, so no step refers to another.
struct Script: CustomStringConvertible {
    var seed: UInt64
    var options: LifeOptions
    var lines: [Line]

    struct Line {
        var step: Step
        /// What is read after the step.
        var checkSeed: UInt64
    }

    /// The steps as a person reads them, for the report of a failure.
    var description: String {
        "seed \(seed), \(options)\n" + lines.enumerated().map { "  \($0 + 1). \($1.step)" }.joined(separator: "\n")
    }
}

/// Options of store and table that a script chooses.
struct LifeOptions: CustomStringConvertible {
    var buckets = 4
    var maxVersions = 1
    var partitionSeconds: Int64 = 60
    var sealAfterSeconds: Int64 = 5
    var ttlSeconds: Int64 = 3_600
    var deliveries: [String] = []
    var isRetained = true
    var logFileByteCount = 4_096
    var headByteBudget = 1 << 20
    var headAgeSeconds: Int64 = 600
    var cacheByteCount = 1 << 16

    var table: TableOptions {
        var table = TableOptions(name: "telemetry")
        table.buckets = buckets
        table.maxVersions = maxVersions
        table.partitionLength = .seconds(partitionSeconds)
        table.sealAfter = .seconds(sealAfterSeconds)
        table.ttl = .seconds(ttlSeconds)
        table.requiredDeliveries = deliveries
        table.retainUntilDelivered = isRetained
        return table
    }

    var store: StoreOptions {
        var store = StoreOptions(path: "/store")
        store.logFileByteCount = logFileByteCount
        store.headByteBudget = headByteBudget
        store.headAge = .seconds(headAgeSeconds)
        store.blockCacheByteCount = cacheByteCount
        return store
    }

    var description: String {
        "buckets \(buckets), versions \(maxVersions), partition \(partitionSeconds) s, seal after \(sealAfterSeconds) s, "
            + "ttl \(ttlSeconds) s, deliveries \(deliveries) (\(isRetained ? "" : "not ")retained), log files \(logFileByteCount) B, "
            + "head budget \(headByteBudget) B, head age \(headAgeSeconds) s, cache \(cacheByteCount) B"
    }
}

/// One thing that happens to a store.
enum Step: CustomStringConvertible {
    /// A batch.
    case commit([Draft])
    /// Rows of one device at equal distances, in one batch: enough of them for several blocks.
    case series(Series)
    /// The batch before last once more, as MQTT redelivers.
    case redeliver
    case flush
    case maintain
    /// The clock goes on, or jumps either way.
    case advance(seconds: Int64)
    /// Every delivery that is due is scanned and marked; one that does not complete stays `delivering`.
    case deliver(completes: Bool)
    case restart
    /// As kill −9: what was written but not synced is still there for the next process.
    case kill
    case cutPower(PowerCut, seed: UInt64)

    var isCommit: Bool {
        switch self {
        case .commit, .series, .redeliver: true
        default: false
        }
    }

    var description: String {
        switch self {
        case .commit(let drafts): "commit " + drafts.map(\.description).joined(separator: " | ")
        case .series(let series): "commit \(series)"
        case .redeliver: "commit the last batch once more"
        case .flush: "flush"
        case .maintain: "maintain"
        case .advance(let seconds): "clock \(seconds < 0 ? "" : "+")\(seconds) s"
        case .deliver(let completes): completes ? "deliver" : "begin to deliver"
        case .restart: "restart"
        case .kill: "kill"
        case .cutPower(let cut, let seed): "power cut, \(cut), seed \(seed)"
        }
    }
}

/// A reading whose time is told from the clock at its step.
struct Draft: CustomStringConvertible {
    var device: String
    /// µs from now; nil: no time.
    var offset: Int64?
    var fields: [String: FieldValue]

    func reading(at now: Timestamp) -> Reading {
        Reading(device: device, time: offset.map { now + TimeSpan(microseconds: $0) }, fields: fields)
    }

    var description: String {
        "\(device) at now\(offset.map { " + \($0) µs" } ?? ", no time"): "
            + fields.sorted { $0.key < $1.key }.map { "\($0) = \($1.brief)" }.joined(separator: ", ")
    }
}

/// Readings at equal distances, with values that look like a sensor's.
struct Series: CustomStringConvertible {
    var device: String
    var count: Int
    /// µs; the last reading is at now + `end`.
    var distance: Int64
    var end: Int64
    var seed: UInt64
    /// How often each time is written, with other values.
    var versionCount = 1
    /// Bytes of a binary in each row; 0: none.
    var waveByteCount = 0

    func drafts() -> [Draft] {
        var random = SeededGenerator(seed: seed)
        return (0..<versionCount).flatMap { version in drafts(version, &random) }
    }

    private func drafts(_ version: Int, _ random: inout SeededGenerator) -> [Draft] {
        var temperature = Int64.random(in: -400...400, using: &random)
        var isDense = true
        return (0..<count).map { index in
            temperature += Int64.random(in: -2...2, using: &random)
            if random.chance(1, in: 40) { isDense.toggle() }
            var fields: [String: FieldValue] = ["temperature": .double(Double(temperature) / 10), "count": .integer(Int64(index))]
            if isDense { fields["status"] = .string(random.pick(["ok", "ok", "ok", "warn"])) }
            if random.chance(1, in: 60) { fields["count"] = .double(0.5) }
            if waveByteCount > 0 { fields["wave"] = .binary([UInt8](repeating: UInt8(index * 8 + version), count: waveByteCount)) }
            return Draft(device: device, offset: end - Int64(count - 1 - index) * distance, fields: fields)
        }
    }

    var description: String {
        "\(count) rows of \(device), every \(distance) µs, up to now + \(end) µs, seed \(seed), \(versionCount) versions, "
            + "waves of \(waveByteCount) B"
    }
}

extension FieldValue {
    /// Short enough for a line of a report.
    var brief: String {
        switch self {
        case .integer(let value): "\(value)"
        case .double(let value): "\(value) (double)"
        case .boolean(let value): "\(value)"
        case .string(let value): value.count > 24 ? "\"\(value.prefix(20))…\" (\(value.utf8.count) B)" : "\"\(value)\""
        case .binary(let value): value.count > 12 ? "\(value.count) B" : "\(value)"
        }
    }
}

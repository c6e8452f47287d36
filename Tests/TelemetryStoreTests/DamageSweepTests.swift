import Telemetry
import Testing

@testable import TelemetryStore

/// A store with files of every kind, each of them several times; and what it holds, for every length that its log may have.
private struct Specimen {
    let options: LifeOptions
    let disk: SimulatedFileSystem
    let memory: Life.Memory
    /// By sequence number.
    let histories: [SequenceNumber: Model]

    /// - Parameter isClosed: false: as after a crash, with more in the log than the checkpoint knows.
    init(isClosed: Bool, maxVersions: Int) throws {
        var options = LifeOptions()
        (options.maxVersions, options.deliveries, options.logFileByteCount, options.partitionSeconds) = (
            maxVersions, ["archive"], 2_048, 30
        )
        let life = Life(options: options)
        var histories: [SequenceNumber: Model] = [:]
        func perform(_ steps: Step...) throws {
            for step in steps {
                try life.perform(step)
                histories[life.memory.model.sequence] = life.memory.model
            }
        }
        try life.open()
        for device in ["line/1", "line/2"] {
            try perform(.series(Series(device: device, count: 90, distance: 100_000, end: 0, seed: 5)))
        }
        try perform(.commit(drafts(0)), .flush, .commit(drafts(1)), .flush, .maintain, .advance(seconds: 40))
        try perform(.maintain, .deliver(completes: true), .commit(drafts(2)), .commit(drafts(3)), .advance(seconds: 40))
        try perform(.maintain, .deliver(completes: false), .commit(drafts(4)), .flush)
        for number in 5..<12 { try perform(.commit(drafts(number))) }
        self.options = options
        if isClosed { try life.close() } else { life.abandon() }
        disk = life.disk.copy()
        memory = life.memory
        self.histories = histories
        func drafts(_ number: Int) -> [Draft] {
            (0..<3).map { index in
                Draft(
                    device: "line/\((number + index) % 3)", offset: Int64(-index * 1_000_000 - number * 1_000),
                    fields: [
                        "count": .integer(Int64(number * 10 + index)), "level": .double(Double(number) / 8), "is-on": .boolean(index == 0),
                        "status": .string("state \(number)"), "raw": .binary([UInt8](repeating: UInt8(number), count: 40)),
                    ])
            }
        }
    }

    func files(_ kind: String) -> [String] { disk.files.filter { $0.hasSuffix(kind) } }

    /// Opens a damaged copy and reads everything.
    /// - Parameter paths: the damaged files.
    func examine(_ damaged: SimulatedFileSystem, _ paths: [String], _ what: String) {
        let life = Life(options: options, disk: damaged, memory: memory)
        do {
            try life.openDamaged(histories)
            // Not the counts: whether a row was there before its segment was damaged cannot be told when it comes again.
            try life.checkRows()
        } catch let error as StoreError {
            // A flipped bit of the version makes it a file of a newer one.
            let isRefused = error.code == .corruption || (error.code == .unusable && error.detail.contains("newer version"))
            let isNamed = isRefused && (paths + ["/store/log"]).contains { error.detail.contains($0) }
            if !isNamed { Issue.record("\(what): \(error)") }
            if error.detail.hasSuffix("?") || !error.detail.contains(" ") { Issue.record("\(what): no reason: \(error)") }
        } catch {
            Issue.record("\(what): a wrong answer: \(error)")
        }
        life.abandon()
    }
}

extension Life {
    /// The end of the newest log file may be gone without a word: it cannot be told from a group that was torn and never acked. What is
    /// left is then what was there some groups ago.
    fileprivate func openDamaged(_ histories: [SequenceNumber: Model]) throws {
        try openUnchecked()
        if let model = histories[store!.sequence] { adopt(model) }
    }
}

@Suite("Damage to every file")
struct DamageSweepTests {
    static let kinds = ["log", "seg", "state", "checkpoint", "catalog", "reserve"]
    static let samples = 150

    /// Every offset of a small file, a sample of a large one.
    private func offsets(_ count: Int, _ random: inout SeededGenerator) -> [Int] {
        let samples = max(20, Int(Double(Self.samples) * min(1, Seeds.count)))
        if count <= samples { return Array(0..<count) }
        return (0..<samples).map { _ in
            random.chance(1, in: 3) ? Int.random(in: 0..<min(count, 256), using: &random) : .random(in: 0..<count, using: &random)
        }
    }

    @Test("a flipped bit is an error that names the file, or a right answer", arguments: kinds, [false, true])
    func flips(kind: String, isClosed: Bool) throws {
        var random = SeededGenerator(seed: 1)
        let specimen = try Specimen(isClosed: isClosed, maxVersions: isClosed ? 1 : 3)
        for path in specimen.files(kind) {
            let bytes = specimen.disk.contents(path)
            for offset in offsets(bytes.count, &random) {
                let damaged = specimen.disk.copy()
                damaged.write(path, [bytes[offset] ^ (1 << UInt8.random(in: 0..<8, using: &random))], at: offset)
                specimen.examine(damaged, [path], "\(path) flipped at \(offset)")
            }
        }
    }

    @Test("a file cut short at any length, to nothing too", arguments: kinds, [false, true])
    func truncations(kind: String, isClosed: Bool) throws {
        var random = SeededGenerator(seed: 2)
        let specimen = try Specimen(isClosed: isClosed, maxVersions: isClosed ? 3 : 1)
        for path in specimen.files(kind) {
            for count in [0] + offsets(specimen.disk.contents(path).count, &random) {
                let damaged = specimen.disk.copy()
                damaged.truncate(path, to: count)
                specimen.examine(damaged, [path], "\(path) cut to \(count) bytes")
            }
        }
    }

    @Test("zeros, or noise, over any part of a file", arguments: kinds, [false, true])
    func overwrites(kind: String, isZero: Bool) throws {
        var random = SeededGenerator(seed: 3)
        let specimen = try Specimen(isClosed: false, maxVersions: 2)
        for path in specimen.files(kind) {
            let bytes = specimen.disk.contents(path)
            for start in offsets(bytes.count, &random) {
                let end = random.chance(1, in: 4) ? bytes.count : min(bytes.count, start + random.pick([1, 4, 16, 64, 512]))
                let damaged = specimen.disk.copy()
                let noise = (start..<end).map { _ in isZero ? 0 : UInt8.random(in: .min ... .max, using: &random) }
                damaged.write(path, noise, at: start)
                specimen.examine(damaged, [path], "\(path) overwritten from \(start) to \(end)")
            }
        }
    }

    /// Not of `state`: the records of two partitions look alike (docs/format/partition-state.md has no window in it).
    @Test("two files of a kind that changed places", arguments: ["log", "seg"])
    func swaps(kind: String) throws {
        let specimen = try Specimen(isClosed: false, maxVersions: 2)
        let files = specimen.files(kind)
        try #require(files.count > 1)
        for first in files {
            for second in files where first < second {
                let damaged = specimen.disk.copy()
                damaged.replace(first, with: specimen.disk.contents(second))
                damaged.replace(second, with: specimen.disk.contents(first))
                specimen.examine(damaged, [first, second], "\(first) and \(second) swapped")
                let doubled = specimen.disk.copy()
                doubled.replace(second, with: specimen.disk.contents(first))
                specimen.examine(doubled, [second], "\(first) copied over \(second)")
            }
        }
    }

    @Test("a file that is gone", arguments: ["log", "checkpoint", "catalog", "reserve"])
    func missing(kind: String) throws {
        let specimen = try Specimen(isClosed: false, maxVersions: 2)
        for path in specimen.files(kind) {
            let damaged = specimen.disk.copy()
            try damaged.unlink(path)
            specimen.examine(damaged, [path], "\(path) removed")
        }
    }
}

import Glibc
import Telemetry

@testable import TelemetryStore

/// Lives through a script and crashes at every change of the disk, in several ways; the life itself goes on undisturbed.
///
/// Each crash takes a copy of the disk as the next process would find it, opens a store on it, and compares it with what was acked at
/// that moment. Now and then the recovery crashes as well.
struct CrashPoints {
    /// A moment, and what must be true of every store that comes after it.
    private struct Crash {
        var disk: SimulatedFileSystem
        var memory: Life.Memory
        var name: String
    }

    private let options: LifeOptions
    private let cutsPerChange: Int
    private var random: SeededGenerator
    private(set) var count = 0

    private init(_ script: Script, cutsPerChange: Int) {
        options = script.options
        self.cutsPerChange = cutsPerChange
        random = SeededGenerator(seed: script.seed ^ 0xC4A5)
    }

    /// - Returns: number of crashes.
    static func run(_ script: Script, cutsPerChange: Int = 2) throws -> Int {
        var points = CrashPoints(script, cutsPerChange: cutsPerChange)
        try points.run(script)
        return points.count
    }

    private mutating func run(_ script: Script) throws {
        let life = Life(options: options)
        var crashes: [Crash] = []
        try withCrashes(of: life, into: &crashes) { try life.open() }
        try recover(from: crashes)
        for line in script.lines {
            crashes.removeAll()
            try withCrashes(of: life, into: &crashes) { try life.perform(line.step) }
            try recover(from: crashes)
        }
        try life.checkWholly()
        try life.close()
    }

    /// Runs a step and notes a few crashes before every change of the disk.
    private mutating func withCrashes(of life: Life, into crashes: inout [Crash], _ step: () throws -> Void) throws {
        // The hook runs in the log's thread too, but never while this one does anything but wait.
        nonisolated(unsafe) var taken: [Crash] = []
        nonisolated(unsafe) var draw = random
        let cuts = cutsPerChange
        nonisolated(unsafe) let life = life
        life.disk.beforeChange = { disk in
            for _ in 0..<cuts {
                let cut = draw.pick(PowerCut.allCases)
                let name = "\(cut) before change \(disk.changeCount + 1)"
                taken.append(Crash(disk: disk.crashed(cut, using: &draw), memory: life.memory, name: name))
            }
        }
        defer {
            life.disk.beforeChange = nil
            (crashes, random) = (taken, draw)
        }
        try step()
    }

    private mutating func recover(from crashes: [Crash]) throws {
        for crash in crashes {
            do {
                try recover(from: crash)
            } catch {
                throw Disagreement("crash \(crash.name): \(error)")
            }
        }
    }

    private mutating func recover(from crash: Crash) throws {
        count += 1
        let life = Life(options: options, disk: crash.disk, memory: crash.memory)
        if random.chance(1, in: 4) {
            try recoverTwice(life)
        } else {
            try life.open()
        }
        try life.checkWholly()
        // It takes commits again, and moves data along.
        try life.perform(.commit([Draft(device: "after", offset: 0, fields: ["a": .integer(1)])]))
        if random.chance(1, in: 3) {
            try life.perform(.flush)
            try life.perform(.maintain)
            try life.perform(.restart)
            try life.checkWholly()
        } else if random.chance(1, in: 3) {
            // What was acked since, and what it stands on, survives the next cut.
            count += 1
            life.crash(random.pick(PowerCut.allCases), using: &random)
            try life.open()
            try life.checkWholly()
        }
        life.abandon()
    }

    /// The disk fails for good while the store comes back; the power goes once more.
    private mutating func recoverTwice(_ life: Life) throws {
        life.disk.fail(after: Int.random(in: 1...40, using: &random), errno: EIO, isLasting: true)
        do {
            try life.open()
            try life.perform(.commit([Draft(device: "between", offset: 0, fields: ["b": .integer(2)])]))
            try life.perform(.flush)
            try life.perform(.maintain)
        } catch is StoreError {}
        life.disk.heal()
        life.crash(random.pick(PowerCut.allCases), using: &random)
        count += 1
        try life.open()
    }
}

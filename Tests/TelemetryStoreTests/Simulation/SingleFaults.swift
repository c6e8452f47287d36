import Glibc
import Telemetry

@testable import TelemetryStore

/// Lives through a script while one file operation, told by its number, fails.
///
/// Nothing is acked that is not on disk; what threw is not there, or after a crash there whole; after a fatal failure the store
/// refuses; when the fault is over, everything goes on.
struct SingleFaults {
    private let script: Script
    private let kind: Fault.Kind
    private var random: SeededGenerator

    /// Lets every operation fail in turn.
    /// - Returns: number of lives.
    static func run(_ script: Script, _ kind: Fault.Kind) throws -> Int {
        var number = 0
        while true {
            number += 1
            var faults = SingleFaults(script: script, kind: kind, random: SeededGenerator(seed: script.seed &+ UInt64(number)))
            do {
                guard try faults.live(failing: number) else { return number }
            } catch {
                throw Disagreement("\(kind) at call \(number): \(error)")
            }
        }
    }

    /// - Returns: false: the script has fewer operations.
    private mutating func live(failing number: Int) throws -> Bool {
        let life = Life(options: script.options)
        let disk = life.disk
        disk.fail(after: number, kind)
        try enduring(life) { try life.open() }
        for line in script.lines {
            let failures = disk.failureCount
            let isAcked = try enduring(life) { try life.perform(line.step) }
            if isAcked, line.step.isCommit, disk.failureCount > failures {
                // A look-up failed while readings were applied, which are on disk and acked. Whether one was there before, and so how many
                // there are, the store cannot know; what it shows must be right.
                disk.heal()
                try life.checkValues()
                return true
            }
        }
        life.disk.heal()
        // Space is back, the disk is well: what was due is done.
        try life.perform(.flush)
        try life.perform(.maintain)
        try life.perform(.commit([Draft(device: "after", offset: 0, fields: ["a": .integer(1)])]))
        try life.checkWholly()
        try life.perform(.restart)
        try life.checkWholly()
        var cut = random
        life.crash(.forgetful, using: &cut)
        try life.open()
        try life.checkWholly()
        try life.close()
        return disk.failureCount > 0
    }

    /// - Returns: false: the step threw.
    @discardableResult
    private mutating func enduring(_ life: Life, _ step: () throws -> Void) throws -> Bool {
        do {
            try step()
            return true
        } catch let error as StoreError {
            try endure(error, life)
        }
        if life.store == nil { try reopen(life) }
        return false
    }

    private mutating func endure(_ error: StoreError, _ life: Life) throws {
        guard let store = life.store else { return }
        if life.memory.underWay != nil {
            let isExpected = error.code == .diskFull || (error.code == .fatal && store.failure != nil)
            try agree(isExpected, "a commit threw \(error)")
        }
        if kind.length < .max { try life.checkWholly() }
        guard error.code == .fatal else { return }
        if store.failure != nil {
            try refuse(life)
        } else if random.chance(1, in: 2) {
            // Maintenance failed; a process that goes on all the same must do no harm.
            return
        }
        life.disk.heal()
        life.crash(random.pick(PowerCut.allCases), using: &random)
    }

    private func refuse(_ life: Life) throws {
        var batch = ReadingBatch()
        batch.append(Reading(device: "refused", time: life.clock.now(), fields: ["a": .integer(1)]))
        do throws(StoreError) {
            _ = try life.store!.commit(&batch)
        } catch {
            return
        }
        throw Disagreement("a commit was acked after a fatal failure")
    }

    private mutating func reopen(_ life: Life) throws {
        do {
            try life.open()
        } catch is StoreError {
            // As the service manager does; the operation that failed need not fail again.
            life.disk.heal()
            life.crash(random.pick(PowerCut.allCases), using: &random)
            try life.open()
        }
        try life.checkWholly()
    }
}

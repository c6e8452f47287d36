import Foundation
import Logging

/// The thread of one task: runs it about once a second, and does between two runs what operators ask.
///
/// A destination that is slow or away so holds up nothing else. `@unchecked Sendable`: `condition` guards what is mutable.
final class DeliveryWorker: @unchecked Sendable {
    typealias Command = @Sendable (DeliveryTask) throws -> Void

    private final class Pending {
        let command: Command
        var outcome: Result<Void, any Error>?
        init(_ command: @escaping Command) { self.command = command }
    }

    /// Between two looks for what is due.
    private static let pause: TimeInterval = 1

    let task: DeliveryTask
    private let condition = NSCondition()
    private var pending: [Pending] = []
    private var isStarted = false
    private var isStopping = false
    private var hasEnded = false

    init(_ task: DeliveryTask) { self.task = task }

    func start() {
        condition.withLock {
            guard !isStarted, !isStopping else { return }
            isStarted = true
            let thread = Thread { [self] in loop() }
            // Thread names end after 15 bytes.
            thread.name = String("d-\(task.options.name)".prefix(15))
            thread.start()
        }
    }

    /// Asks the thread to end; what it was writing is begun anew at the next start.
    func requestStop() {
        task.requestStop()
        condition.withLock {
            isStopping = true
            condition.broadcast()
        }
    }

    func waitUntilEnded() {
        condition.withLock { while isStarted, !hasEnded { condition.wait() } }
    }

    /// Has the thread do something as soon as the run under way has ended, which it is asked to do soon.
    /// - Returns: false: it is not done within `seconds`, and will be later.
    /// - Throws: what `command` throws.
    func perform(within seconds: TimeInterval, _ command: @escaping Command) throws -> Bool {
        let entry = Pending(command)
        let deadline = Date(timeIntervalSinceNow: seconds)
        // Ends with the command, whenever that is carried out.
        task.interrupt()
        let outcome: Result<Void, any Error>? = condition.withLock {
            pending.append(entry)
            condition.broadcast()
            while entry.outcome == nil, condition.wait(until: deadline) {}
            return entry.outcome
        }
        try outcome?.get()
        return outcome != nil
    }

    private func loop() {
        while let next = nextCommands() {
            for entry in next {
                let outcome = Result { try entry.command(task) }
                task.endInterruption()
                condition.withLock {
                    entry.outcome = outcome
                    condition.broadcast()
                }
            }
            task.runOnce()
        }
        condition.withLock {
            hasEnded = true
            condition.broadcast()
        }
    }

    private var isFirst = true

    /// Waits for the pause to pass, or for a command. Nil: the thread is to end.
    private func nextCommands() -> [Pending]? {
        let end = Date(timeIntervalSinceNow: isFirst ? 0 : Self.pause)
        isFirst = false
        return condition.withLock {
            while !isStopping, pending.isEmpty, condition.wait(until: end) {}
            guard !isStopping else { return nil }
            defer { pending = [] }
            return pending
        }
    }
}

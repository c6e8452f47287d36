import Synchronization

/// Tells the run of a task that it is to end soon: for good, or because somebody waits for it.
///
/// The task's destination asks, too: a request that is tried again and again ends with it.
package final class StopFlag: Sendable {
    private let isStopRequested = Atomic(false)
    private let interruptionCount = Atomic(0)

    package init() {}

    package var isSet: Bool { isStopRequested.load(ordering: .relaxed) || interruptionCount.load(ordering: .relaxed) > 0 }

    func requestStop() { isStopRequested.store(true, ordering: .relaxed) }

    /// Undone by `endInterruption`.
    func interrupt() { interruptionCount.wrappingAdd(1, ordering: .relaxed) }

    func endInterruption() { interruptionCount.wrappingSubtract(1, ordering: .relaxed) }
}

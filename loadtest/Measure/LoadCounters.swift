import Synchronization

/// What the main thread and the workers tell one another while a run goes on.
final class LoadCounters: Sendable {
    let sent = Atomic<Int>(0)
    let acknowledged = Atomic<Int>(0)
    let overrun = Atomic<Int>(0)
    let reconnects = Atomic<Int>(0)
    let readyWorkers = Atomic<Int>(0)
    let finishedWorkers = Atomic<Int>(0)
    /// Monotonic ns; 0: not yet.
    let startNanoseconds = Atomic<UInt64>(0)
    /// Set by Ctrl-C or by a worker that failed: stop sending, wait for what is in flight.
    let isStopping = Atomic<Bool>(false)

    func add(_ delta: Int, to counter: borrowing Atomic<Int>) {
        if delta != 0 { counter.wrappingAdd(delta, ordering: .relaxed) }
    }
}

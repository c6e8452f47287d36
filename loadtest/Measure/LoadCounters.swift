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

    /// When the fleet had sent everything: probes are due up to then. Monotonic ns; 0: not yet.
    let probingEndNanoseconds = Atomic<UInt64>(0)

    /// Blocking; 0 when the run never starts.
    func waitForStart() -> UInt64 {
        while startNanoseconds.load(ordering: .acquiring) == 0, !isStopping.load(ordering: .relaxed) {
            Clock.sleep(nanoseconds: 500_000)
        }
        return startNanoseconds.load(ordering: .acquiring)
    }

    func add(_ delta: Int, to counter: borrowing Atomic<Int>) {
        if delta != 0 { counter.wrappingAdd(delta, ordering: .relaxed) }
    }
}

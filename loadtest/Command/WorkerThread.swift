import Glibc
import Synchronization

/// A thread with a result. The work blocks in poll(2), which must not hold a thread of the cooperative pool.
final class WorkerThread<Result: Sendable>: Sendable {
    private let thread: pthread_t
    private let box: Box

    private final class Box: Sendable {
        let work: @Sendable () -> Result
        let result = Mutex<Result?>(nil)
        init(_ work: @escaping @Sendable () -> Result) { self.work = work }
        func run() {
            let value = work()
            result.withLock { $0 = value }
        }
    }

    init(_ work: @escaping @Sendable () -> Result) {
        let box = Box(work)
        self.box = box
        let run: @Sendable () -> Void = { box.run() }
        var thread = pthread_t()
        let context = Unmanaged.passRetained(Entry(run)).toOpaque()
        let status = pthread_create(
            &thread, nil,
            { context in
                Unmanaged<Entry>.fromOpaque(context!).takeRetainedValue().run()
                return nil
            }, context)
        precondition(status == 0, "pthread_create: \(Socket.errorText(status))")
        self.thread = thread
    }

    /// Waits for the end; once only.
    func join() -> Result {
        pthread_join(thread, nil)
        return box.result.withLock { $0! }
    }
}

/// What a C function pointer, which cannot be generic, starts.
private final class Entry {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

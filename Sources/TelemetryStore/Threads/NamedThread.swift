import Glibc
import Synchronization

/// A thread of our own for work that blocks: fsync never runs on the cooperative pool.
final class NamedThread: Sendable {
    private let handle: pthread_t
    private let isJoined = Atomic(false)

    /// - Parameter name: at most 15 bytes, shown by `top -H` and in core dumps.
    init(name: String, _ body: @escaping @Sendable () -> Void) {
        let context = Unmanaged.passRetained(Start(name: name, body: body))
        var handle = pthread_t()
        let result = pthread_create(
            &handle, nil,
            { argument in
                let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                setCurrentThreadName(start.name)
                start.body()
                return nil
            }, context.toOpaque())
        precondition(result == 0, "cannot start thread \(name): error \(result)")
        self.handle = handle
    }

    /// Waits for the thread's end; to be called once at most. A thread that nobody joins gives its stack back by itself when it ends.
    func join() {
        isJoined.store(true, ordering: .sequentiallyConsistent)
        pthread_join(handle, nil)
    }

    deinit {
        if !isJoined.load(ordering: .sequentiallyConsistent) { pthread_detach(handle) }
    }

    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
}

/// `pthread_setname_np` is a GNU extension that Glibc's module does not show; the kernel takes the name from this file as well.
private func setCurrentThreadName(_ name: String) {
    let descriptor = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = write(descriptor, name, name.utf8.count)
    close(descriptor)
}

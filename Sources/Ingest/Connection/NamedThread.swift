import Glibc

/// A thread with a name, for work that blocks.
final class NamedThread: Sendable {
    struct StartFailure: Error, CustomStringConvertible {
        let description: String
    }

    private let finished = Signal()

    /// - Parameter name: at most 15 bytes, as the kernel shows it.
    init(name: String, body: @escaping @Sendable () -> Void) throws(StartFailure) {
        let finished = finished
        let start = Unmanaged.passRetained(
            ThreadStart {
                setCurrentThreadName(name)
                body()
                finished.set()
            })
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, { runThread($0) }, start.toOpaque())
        guard code == 0 else {
            start.release()
            throw StartFailure(description: "cannot start the thread \(name): \(String(cString: strerror(code)))")
        }
        pthread_detach(thread)
    }

    var isFinished: Bool { finished.isSet }

    /// - Returns: whether the thread's work is over.
    func join(for time: Duration) -> Bool { finished.wait(for: time) }
}

private final class ThreadStart: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

private func runThread(_ start: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let start else { return nil }
    Unmanaged<ThreadStart>.fromOpaque(start).takeRetainedValue().body()
    return nil
}

/// `pthread_setname_np` is a GNU extension that Glibc's module does not show; the kernel takes the name from this file as well.
private func setCurrentThreadName(_ name: String) {
    let descriptor = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = write(descriptor, name, name.utf8.count)
    close(descriptor)
}

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A value behind a lock. A pthread mutex and not `Synchronization.Mutex`, whose locking the thread sanitizer does not see.
///
/// `@unchecked Sendable`: the value is touched under the lock only.
package final class Guarded<Value>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private var content: Value

    package init(_ value: Value) {
        content = value
        precondition(pthread_mutex_init(mutex, nil) == 0)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    package func withLock<R, E: Error>(_ body: (inout Value) throws(E) -> R) throws(E) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&content)
    }

    package var value: Value {
        get { withLock { $0 } }
        set { withLock { $0 = newValue } }
    }
}

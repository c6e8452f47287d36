import Glibc

/// A lock with a condition: state that threads wait on.
///
/// `@unchecked Sendable`: a pthread mutex and condition are made to be shared; what they guard is the owner's business.
final class Monitor: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        precondition(pthread_mutex_init(mutex, nil) == 0)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        precondition(pthread_cond_init(condition, &attributes) == 0)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func locked<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }

    /// Caller holds the lock. May wake without cause: wait in a loop.
    func waitLocked() { pthread_cond_wait(condition, mutex) }

    /// Caller holds the lock.
    /// - Returns: false when the time is over.
    func waitLocked(until deadline: MonotonicTime) -> Bool {
        var time = timespec(tv_sec: deadline.nanoseconds / 1_000_000_000, tv_nsec: deadline.nanoseconds % 1_000_000_000)
        return pthread_cond_timedwait(condition, mutex, &time) == 0
    }

    func wakeAll() { pthread_cond_broadcast(condition) }
    func wakeOne() { pthread_cond_signal(condition) }
}

/// A point on the clock that never jumps; for waits and measurements, never stored.
struct MonotonicTime: Comparable, Sendable {
    var nanoseconds: Int

    static func now() -> MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: time.tv_sec * 1_000_000_000 + time.tv_nsec)
    }

    static func < (a: MonotonicTime, b: MonotonicTime) -> Bool { a.nanoseconds < b.nanoseconds }
    func adding(microseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: nanoseconds + Int(microseconds) * 1_000) }
}

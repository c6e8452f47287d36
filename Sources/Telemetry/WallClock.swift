import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Where the product reads the time of day. Injected, so that tests move hours in microseconds.
package protocol WallClock: Sendable {
    /// Current time. May jump either way; no ordering depends on it.
    func now() -> Timestamp
}

package struct SystemClock: WallClock {
    package init() {}

    package func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }
}

/// A clock that stands still until it is moved.
package final class ManualClock: WallClock {
    private let current: Mutex<Timestamp>

    package init(_ start: Timestamp) { current = Mutex(start) }

    package func now() -> Timestamp { current.withLock { $0 } }
    package func advance(by span: TimeSpan) { current.withLock { $0 = $0 + span } }
    package func set(to time: Timestamp) { current.withLock { $0 = time } }
}

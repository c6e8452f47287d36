#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Where the product reads the time of day. Injected, so that tests move hours in microseconds.
package protocol WallClock: Sendable {
    /// Current time. May jump either way; no ordering depends on it.
    func now() -> Timestamp
    /// Time since some moment in the past, asleep or awake. Never jumps.
    func uptime() -> TimeSpan
}

package struct SystemClock: WallClock {
    package init() {}

    package func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }

    package func uptime() -> TimeSpan {
        var time = timespec()
        #if canImport(Glibc)
            clock_gettime(CLOCK_BOOTTIME, &time)
        #else
            clock_gettime(CLOCK_MONOTONIC, &time)
        #endif
        return TimeSpan(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }
}

/// A clock that stands still until it is moved.
package final class ManualClock: WallClock {
    private let current: Guarded<(wall: Timestamp, uptime: TimeSpan)>

    package init(_ start: Timestamp) { current = Guarded((start, .zero)) }

    package func now() -> Timestamp { current.withLock { $0.wall } }
    package func uptime() -> TimeSpan { current.withLock { $0.uptime } }

    /// Time goes by; a negative span puts the clock back.
    package func advance(by span: TimeSpan) {
        current.withLock { $0 = ($0.wall + span, TimeSpan(microseconds: $0.uptime.microseconds + max(0, span.microseconds))) }
    }

    /// Puts the clock to another time, in no time.
    package func set(to time: Timestamp) { current.withLock { $0.wall = time } }
}

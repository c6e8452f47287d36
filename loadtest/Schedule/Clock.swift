import Glibc

/// The two clocks of a run: latencies are measured on the monotonic one, readings are stamped with the wall clock.
enum Clock {
    /// Nanoseconds of CLOCK_MONOTONIC, comparable between processes of one machine.
    static func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Microseconds since the Unix epoch.
    static func epochMicroseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }

    static func sleep(nanoseconds: UInt64) {
        var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        // A signal cuts the sleep short; every caller looks at the clock again.
        nanosleep(&time, nil)
    }
}

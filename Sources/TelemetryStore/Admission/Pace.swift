import Telemetry

/// A rate with a burst: the generic cell rate algorithm, a token bucket whose whole state is one time.
///
/// The state is the time until which the rate is used up. A reading moves it on by `interval`; it may run ahead of the clock by
/// `tolerance`, which is the burst. A state in the past is a full bucket, however old.
struct Pace: Equatable {
    /// Nanoseconds from one reading to the next.
    let interval: Int64
    let tolerance: Int64

    /// Nil: no limit.
    init?(readingsPerSecond: Int, burst: TimeSpan) {
        guard readingsPerSecond > 0 else { return nil }
        interval = max(1, 1_000_000_000 / Int64(readingsPerSecond))
        let (nanoseconds, overflow) = burst.microseconds.multipliedReportingOverflow(by: 1_000)
        // One reading always fits into a bucket that is full.
        tolerance = max(overflow ? .max / 4 : min(nanoseconds, .max / 4), interval)
    }

    /// The state after one more reading; nil: it comes too early.
    /// - Parameter now: uptime in nanoseconds, below `Int64.max / 2`.
    @inline(__always)
    func next(after state: Int64, now: Int64) -> Int64? {
        let next = max(state, now) + interval
        return next - now <= tolerance ? next : nil
    }
}

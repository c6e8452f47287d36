import Telemetry

/// Tells a wall clock that went ahead by itself from one that was put ahead: nothing is dropped by a time that is not confirmed.
///
/// A jump is confirmed once the new time has stood for `confirmation`. Source: docs/decisions/0011-drops-wait-for-the-clock.md.
struct ClockWatch {
    /// Less than this between two passes is drift or a correction.
    private static let tolerance = TimeSpan.hours(1)
    private static let confirmation = TimeSpan.hours(1)

    private var last: (wall: Timestamp, uptime: TimeSpan)?
    /// The jump that waits: how far ahead it went, and when.
    private var pending: (span: Int64, since: TimeSpan)?

    /// Notes a pass.
    /// - Returns: true when what is expired by `wall` may be dropped.
    mutating func isConfirmed(wall: Timestamp, uptime: TimeSpan) -> Bool {
        defer { last = (wall, uptime) }
        guard let last else { return true }
        let ahead = (wall - last.wall).microseconds.subtractingReportingOverflow(uptime.microseconds &- last.uptime.microseconds)
        note(ahead: ahead.overflow ? .max : ahead.partialValue, uptime)
        if let pending, uptime.microseconds &- pending.since.microseconds >= ClockWatch.confirmation.microseconds { self.pending = nil }
        return pending == nil
    }

    private mutating func note(ahead: Int64, _ uptime: TimeSpan) {
        let tolerance = ClockWatch.tolerance.microseconds
        if ahead > tolerance {
            pending = (span: (pending?.span ?? 0).addingClamped(ahead), since: uptime)
        } else if ahead < -tolerance, let jump = pending {
            // Taken back, wholly or in part.
            let rest = jump.span.addingClamped(ahead)
            pending = rest > tolerance ? (span: rest, since: uptime) : nil
        }
    }
}

extension Int64 {
    fileprivate func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }
}

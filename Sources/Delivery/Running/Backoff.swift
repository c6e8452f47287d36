import Telemetry

/// Pauses after failures: one second, doubling to five minutes; none after a success.
struct Backoff {
    private static let shortest = TimeSpan.seconds(1)
    private static let longest = TimeSpan.minutes(5)

    private var pause = TimeSpan.zero
    private var failedAt = Timestamp.distantPast

    /// A clock that was set back must not lengthen a pause.
    func isDue(at now: Timestamp) -> Bool { now >= failedAt + pause || now < failedAt }

    mutating func fail(at now: Timestamp) {
        pause = pause == .zero ? Self.shortest : min(TimeSpan(microseconds: pause.microseconds * 2), Self.longest)
        failedAt = now
    }

    mutating func succeed() { self = Backoff() }
}

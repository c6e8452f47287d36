import Synchronization
import Telemetry

/// Time as the data tells it: the clock stands where the slowest committer is, so that windows close as they would in real life,
/// only sooner. Moved by hand once the committers are done.
final class SimulatedClock: WallClock {
    /// How far one committer is.
    private final class Hand: Sendable {
        let microseconds = Atomic<Int64>(0)
    }

    private let hands: [Hand]

    init(committers: Int, start: Timestamp) {
        hands = (0..<committers).map { _ in Hand() }
        set(to: start)
    }

    func now() -> Timestamp {
        var least = Int64.max
        for hand in hands { least = min(least, hand.microseconds.load(ordering: .relaxed)) }
        return Timestamp(microseconds: least)
    }

    /// Simulated as well: the data's clock never jumps.
    func uptime() -> TimeSpan { now() - Timestamp(microseconds: 0) }

    func move(_ committer: Int, to time: Timestamp) { hands[committer].microseconds.store(time.microseconds, ordering: .relaxed) }
    func finish(_ committer: Int) { hands[committer].microseconds.store(.max, ordering: .relaxed) }
    func set(to time: Timestamp) { for hand in hands { hand.microseconds.store(time.microseconds, ordering: .relaxed) } }
    func advance(by span: TimeSpan) { set(to: now() + span) }
}

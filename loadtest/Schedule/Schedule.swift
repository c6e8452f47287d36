/// When messages are due in open-loop mode, whatever the broker does.
///
/// Time goes in ticks: at each tick every message that fell due since the last one is sent in one burst. One write carries many
/// packets that way, and a message's scheduled time is exactly the tick's, so nothing is added to the latencies.
struct Schedule: Sendable {
    /// Messages a second of the whole fleet.
    let rate: Double
    let tickNanoseconds: UInt64

    /// Messages of the fleet due when `elapsed` nanoseconds of the run are over.
    func dueCount(elapsed: UInt64) -> Int {
        let ticks = elapsed / tickNanoseconds
        return Int(Double(ticks * tickNanoseconds) * rate / 1e9) + 1
    }

    /// Nanoseconds after the start at which a message of the fleet is due: the first tick not before k / rate.
    func dueTime(ofFleetMessage message: Int) -> UInt64 {
        let exact = UInt64(Double(message) * 1e9 / rate)
        return (exact + tickNanoseconds - 1) / tickNanoseconds * tickNanoseconds
    }

    /// The first tick after `elapsed`.
    func nextTick(after elapsed: UInt64) -> UInt64 {
        (elapsed / tickNanoseconds + 1) * tickNanoseconds
    }
}

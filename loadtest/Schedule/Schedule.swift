/// When messages of the fleet are due in open loop, whatever the broker does.
///
/// Time goes in ticks: at each tick every message that fell due since the last one is sent in one burst. One write carries many
/// packets that way, and a message's scheduled time is exactly the tick's, so nothing is added to the latencies.
struct Schedule: Sendable {
    /// A stretch of the run in which the rate goes in a straight line.
    struct Stretch: Equatable, Sendable {
        /// ns; `.infinity` for a run that ends with its count.
        var length: Double
        /// Messages a ns of the whole fleet, at the stretch's begin and end.
        var from, to: Double

        /// Messages that fall due in the first `elapsed` ns.
        func count(after elapsed: Double) -> Double {
            from == to ? from * elapsed : from * elapsed + (to - from) * elapsed * elapsed / (2 * length)
        }

        /// The inverse of `count(after:)`.
        func elapsed(atCount count: Double) -> Double {
            if from == to || count <= 0 { return max(0, count) / max(from, .leastNormalMagnitude) }
            let slope = (to - from) / length
            // The form of the quadratic's root that stays exact for small slopes.
            return 2 * count / (from + max(0, from * from + 2 * slope * count).squareRoot())
        }
    }

    enum Shape: Equatable, Sendable {
        /// One after the other.
        case stretches([Stretch])
        /// `count` messages at once every `interval` ns.
        case bursts(count: Int, interval: UInt64)
    }

    let shape: Shape
    let tickNanoseconds: UInt64

    init(shape: Shape, tickNanoseconds: UInt64) {
        self.shape = shape
        self.tickNanoseconds = tickNanoseconds
    }

    /// - Parameter rate: messages a second of the whole fleet.
    init(rate: Double, tickNanoseconds: UInt64) {
        let perNanosecond = rate / 1e9
        self.init(
            shape: .stretches([Stretch(length: .infinity, from: perNanosecond, to: perNanosecond)]), tickNanoseconds: tickNanoseconds)
    }

    /// Messages of the fleet due when `elapsed` nanoseconds of the run are over.
    func dueCount(elapsed: UInt64) -> Int {
        let time = elapsed / tickNanoseconds * tickNanoseconds
        switch shape {
        case .stretches: return Int(expectedCount(elapsed: Double(time))) + 1
        case .bursts(let count, let interval): return (Int(time / interval) + 1) * count
        }
    }

    /// Nanoseconds after the start at which a message of the fleet is due: the first tick not before its time.
    func dueTime(ofFleetMessage message: Int) -> UInt64 {
        switch shape {
        case .stretches: tick(atOrAfter: elapsed(atCount: Double(message)))
        case .bursts(let count, let interval): tick(atOrAfter: Double(UInt64(message / count) * interval))
        }
    }

    /// Messages of the fleet that fall due before the run is `length` ns old.
    func messageCount(within length: UInt64) -> Int {
        switch shape {
        case .stretches: Int(expectedCount(elapsed: Double(length)))
        case .bursts(let count, let interval): Int((length + interval - 1) / interval) * count
        }
    }

    /// The first tick after `elapsed`.
    func nextTick(after elapsed: UInt64) -> UInt64 {
        (elapsed / tickNanoseconds + 1) * tickNanoseconds
    }

    func tick(atOrAfter elapsed: Double) -> UInt64 {
        // A quotient that is whole but for rounding must not move to the next tick.
        let ticks = (elapsed / Double(tickNanoseconds) - 1e-9).rounded(.up)
        return ticks < 1e15 ? UInt64(max(0, ticks)) * tickNanoseconds : .max
    }

    /// How many messages are due after `elapsed` ns, as a real number: the integral of the rate. Not for bursts.
    func expectedCount(elapsed: Double) -> Double {
        guard case .stretches(let stretches) = shape else { return Double(dueCount(elapsed: UInt64(elapsed))) }
        var (count, rest) = (0.0, elapsed)
        for stretch in stretches {
            // What is whole but for rounding counts.
            if rest < stretch.length { return count + stretch.count(after: rest) + 1e-9 }
            count += stretch.count(after: stretch.length)
            rest -= stretch.length
        }
        return count
    }

    /// The inverse of `expectedCount`; the schedule's end for what comes after. Not for bursts.
    func elapsed(atCount count: Double) -> Double {
        guard case .stretches(let stretches) = shape else { return 0 }
        var (elapsed, rest) = (0.0, count)
        for stretch in stretches {
            let own = stretch.length.isFinite ? stretch.count(after: stretch.length) : .infinity
            if rest <= own { return elapsed + stretch.elapsed(atCount: rest) }
            elapsed += stretch.length
            rest -= own
        }
        return elapsed
    }
}

import Glibc

/// When the messages of one connection are due, one after the other. A value owned by its connection.
struct Arrivals: Sendable {
    /// Messages of the connection due so far.
    private(set) var dueCount = 0

    private let schedule: Schedule
    private let fleet: Fleet
    private let connection: Int
    /// Messages of the connection that the run may send at most.
    private let limit: Int
    private var poisson: Poisson?

    init(schedule: Schedule, fleet: Fleet, connection: Int, limit: Int, poissonSeed: UInt64?) {
        self.schedule = schedule
        self.fleet = fleet
        self.connection = connection
        self.limit = limit
        poisson = poissonSeed.map { seed in
            Poisson(
                stream: ReadingGenerator.mix(seed ^ 0x9015_5011 &+ UInt64(connection)),
                share: Double(fleet.deviceCount(on: connection)) / Double(fleet.deviceCount))
        }
    }

    /// Moves the clock on.
    mutating func advance(elapsed: UInt64) {
        if poisson != nil {
            let time = elapsed / schedule.tickNanoseconds * schedule.tickNanoseconds
            dueCount = min(limit, poisson!.dueCount(expected: schedule.expectedCount(elapsed: Double(time))))
        } else {
            dueCount = min(limit, fleet.messageCount(on: connection, ofFirst: schedule.dueCount(elapsed: elapsed)))
        }
    }

    /// Nanoseconds after the start at which a message is due; to be asked for 0, 1, 2… in turn.
    mutating func dueTime(ofNext message: Int) -> UInt64 {
        if poisson != nil { return schedule.tick(atOrAfter: schedule.elapsed(atCount: poisson!.nextSent())) }
        return schedule.dueTime(ofFleetMessage: fleet.fleetMessage(message, on: connection))
    }

    /// A Poisson process for each connection adds up to one of the fleet. It runs in expected messages instead of seconds, so that it
    /// follows any rate; two cursors walk the same random numbers, one for what is due and one for what is sent.
    private struct Poisson: Sendable {
        private struct Cursor: Sendable {
            var index: UInt64 = 0
            var position = 0.0

            mutating func advance(_ stream: UInt64) {
                position -= log(1 - UnitInterval.draw(stream, index))
                index += 1
            }
        }

        private let stream: UInt64
        private let share: Double
        private var due = Cursor()
        private var sent = Cursor()

        init(stream: UInt64, share: Double) {
            self.stream = stream
            self.share = share
            due.advance(stream)
        }

        /// - Parameter expected: messages of the whole fleet that the rate asks for by now.
        mutating func dueCount(expected: Double) -> Int {
            while due.position <= expected * share { due.advance(stream) }
            // The cursor stands at the first arrival that is not due.
            return Int(due.index) - 1
        }

        /// The next arrival, in expected messages of the fleet.
        mutating func nextSent() -> Double {
            sent.advance(stream)
            return sent.position / share
        }
    }
}

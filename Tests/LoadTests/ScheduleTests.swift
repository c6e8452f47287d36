import Testing

@testable import gaugehouse_load

@Suite("Schedules")
struct ScheduleTests {
    private static let tick: UInt64 = 1_000_000
    private static let second: UInt64 = 1_000_000_000

    private func plan(
        rate: Double? = nil, endRate: Double? = nil, burst: Burst? = nil, up: UInt64 = 0, down: UInt64 = 0, seconds: UInt64 = 10
    ) -> Plan {
        Plan(
            rate: rate, endRate: endRate, burst: burst, rampUpNanoseconds: up * Self.second, rampDownNanoseconds: down * Self.second,
            durationNanoseconds: seconds * Self.second, tickNanoseconds: Self.tick)
    }

    @Test("ramps add half of their length at full rate, and are not measured")
    func ramps() throws {
        let plan = plan(rate: 1_000, up: 4, down: 2)
        let schedule = try #require(plan.schedule)
        #expect(plan.messageLimit == 2_000 + 10_000 + 1_000)
        #expect(schedule.dueCount(elapsed: 2 * Self.second) == 501)
        #expect(schedule.dueCount(elapsed: 4 * Self.second) == 2_001)
        #expect(schedule.dueCount(elapsed: 14 * Self.second) == 12_001)
        #expect(plan.measured == 4 * Self.second..<14 * Self.second)
    }

    @Test(
        "a message is due at the first tick whose count holds it",
        arguments: [(1_000.0, nil, 4, 2), (500, 5_000, 0, 0), (5_000, 500, 1, 1), (333.3, nil, 0, 3)] as [(Double, Double?, UInt64, UInt64)]
    )
    func inverse(rate: Double, endRate: Double?, up: UInt64, down: UInt64) throws {
        let plan = plan(rate: rate, endRate: endRate, up: up, down: down)
        let schedule = try #require(plan.schedule)
        var previous: UInt64 = 0
        for message in stride(from: 0, to: plan.messageLimit, by: 3) {
            let due = schedule.dueTime(ofFleetMessage: message)
            #expect(due % Self.tick == 0 && due >= previous)
            #expect(schedule.dueCount(elapsed: due) > message)
            if due > 0 { #expect(schedule.dueCount(elapsed: due - 1) <= message) }
            previous = due
        }
        #expect(previous <= (plan.totalNanoseconds ?? 0) + Self.tick)
    }

    @Test("a rate that rises sends the mean of both ends")
    func risingRate() {
        #expect(plan(rate: 100, endRate: 900).messageLimit == 5_000)
    }

    @Test("bursts come whole, at their interval")
    func bursts() throws {
        let plan = plan(burst: Burst(argument: "500@2s"))
        let schedule = try #require(plan.schedule)
        #expect(plan.messageLimit == 2_500)
        #expect(schedule.dueCount(elapsed: 0) == 500)
        #expect(schedule.dueCount(elapsed: 1_999_999_999) == 500)
        #expect(schedule.dueCount(elapsed: 2 * Self.second) == 1_000)
        #expect(schedule.dueTime(ofFleetMessage: 499) == 0)
        #expect(schedule.dueTime(ofFleetMessage: 500) == 2 * Self.second)
    }

    @Test("what is no burst", arguments: ["", "5", "@1s", "0@1s", "5@", "5@0s", "a@1s", "5@1s@1s"])
    func badBurst(text: String) { #expect(Burst(argument: text) == nil) }

    /// Arrivals of all connections of a Poisson run, as (due time, connection).
    private func arrivals(seed: UInt64, connections: Int, seconds: UInt64) throws -> [[UInt64]] {
        let fleet = Fleet(deviceCount: 90, connectionCount: connections)
        let schedule = try #require(plan(rate: 2_000, seconds: seconds).schedule)
        return (0..<connections).map { connection in
            var process = Arrivals(schedule: schedule, fleet: fleet, connection: connection, limit: .max, poissonSeed: seed)
            var times: [UInt64] = []
            for elapsed in stride(from: UInt64(0), through: seconds * Self.second, by: Int(Self.tick)) {
                process.advance(elapsed: elapsed)
                while times.count < process.dueCount {
                    let due = process.dueTime(ofNext: times.count)
                    // Neither late nor early, but for rounding at the edge of a tick.
                    #expect(due <= elapsed + Self.tick && due + Self.tick >= elapsed)
                    times.append(due)
                }
            }
            return times
        }
    }

    @Test("Poisson arrivals have the rate as mean and as variance, and come the same from one seed", arguments: [1, 7] as [UInt64])
    func poisson(seed: UInt64) throws {
        let seconds: UInt64 = 30
        let times = try arrivals(seed: seed, connections: 3, seconds: seconds)
        let all = times.flatMap(\.self)
        // 60 000 expected, standard deviation 245.
        #expect((58_500...61_500).contains(all.count), "seed \(seed)")
        var counts = [Double](repeating: 0, count: Int(seconds) * 10)
        for time in all where time < seconds * Self.second { counts[Int(time / 100_000_000)] += 1 }
        let mean = counts.reduce(0, +) / Double(counts.count)
        let variance = counts.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(counts.count)
        #expect((0.7...1.4).contains(variance / mean), "seed \(seed)")
        #expect(try arrivals(seed: seed, connections: 3, seconds: 1) == arrivals(seed: seed, connections: 3, seconds: 1))
        #expect(try arrivals(seed: seed, connections: 3, seconds: 1) != arrivals(seed: seed + 1, connections: 3, seconds: 1))
    }
}

@Suite("Messages of a connection")
struct MessageFeedTests {
    private func options(_ description: RunDescription, rate: Double) -> LoadOptions {
        LoadOptions(
            host: "", port: 1, description: description,
            plan: Plan(rate: rate, durationNanoseconds: 10_000_000_000, tickNanoseconds: 1_000_000), topic: TopicTemplate("{device}")!,
            qualityOfService: 1, window: 10, threadCount: 1, reconnects: false, drainNanoseconds: 0, keepAliveSeconds: 0,
            keepsAcknowledged: true)
    }

    private let description = RunDescription(
        run: "r", prefix: "d-", devices: 2, connections: 1, seed: 5, payloadSize: 0, startTime: 1_000_000)

    @Test("a stall is charged to every message that was due in it, from the time it was due")
    func coordinatedOmission() {
        let options = options(description, rate: 1_000)
        var feed = MessageFeed(connection: 0, options: options)
        var recorder = AckRecorder(options: options, ledger: nil)
        let start: UInt64 = 5_000_000_000
        recorder.begin(start: start)
        // The broker takes nothing for a second; then everything that was due goes out and is answered at once.
        feed.advance(elapsed: 1_000_000_000)
        feed.noteOverrun()
        #expect(feed.dueCount == 1_001)
        let now = start + 1_000_000_000
        while feed.hasDue {
            let message = feed.take(wallTime: 2_000_000, start: start, now: now)
            #expect(message.startNanoseconds == start + UInt64(message.number) * 1_000_000)
            recorder.record(message, of: feed.stream, now: now)
        }
        #expect(feed.overrunCount == 1_001)
        let latency = LatencyReport(recorder.latency)
        #expect(latency?.count == 1_001)
        #expect((999_000...1_001_000).contains(latency?.max ?? 0))
        #expect((499_000...502_000).contains(latency?.p50 ?? 0))
    }

    @Test("what is due before or after the measured part is in no percentile, and in its second of the series")
    func rampsAreExcluded() {
        var options = options(description, rate: 10)
        options.plan.rampUpNanoseconds = 1_000_000_000
        options.plan.durationNanoseconds = 1_000_000_000
        var recorder = AckRecorder(options: options, ledger: nil)
        let stream = MessageStream(description: description, encoder: options.encoder, connection: 0)
        recorder.begin(start: 100)
        for (second, latency) in [(UInt64(0), UInt64(9_000_000)), (1, 5_000_000), (2, 7_000_000)] {
            let due = 100 + second * 1_000_000_000
            let message = InFlightMessage(number: Int(second), time: 1_000_000, startNanoseconds: due, step: 1, isRepeat: false)
            recorder.record(message, of: stream, now: due + latency)
        }
        #expect(recorder.count == 3 && recorder.measuredCount == 1)
        #expect(LatencyReport(recorder.latency)?.count == 1)
        #expect((4_990...5_010).contains(LatencyReport(recorder.latency)?.max ?? 0))
        let seconds = SecondReport.list(recorder.series)
        #expect(seconds.map(\.acknowledged) == [1, 1, 1])
        for (second, expected) in zip(seconds, [9_000.0, 5_000, 7_000]) {
            #expect(abs(Double(second.max ?? 0) - expected) / expected < 0.04)
        }
    }

    @Test("times of a device rise strictly over messages of several readings, late ones never meet another", arguments: Dialect.allCases)
    func times(dialect: Dialect) {
        var description = description
        description.dialect = dialect
        description.readingsPerMessage = dialect.allowsSeveralReadings ? 10 : 1
        description.faults = Faults(lateFraction: 0.3, lateBy: 60_000_000)
        let encoder = PayloadEncoder(
            dialect: dialect, generator: description.generator, naming: description.naming, fleet: description.fleet, template: nil)
        var stream = MessageStream(description: description, encoder: encoder, connection: 0)
        var seen: [Int: Set<Int64>] = [:]
        var newest: [Int: Int64] = [:]
        var lateCount = 0
        for turn in 0..<400 {
            // Each device sends every ten seconds, so that a reading that is a minute late would meet an earlier one. Now and then the
            // clock stands still.
            let taken = stream.take(wallTime: 100_000_000 + Int64(turn / 2 - turn % 7 / 6) * 10_000_000)
            let readings = stream.readings(of: taken.number, time: taken.time, step: taken.step)
            let isLate = description.isLate(device: readings.device, sequence: readings.sequence)
            lateCount += isLate ? 1 : 0
            for index in 0..<readings.count {
                let time = readings.time(of: index)
                #expect(time % dialect.granularity == 0)
                #expect(seen[readings.device, default: []].insert(time).inserted)
                if !isLate {
                    #expect(time > newest[readings.device] ?? 0)
                    newest[readings.device] = time
                }
                #expect(time >= description.startTime - description.faults.lateBy)
            }
            if isLate { #expect(taken.time - readings.time >= 50_000_000) }
        }
        #expect((60...180).contains(lateCount))
    }

    @Test("faults fall on their share of messages, the same from one seed")
    func faultShares() {
        let faults = Faults(lateFraction: 0.25, duplicateFraction: 0.1, badFraction: 0.01, lateBy: 1)
        func count(_ isFaulty: (Int) -> Bool) -> Int { (0..<20_000).count(where: isFaulty) }
        #expect((4_700...5_300).contains(count { faults.isLate(seed: 3, device: 4, message: $0) }))
        #expect((1_800...2_200).contains(count { faults.isDuplicated(seed: 3, device: 4, message: $0) }))
        #expect((150...250).contains(count { faults.isBad(seed: 3, device: 4, message: $0) }))
        #expect(count { Faults().isBad(seed: 3, device: 4, message: $0) } == 0)
        let draws = { (seed: UInt64) in (0..<200).map { faults.isLate(seed: seed, device: 4, message: $0) } }
        #expect(draws(3) == draws(3) && draws(3) != draws(4))
    }
}

import Testing

@testable import gaugehouse_load

@Suite("Fleet and schedule")
struct FleetTests {
    @Test("every fleet message belongs to exactly one connection, and translates back", arguments: [(1, 1), (7, 3), (10, 10), (5, 2)])
    func numbering(devices: Int, connections: Int) {
        let fleet = Fleet(deviceCount: devices, connectionCount: connections)
        #expect((0..<connections).map(fleet.deviceCount(on:)).reduce(0, +) == devices)
        for total in 0..<(4 * devices) {
            let shares = (0..<connections).map { fleet.messageCount(on: $0, ofFirst: total) }
            #expect(shares.reduce(0, +) == total)
            let seen = (0..<connections).flatMap { connection in
                (0..<shares[connection]).map { fleet.fleetMessage($0, on: connection) }
            }
            #expect(Set(seen) == Set(0..<total))
        }
    }

    @Test("a device's reading count follows from its connection's message count")
    func readingCount() {
        let fleet = Fleet(deviceCount: 7, connectionCount: 3)
        for sent in 0..<20 {
            var counts = [Int: Int]()
            for message in 0..<sent { counts[fleet.reading(of: message, on: 1).device, default: 0] += 1 }
            for device in stride(from: 1, to: 7, by: 3) {
                #expect(fleet.readingCount(device: device, connectionMessageCount: sent) == counts[device, default: 0])
            }
        }
    }

    @Test("what is due at a tick is what was scheduled up to it")
    func schedule() {
        let schedule = Schedule(rate: 2_500, tickNanoseconds: 1_000_000)
        #expect(schedule.dueCount(elapsed: 0) == 1)
        #expect(schedule.dueCount(elapsed: 999_999) == 1)
        #expect(schedule.dueCount(elapsed: 1_000_000) == 3)
        #expect(schedule.dueCount(elapsed: 1_000_000_000) == 2_501)
        for message in 0..<5_000 {
            let due = schedule.dueTime(ofFleetMessage: message)
            #expect(due % 1_000_000 == 0)
            #expect(schedule.dueCount(elapsed: due) > message)
            if due > 0 { #expect(schedule.dueCount(elapsed: due - 1) <= message) }
        }
    }

    @Test("a slow rate waits whole seconds between messages")
    func slowSchedule() {
        let schedule = Schedule(rate: 0.5, tickNanoseconds: 1_000_000)
        #expect(schedule.dueTime(ofFleetMessage: 3) == 6_000_000_000)
        #expect(schedule.dueCount(elapsed: 5_999_000_000) == 3)
        #expect(schedule.nextTick(after: 1_500_000) == 2_000_000)
    }
}

import Testing

@testable import gaugehouse_load

@Suite("Verification of one device")
struct DeviceVerifierTests {
    private let description = RunDescription(
        run: "r", prefix: "d-", devices: 10, connections: 2, seed: 5, payloadSize: 0, startTime: 1_000)
    private let device = 4

    private func row(_ sequence: Int, time: Int64? = nil) -> DeviceVerifier.Row {
        let time = time ?? 1_000 + Int64(sequence) * 10
        return DeviceVerifier.Row(time: time, fields: description.generator.expectedFields(device: device, sequence: sequence, time: time))
    }

    private func verify(acknowledged: [Int], sentCount: Int?, rows: [DeviceVerifier.Row]) -> DeviceVerifier {
        let readings = acknowledged.map { AcknowledgedReading(device: UInt32(device), sequence: UInt32($0), time: 1_000 + Int64($0) * 10) }
        var verifier = DeviceVerifier(
            device: device, description: description, generator: description.generator, acknowledged: readings[...], sentCount: sentCount)
        rows.forEach { verifier.add($0) }
        verifier.finish()
        return verifier
    }

    private func isEqual(_ verifier: DeviceVerifier) -> Bool { verifier.isEqual }

    @Test("acknowledged and readable are equal")
    func equal() {
        #expect(isEqual(verify(acknowledged: [0, 1, 2], sentCount: 3, rows: (0...2).map { row($0) })))
        #expect(isEqual(verify(acknowledged: [], sentCount: 0, rows: [])))
    }

    @Test("sent and unacknowledged readings may be readable or not")
    func unacknowledged() {
        #expect(isEqual(verify(acknowledged: [1], sentCount: 4, rows: (0...3).map { row($0) })))
        #expect(isEqual(verify(acknowledged: [1], sentCount: 4, rows: [row(1)])))
        #expect(isEqual(verify(acknowledged: [1], sentCount: nil, rows: [row(1), row(9)])))
    }

    @Test("each missing reading is found, at the start, in the middle, at the end")
    func missing() {
        #expect(verify(acknowledged: [0, 1, 2, 3, 4], sentCount: 5, rows: [row(1), row(3)]).missing.map(\.sequence) == [0, 2, 4])
        #expect(verify(acknowledged: [0], sentCount: 1, rows: []).missingDifferences.map(\.kind) == [.missing])
    }

    @Test("a row twice, a sequence twice and rows out of order are duplicates")
    func duplicates() {
        #expect(verify(acknowledged: [0], sentCount: 1, rows: [row(0), row(0)]).differences.map(\.kind) == [.duplicate])
        #expect(verify(acknowledged: [0], sentCount: 2, rows: [row(0), row(0, time: 1_005)]).differences.map(\.kind) == [.duplicate])
        let swapped = verify(acknowledged: [0, 1], sentCount: 2, rows: [row(1), row(0)])
        #expect(swapped.differences.map(\.kind) == [.duplicate])
    }

    @Test("a reading nobody sent is invented")
    func invented() {
        #expect(verify(acknowledged: [0], sentCount: 1, rows: [row(0), row(1)]).differences.map(\.kind) == [.invented])
        let nameless = DeviceVerifier.Row(time: 1_500, fields: ["temperature": .double(1)])
        #expect(verify(acknowledged: [0], sentCount: 1, rows: [row(0), nameless]).differences.map(\.kind) == [.invented])
    }

    @Test("a wrong time and every wrong, absent or additional value is found")
    func wrong() {
        #expect(verify(acknowledged: [0], sentCount: 1, rows: [row(0, time: 1_001)]).differences.map(\.kind) == [.wrongTime])
        var changed = row(0)
        changed.fields["battery"] = .double(3.5)
        changed.fields["status"] = nil
        changed.fields["pressure"] = .integer(1)
        let verifier = verify(acknowledged: [0], sentCount: 1, rows: [changed])
        #expect(verifier.differences.map(\.kind) == [.wrongValue, .wrongValue, .wrongValue])
        #expect(verifier.missing.isEmpty)
    }

    @Test("a double may be printed without its point, an integer may not gain one")
    func numbers() {
        #expect(JSONValue.integer(21).matches(.double(21)))
        #expect(!JSONValue.double(21).matches(.integer(21)))
        #expect(!JSONValue.string("21").matches(.integer(21)))
    }

    // MARK: Late, bad and several readings

    /// Two readings a message, of which a third is late and a fifth bad.
    private var faulty: RunDescription {
        var description = description
        description.readingsPerMessage = 2
        description.faults = Faults(lateFraction: 0.33, badFraction: 0.2, lateBy: 500_000)
        return description
    }

    private func faultyReadings() -> [AcknowledgedReading] {
        (0..<100).filter { !faulty.isBad(device: device, sequence: $0) }.map { sequence in
            let isLate = faulty.isLate(device: device, sequence: sequence)
            let time = 1_000_000 + Int64(sequence) * 10 - (isLate ? 500_003 : 0)
            return AcknowledgedReading(device: UInt32(device), sequence: UInt32(sequence), time: time)
        }
    }

    private func verify(_ acknowledged: [AcknowledgedReading], shown: [AcknowledgedReading]) -> DeviceVerifier {
        var verifier = DeviceVerifier(
            device: device, description: faulty, generator: faulty.generator, acknowledged: acknowledged[...], sentCount: 100)
        for reading in shown.sorted(by: { $0.time < $1.time }) { verifier.add(row(Int(reading.sequence), time: reading.time)) }
        verifier.finish()
        return verifier
    }

    @Test("late readings come before the others and are no duplicates")
    func lateReadings() {
        let readings = faultyReadings()
        #expect(readings.count < 95 && readings.contains { $0.time < 900_000 })
        #expect(isEqual(verify(readings, shown: readings)))
    }

    @Test("a late reading that is missing, twice or at its original time is found")
    func wrongLateReadings() throws {
        let readings = faultyReadings()
        let late = try #require(readings.firstIndex { $0.time < 900_000 })
        var shown = readings
        shown.remove(at: late)
        #expect(verify(readings, shown: shown).missing == [readings[late]])
        var again = readings[late]
        again.time += 1
        #expect(verify(readings, shown: readings + [again]).differences.map(\.kind) == [.duplicate])
        shown.append(AcknowledgedReading(device: UInt32(device), sequence: readings[late].sequence, time: readings[late].time + 1))
        #expect(verify(readings, shown: shown).differences.map(\.kind) == [.wrongTime])
    }

    @Test("what a bad message would have said is invented")
    func badMessage() throws {
        let bad = try #require((0..<100).first { faulty.isBad(device: device, sequence: $0) })
        let shown = AcknowledgedReading(device: UInt32(device), sequence: UInt32(bad), time: 5_000_000)
        #expect(verify(faultyReadings(), shown: faultyReadings() + [shown]).differences.map(\.kind) == [.invented])
    }

    @Test("a line's fields are known with their measurement before them, SenML's numbers as doubles, a meter without its times")
    func dialects() {
        func differences(_ dialect: Dialect, _ fields: (Int) -> [String: JSONValue]) -> [Difference.Kind] {
            var description = description
            description.dialect = dialect
            let acknowledged = (0..<3).map { AcknowledgedReading(device: UInt32(device), sequence: UInt32($0), time: Int64($0)) }
            var verifier = DeviceVerifier(
                device: device, description: description, generator: description.generator, acknowledged: acknowledged[...], sentCount: 3)
            // Untimed readings get other times than the ledger's.
            for sequence in 0..<3 { verifier.add(.init(time: Int64(sequence) + (dialect.isTimed ? 0 : 77), fields: fields(sequence))) }
            verifier.finish()
            return verifier.differences.map(\.kind) + verifier.missingDifferences.map(\.kind)
        }
        let generator = description.generator
        let plain = { (sequence: Int) in generator.expectedFields(device: device, sequence: sequence, time: 0) }
        #expect(differences(.csv, plain) == [])
        #expect(
            differences(.lineProtocol) { sequence in
                Dictionary(uniqueKeysWithValues: plain(sequence).map { ("environment.\($0.key)", $0.value) })
            } == [])
        #expect(differences(.lineProtocol) { plain($0).merging(["host": .string("d-4")]) { a, _ in a } } == [])
        #expect(differences(.csv) { plain($0).merging(["host": .string("d-4")]) { a, _ in a } } == [.wrongValue, .wrongValue, .wrongValue])
        let doubles = { (sequence: Int) in
            plain(sequence).mapValues { if case .integer(let value) = $0 { JSONValue.double(Double(value)) } else { $0 } }
        }
        #expect(differences(.senml, doubles) == [] && differences(.senml, plain) == [])
        #expect(!differences(.json, doubles).isEmpty)
        let energy = { (sequence: Int) in
            ["energy": JSONValue.double(Double(generator.energyHundredths(device: device, sequence: sequence)) / 100)]
        }
        #expect(differences(.value, energy) == [])
        #expect(differences(.value) { energy($0 == 1 ? 2 : $0) } == [.duplicate, .missing])
    }
}

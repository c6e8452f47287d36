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

    private func isEqual(_ verifier: DeviceVerifier) -> Bool { verifier.missing.isEmpty && verifier.differences.isEmpty }

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
}

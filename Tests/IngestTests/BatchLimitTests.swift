import Dialects
import Telemetry
import TelemetryStore
import Testing

@testable import Ingest

/// When a batch takes no further message.
@Suite struct BatchLimitTests {
    private let path = CommitPath(
        assignMissingTimes: { _ in }, commit: { (_, _) throws(StoreError) in throw StoreError(.closed, "no store") },
        note: { _ in nil }, noteSources: { _ in [] }, tables: [("telemetry", TableNumber(0))])

    private func intake(_ format: PayloadFormat) throws -> MessageIntake {
        var subscription = SubscriptionOptions(filter: "#", topic: "#", table: "telemetry")
        subscription.dialect = DialectOptions(format: format)
        return MessageIntake(routes: [try TopicRoute(subscription, path: path)], clock: SystemClock())
    }

    /// A device with a long list of types, of which each new one writes the whole note again.
    @Test func notesCountTogether() throws {
        var intake = try intake(.homie)
        let properties = (0..<3_000).map { "\"p\($0)\(String(repeating: "x", count: 249 - "\($0)".utf8.count))\":{\"datatype\":\"float\"}" }
        let description = "{\"nodes\":{\"n\":{\"properties\":{\(properties.joined(separator: ","))}}}}"
        for device in 0..<20 {
            let isFull = intake.receive("homie/5/d\(device)/$description", description)
            let rejected = intake.rejected.count
            #expect(!isFull && rejected == 0)
            _ = intake.commit()
        }
        // 3 000 names of 252 bytes and one of 3, with two bytes of length and one of type each; 3 bytes before them. The sixth is too much.
        let bound = 3_000 * 255 + 6 + 3
        #expect(5 * bound < 4 << 20 && 6 * bound > 4 << 20)
        var wasFull: [Bool] = []
        for device in 0..<5 { wasFull.append(intake.receive("homie/5/d\(device)/n/x/$datatype", "integer")) }
        // The same note again adds what is new in it, and nothing else.
        for number in 0..<50 { wasFull.append(intake.receive("homie/5/d0/n/\(number)/$datatype", "integer")) }
        #expect(wasFull.count == 55 && !wasFull.contains(true))
        let isFull = intake.receive("homie/5/d5/n/x/$datatype", "integer")
        #expect(isFull)
        let notes = intake.commit()
        #expect(notes.map(\.bytes.count).sorted() == [Int](repeating: bound - 1, count: 5) + [bound - 1 + 10 * 5 + 40 * 6])
        let isFullAgain = intake.receive("homie/5/d6/n/x/$datatype", "integer")
        #expect(!isFullAgain)
        intake.abandon()
        let forgotten = intake.commit()
        #expect(forgotten.isEmpty)
    }
}

extension MessageIntake {
    /// - Returns: whether the batch is full.
    fileprivate mutating func receive(_ topic: String, _ payload: String) -> Bool {
        let (topic, payload) = (Array(topic.utf8), Array(payload.utf8))
        topic.withUnsafeBytes { topic in
            payload.withUnsafeBytes { receive(topic: topic, payload: $0, packetID: 1, isRetained: false) }
        }
        return isFull
    }

    fileprivate mutating func commit() -> [DialectEffects.Note] {
        defer { removeAll() }
        return takeEffects().notes
    }
}

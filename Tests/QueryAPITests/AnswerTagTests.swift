import Foundation
import HTTPTypes
import Telemetry
import TelemetryStore
import Testing

@testable import QueryAPI

/// What a tag of an answer stands for beyond its query.
@Suite struct AnswerTagTests {
    private static let now = TestBed.now

    private static func tag(ttl: TimeSpan, at directory: URL, commits: Int = 0) throws -> AnswerTag {
        var table = TableOptions(name: "telemetry")
        table.ttl = ttl
        let store = try TelemetryStore.open(options: StoreOptions(path: directory.path), tables: [table], clock: ManualClock(now))
        for number in 0..<commits {
            var batch = ReadingBatch()
            batch.append(Reading(device: "d", time: now - .seconds(Int64(number)), fields: ["x": .integer(1)]), table: 0)
            _ = try store.commit(&batch)
        }
        let tag = AnswerTag(store: store, table: store.tables[0], query: QueryHash())
        try store.close()
        return tag
    }

    /// The operator gives values a longer life and starts the gateway again: more is shown, without a commit.
    @Test func itHoldsForOneTimeToLiveAlone() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("tags-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let first = try Self.tag(ttl: .hours(1), at: directory, commits: 1)
        let again = try Self.tag(ttl: .hours(1), at: directory)
        let longer = try Self.tag(ttl: .hours(2), at: directory)
        let later = try Self.tag(ttl: .hours(1), at: directory, commits: 1)
        let text = first.text(expiry: Self.now + .minutes(1))
        #expect(again.notModified(for: text, now: Self.now)?.headers[.eTag] == text)
        #expect(longer.notModified(for: text, now: Self.now) == nil)
        #expect(later.notModified(for: text, now: Self.now) == nil)
        #expect(again.notModified(for: text, now: Self.now + .minutes(1)) == nil)
    }
}

import Dialects
import Ingest
import Telemetry
import Testing

@Suite struct ExplanationTests {
    private let subscriptions = [
        SubscriptionOptions(filter: "devices/+/telemetry", topic: "devices/{device}/telemetry", table: "telemetry"),
        SubscriptionOptions(filter: "sites/#", topic: "sites/{site}/{device}/#", table: "sites"),
    ]

    private func explain(_ topic: String, _ payload: String) throws -> Explanation.Outcome {
        try Explanation(topic: topic, payload: Array(payload.utf8), subscriptions: subscriptions, tables: ["telemetry", "sites"]).outcome
    }

    @Test func aMessageIsExplainedByTheReadingsItMakes() throws {
        let time = Timestamp(microseconds: 1_764_000_000_000_000)
        let first = try explain("devices/d1/telemetry", #"[{"ts":1764000000,"a":1},{"a":2}]"#)
        #expect(
            first
                == .readings(
                    table: "telemetry",
                    [
                        Reading(device: "d1", time: time, fields: ["a": .integer(1)]),
                        Reading(device: "d1", time: nil, fields: ["a": .integer(2)]),
                    ]))
        let second = try explain("sites/north/d2/x/y", #"{"a":1}"#)
        let fields: [String: FieldValue] = ["a": .integer(1), "site": .string("north")]
        #expect(second == .readings(table: "sites", [Reading(device: "d2", time: nil, fields: fields)]))
    }

    @Test func otherwiseByTheReason() throws {
        #expect(try explain("elsewhere", "{}") == .rejected(Rejection(.unmatchedTopic, "the topic fits no subscription's template")))
        #expect(try explain("devices/d1/telemetry", "") == .ignored("an empty payload says nothing"))
        guard case .rejected(let rejection) = try explain("devices/d1/telemetry", "{\"ts\":\"1764000000\",\"a\":1}") else {
            Issue.record("not rejected")
            return
        }
        #expect(rejection == Rejection(.badTime, "\"1764000000\": write an epoch number without quotes"))
        guard case .rejected(let long) = try explain("devices/\(String(repeating: "x", count: 300))/telemetry", "{\"a\":1}") else {
            Issue.record("not rejected")
            return
        }
        #expect(long.reason == .deviceTooLong)
        guard case .rejected(let big) = try explain("devices/d/telemetry", String(repeating: "x", count: 1_048_577)) else {
            Issue.record("not rejected")
            return
        }
        #expect(big.reason == .payloadTooLong)
    }

    @Test func itNamesTheSubscriptionAndWhatAutoTookTheMessageFor() throws {
        var subscription = SubscriptionOptions(filter: "x/#", topic: "x/{device}", table: "telemetry")
        subscription.dialect.format = .auto
        let explanation = try Explanation(
            topic: "x/d", payload: Array("{\"a\":1}".utf8), subscriptions: [subscription], tables: ["telemetry"])
        #expect(explanation.filter == "x/#" && explanation.format?.hasPrefix("auto: json, because ") == true)
        subscription.dialect.format = .json
        let other = try Explanation(topic: "y", payload: [0], subscriptions: [subscription], tables: ["telemetry"])
        #expect(other.filter == nil && other.format == nil)
    }
}

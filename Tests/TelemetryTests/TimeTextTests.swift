import Telemetry
import Testing

@Suite("Times and spans as text")
struct TimeTextTests {
    @Test(
        "a bare number tells its unit by its magnitude",
        arguments: [
            (1_764_000_000, 1_764_000_000_000_000), (1_764_000_000_000, 1_764_000_000_000_000),
            (1_764_000_000_123_456, 1_764_000_000_123_456), (1_764_000_000_123_456_789, 1_764_000_000_123_456), (0, 0), (-1, -1_000_000),
        ])
    func magnitude(input: Int64, microseconds: Int64) {
        #expect(Timestamp(epoch: input).microseconds == microseconds)
    }

    @Test("fractions keep microseconds; what is not finite is nothing")
    func fractions() {
        #expect(Timestamp(epoch: 1_680_962_879.62)?.microseconds == 1_680_962_879_620_000)
        #expect(Timestamp(epoch: Double.nan) == nil)
        #expect(Timestamp(epoch: Double.infinity) == nil)
    }

    @Test(
        "RFC 3339 reads and writes",
        arguments: [
            ("2025-11-24T16:00:00Z", 1_764_000_000_000_000), ("2025-11-24T18:00:00.5+02:00", 1_764_000_000_500_000),
            ("2024-02-29 00:00:00.123456789z", 1_709_164_800_123_456), ("1969-12-31T23:59:59.999Z", -1_000),
        ])
    func rfc3339(text: String, microseconds: Int64) {
        let time = Timestamp(rfc3339: text)
        #expect(time?.microseconds == microseconds)
        #expect(time.flatMap { Timestamp(rfc3339: $0.rfc3339) } == time)
    }

    @Test(
        "text that is no time is nothing",
        arguments: [
            "", "2025-11-24", "2025-11-24T16:00:00", "2025-13-01T00:00:00Z", "2025-02-29T00:00:00Z", "2025-11-24T24:00:00Z",
            "2025-11-24T16:00:00.Z", "2025-11-24T16:00:00Zx", "2025-11-24T16:00:00+0200",
        ])
    func notATime(text: String) { #expect(Timestamp(rfc3339: text) == nil) }

    @Test(
        "spans read and write",
        arguments: [("500ms", 500_000), ("1h30m", 5_400_000_000), ("30d", 2_592_000_000_000), ("1w", 604_800_000_000)])
    func spans(text: String, microseconds: Int64) {
        #expect(TimeSpan(text: text)?.microseconds == microseconds)
        #expect(TimeSpan(text: TimeSpan(microseconds: microseconds).text)?.microseconds == microseconds)
    }

    @Test("text that is no span is nothing", arguments: ["", "5", "h", "-1h", "1x", "99999999999999w", "1 h"])
    func notASpan(text: String) { #expect(TimeSpan(text: text) == nil) }
}

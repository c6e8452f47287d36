import Foundation
import FoundationXML
import Histogram
import Testing

@testable import gaugehouse_load

@Suite("Reports")
struct ReportTests {
    private func report(
        sent: Int = 5_000, overrun: Int = 0, unsent: Int = 0, probes: Bool = true, seconds: Int = 5, template: String? = nil
    ) -> LoadReport {
        var histogram = Latency.histogram()
        var series = SecondSeries()
        series.begin(start: 0)
        for number in 0..<sent {
            let latency = 300 + ReadingGenerator.mix(UInt64(number)) % 4_000
            histogram.record(latency)
            let due = UInt64(number) * 1_000_000_000 * UInt64(seconds) / UInt64(max(1, sent))
            series.note(sent: 1, now: due)
            series.note(acknowledgedAt: due)
            series.note(latencyMicroseconds: latency, dueAt: due)
        }
        var outcome = ProbeOutcome()
        for number in 0..<50 { outcome.record(dueAt: UInt64(number) * 100_000_000, now: UInt64(number) * 100_000_000 + 8_000_000) }
        outcome.dueCount = 50
        let probe = ProbeReport(
            outcome,
            ProbeOptions(endpoint: HTTPEndpoint(url: "http://h")!, rate: 10, pollNanoseconds: 1_000_000, patienceNanoseconds: 1))
        let plan = Plan(
            rate: 1_000, rampUpNanoseconds: 1_000_000_000, durationNanoseconds: UInt64(seconds) * 1_000_000_000, tickNanoseconds: 1_000_000)
        var description = RunDescription(
            run: "r<&>\"", prefix: "d-", devices: 10, connections: 2, seed: 5, payloadSize: 0, startTime: 1,
            faults: Faults(badFraction: 0.01))
        description.template = template
        return LoadReport(
            description: description, target: .mqtt, qualityOfService: 1, targetRate: 1_000, plan: PlanReport(plan),
            sendingSeconds: Double(seconds), seconds: Double(seconds), sent: sent, acknowledged: sent, unacknowledged: 0, overrun: overrun,
            unsent: unsent, repeated: 3, reconnects: 1, republished: 2, messagesPerSecond: 1_000, readingsPerMessage: 10, payloadBytes: 106,
            latencyMicroseconds: LatencyReport(histogram), unanswered: unsent,
            generator: LoadReport.Generator(ProcessorTime(userMicroseconds: 5_000, systemMicroseconds: 5_000), messageCount: sent),
            startMonotonicNanoseconds: 1, queryable: probes ? probe : nil, durable: probes ? probe : nil, series: SecondReport.list(series))
    }

    @Test("the page is well-formed, says what the report says, and loads nothing", arguments: [true, false])
    func page(probes: Bool) throws {
        let html = HTMLReport(report(probes: probes)).text
        let parser = XMLParser(data: Data(html.replacing("<!DOCTYPE html>", with: "").utf8))
        #expect(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "") in line \(parser.lineNumber)")
        for forbidden in ["http:", "https:", "src=", "href", "url(", "@import", "<script", "NaN", "inf"] {
            #expect(!html.contains(forbidden), "\(forbidden)")
        }
        #expect(html.components(separatedBy: "<svg").count == 4)
        #expect(html.contains("prefers-color-scheme:dark") && html.contains("r&lt;&amp;&gt;&quot;"))
        #expect(html.contains("The schedule was kept.") && html.contains("1 % bad"))
        #expect(html.contains("to queryable") == probes)
        #expect(!html.contains("never sent or never acknowledged"))
    }

    @Test("both reports say how many latencies are lower bounds")
    func lowerBounds() {
        #expect(HTMLReport(report(unsent: 1_234)).text.contains("1\u{2009}234 messages were never sent or never acknowledged."))
        #expect(report(unsent: 1_234).text.contains("(from schedule; 1234 never answered, with the time waited)"))
        #expect(report().text.contains("(from schedule)"))
    }

    @Test("a run of which nothing is known still has a page")
    func emptyPage() {
        var report = report(sent: 0, probes: false)
        report.latencyMicroseconds = nil
        report.series = []
        report.failure = "lost <it>"
        let html = HTMLReport(report).text
        #expect(XMLParser(data: Data(html.replacing("<!DOCTYPE html>", with: "").utf8)).parse())
        #expect(html.contains("Nothing was recorded.") && html.contains("lost &lt;it&gt;"))
    }

    @Test("the verdict is bad for what was not kept, not acknowledged, not verified or not visible")
    func verdict() {
        #expect(report().verdict.isGood)
        #expect(report(overrun: 40).verdict.isGood)
        #expect(!report(overrun: 51).verdict.isGood)
        #expect(!report(unsent: 51).verdict.isGood)
        var lost = report()
        lost.unacknowledged = 1
        #expect(!lost.verdict.isGood)
        var different = report()
        different.verification = VerificationReport(acknowledged: 1)
        #expect(different.verdict.isGood)
        different.verification?.differenceCount = 1
        #expect(!different.verdict.isGood)
        var invisible = report()
        invisible.queryable?.missing = 1
        #expect(!invisible.verdict.isGood)
    }

    @Test("the JSON report has the keys that programs read")
    func keys() throws {
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(LoadReport.encoded(report()).utf8)) as? [String: Any])
        for key in [
            "messages_per_second", "start_monotonic_nanoseconds", "overrun", "sent", "acknowledged", "unsent", "series", "queryable",
        ] {
            #expect(json[key] != nil, "\(key)")
        }
        #expect((json["generator"] as? [String: Any])?["cpu_microseconds_per_message"] as? Double == 2)
        let latency = try #require(json["latency_microseconds"] as? [String: Any])
        #expect(Set(["p50", "p90", "p99", "p999", "p9999", "max", "mean", "count", "curve"]) == Set(latency.keys))
        #expect((json["series"] as? [[String: Any]])?.count == 5)
    }

    @Test("numbers are shown short and whole")
    func numbers() {
        #expect([0, 0.05, 20, 5_000, 20_000, 1_500_000].map(Text.short) == ["0", "0.05", "20", "5000", "20k", "1.5M"])
        #expect(Text.grouped(1_234_567) == "1\u{2009}234\u{2009}567")
        #expect(Text.decimal(-0.125, digits: 2) == "-0.13" && Text.decimal(3, digits: 0) == "3")
    }
}

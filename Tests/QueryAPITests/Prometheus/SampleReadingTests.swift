import Telemetry
import TelemetryStore
import Testing

@testable import QueryAPI

/// Long series: read in pieces between which a query looks at its time and lets others in.
@Suite struct SampleReadingTests {
    @Test(arguments: [("rate(c[1d])", true), ("increase(c[1d])", true), ("c[1d]", true), ("max_over_time(c[1d])", false)])
    func samplesOfOneSeriesAreReadPageByPage(query: String, needsSamples: Bool) async throws {
        try await TestBed.run { bed in
            let count = 3 * SampleReading.pageLength + 5
            for start in stride(from: 0, to: count, by: 5_000) {
                try bed.commit(
                    (start..<min(count, start + 5_000)).map { number in
                        Reading(device: "d", time: TestBed.now - .seconds(Int64(number)), fields: ["c": .integer(Int64(count - number))])
                    })
            }
            var budget = PromQLBudget()
            var load = try #require(
                try SeriesLoad(
                    try PromQLParser.parse(query), steps: StepTimes(at: TestBed.now), tables: bed.store.tables, devicePrefix: "", &budget))
            var steps = 0
            while try load.next(&budget) { steps += 1 }
            // The device, its series, and the pages.
            #expect(steps == (needsSamples ? 2 + 4 : 2))
            if query == "c[1d]" {
                #expect(load.rawSeries.map(\.samples.count) == [count])
                #expect(load.rawSeries.first?.samples.first?.value == 1)
                #expect(load.rawSeries.first?.samples.last?.value == Double(count))
            } else {
                #expect(load.series.count == 1)
            }
        }
    }

    /// One step of work is over the time that there was: the next is not begun.
    @Test func aQueryOfOneLongSeriesHeedsItsTimeout() async throws {
        try await TestBed.run { bed in
            for start in stride(from: 0, to: 100_000, by: 5_000) {
                try bed.commit(
                    (start..<(start + 5_000)).map { number in
                        Reading(device: "d", time: TestBed.now - .milliseconds(Int64(number)), fields: ["on": .boolean(true)])
                    })
            }
            let steps = StepTimes(at: TestBed.now)
            var evaluation = try PromQLEvaluation(
                try PromQLParser.parse("count_over_time(on[1d])"), steps: steps, tables: bed.store.tables, devicePrefix: "")
            var slices = 0
            // Slices of no length are still of one page each at most.
            while try evaluation.advance(until: ContinuousClock.now + .microseconds(1)) == nil, slices < 10_000 { slices += 1 }
            #expect((10..<10_000).contains(slices), "\(slices)")
        }
    }
}

import Histogram
import Testing

@testable import gaugehouse_load

@Suite("Latencies")
struct LatencyBucketsTests {
    @Test("each value falls into a bucket within 3 % of it, and buckets are in order")
    func precision() {
        var previous = -1
        var values: [UInt64] = Array(0..<300)
        for shift: UInt64 in 8..<32 { values += [(1 << shift) - 1, 1 << shift, 5 << (shift - 2)] }
        for value in values.sorted() {
            let index = LatencyBuckets.index(microseconds: value)
            #expect((0..<LatencyBuckets.count).contains(index))
            let shown = Double(LatencyBuckets.value(at: index))
            #expect(abs(shown - Double(value)) <= 0.032 * Double(value) + 0.5)
            #expect(index >= previous)
            previous = index
        }
        #expect(LatencyBuckets.index(microseconds: .max) == LatencyBuckets.count - 1)
    }

    @Test("percentiles of a second, against HDR's of the same values")
    func percentiles() throws {
        var counts = [UInt32](repeating: 0, count: LatencyBuckets.count)
        var histogram = Latency.histogram()
        for number in 0..<10_000 {
            let value = ReadingGenerator.mix(UInt64(number)) % 50_000
            counts[LatencyBuckets.index(microseconds: value)] += 1
            histogram.record(value)
        }
        for percentile in [1.0, 50, 90, 99, 99.9, 100] {
            let coarse = try #require(LatencyBuckets.percentile(percentile / 100, of: counts))
            let fine = Double(histogram.valueAtPercentile(percentile))
            #expect(abs(Double(coarse) - fine) <= 0.04 * fine + 1)
        }
        #expect(LatencyBuckets.percentile(0.5, of: [UInt32](repeating: 0, count: LatencyBuckets.count)) == nil)
    }

    @Test("series of workers of different lengths add up")
    func series() {
        var (first, second) = (SecondSeries(), SecondSeries())
        first.begin(start: 10)
        second.begin(start: 10)
        first.note(sent: 5, now: 20)
        second.note(sent: 7, now: 2_000_000_010)
        second.note(latencyMicroseconds: 1_000, dueAt: 1_000_000_010)
        second.note(acknowledgedAt: 2_000_000_010)
        first.add(second)
        let seconds = SecondReport.list(first)
        #expect(seconds.map(\.sent) == [5, 0, 7])
        #expect(seconds.map(\.acknowledged) == [0, 0, 1])
        #expect(seconds.map { $0.max != nil } == [false, true, false])
        var shorter = SecondSeries()
        shorter.begin(start: 10)
        shorter.note(sent: 1, now: 10)
        first.add(shorter)
        #expect(SecondReport.list(first).map(\.sent) == [6, 0, 7])
    }

    @Test("after an hour spans are of two seconds, after five of eight, and nothing is lost")
    func longRun() {
        func series(hours: Int, offset: Int) -> SecondSeries {
            var series = SecondSeries()
            series.begin(start: 10)
            for second in 0..<(hours * 3_600 + offset) {
                let time = 10 + UInt64(second) * 1_000_000_000
                series.note(sent: 2, now: time)
                series.note(acknowledgedAt: time)
                series.note(latencyMicroseconds: 1_000, dueAt: time)
            }
            return series
        }
        #expect(series(hours: 1, offset: 0).spanLength == 1)
        var long = series(hours: 1, offset: 1)
        #expect(long.spanLength == 2 && long.count == 1_801 && long.sent.last == 2 && long.sent.first == 4)
        let report = SecondReport.list(long)[1_000]
        #expect(report.second == 2_000 && report.seconds == 2)
        long.add(series(hours: 5, offset: 5))
        #expect(long.spanLength == 8 && long.count == 2_251)
        let total: UInt32 = 6 * 3_600 + 6
        #expect(long.sent.reduce(0, +) == 2 * total)
        #expect(long.acknowledged.reduce(0, +) == total)
        #expect([0, 450, 2_250].map { long.latencies(in: $0).reduce(0, +) } == [16, 9, 5])
        var short = series(hours: 0, offset: 70)
        short.add(long)
        #expect(short.spanLength == 8 && short.sent[7...9] == [48, 44, 32])
    }

    @Test("the percentile curve rises to as many nines as there are messages")
    func curve() throws {
        var histogram = Latency.histogram()
        for value in 1...1_000 { histogram.record(UInt64(value)) }
        let report = try #require(LatencyReport(histogram))
        #expect(report.curve.first?.percentile == 0)
        #expect(
            zip(report.curve, report.curve.dropFirst()).allSatisfy { $0.percentile < $1.percentile && $0.microseconds <= $1.microseconds })
        #expect((99.9..<99.95).contains(report.curve.last?.percentile ?? 0))
        #expect(report.p50 == 500 && report.max == 1_000)
        #expect(LatencyReport(Latency.histogram()) == nil)
    }
}

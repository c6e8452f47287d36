import Telemetry
import Testing

@testable import Ingest

@Suite struct ClockSkewTests {
    @Test func aSkewFallsIntoTheFirstBucketThatHoldsIt() {
        let cases: [(Int64, Int)] = [
            (.min / 4, 0), (-3_600_000_001, 0), (-3_600_000_000, 0), (-3_599_999_999, 1), (-100_001, 5), (-100_000, 5), (-99_999, 6),
            (0, 6),
            (100_000, 6), (100_001, 7), (1_000_000, 7), (60_000_000, 9), (2_592_000_000_000, 15), (2_592_000_000_001, 16), (.max / 4, 16),
        ]
        for (skew, bucket) in cases {
            var histogram = ClockSkew()
            histogram.add(microseconds: skew)
            #expect(histogram.counts.indices.filter { histogram.counts[$0] == 1 } == [bucket], "\(skew) µs")
        }
    }

    @Test func boundsRiseAndHaveABucketEach() {
        #expect(zip(ClockSkew.bounds, ClockSkew.bounds.dropFirst()).allSatisfy { $0 < $1 })
        #expect(ClockSkew().counts.count == ClockSkew.bounds.count + 1)
    }

    @Test func onlyReadingsWithATimeOfTheirOwnCount() {
        let now = Timestamp(microseconds: 1_764_000_000_000_000)
        var batch = ReadingBatch()
        batch.append(Reading(device: "d", time: nil, fields: ["n": .integer(1)]))
        batch.append(Reading(device: "d", time: now - .seconds(30), fields: ["n": .integer(1)]))
        batch.append(Reading(device: "d", time: now + .seconds(2), fields: ["n": .integer(1)]))
        var histogram = ClockSkew()
        histogram.add(batch, receiveTime: now)
        var twice = histogram
        twice.merge(histogram)
        #expect(histogram.counts.indices.filter { histogram.counts[$0] > 0 } == [4, 9] && histogram.sumSeconds == 28)
        #expect(twice.counts[4] == 2 && twice.counts[9] == 2 && twice.sumSeconds == 56)
    }
}

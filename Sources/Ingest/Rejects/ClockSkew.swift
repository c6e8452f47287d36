import Telemetry

/// How far devices' clocks are off: the time of receipt minus the time a reading carries, as a histogram. Negative: the device is ahead.
///
/// Readings that waited somewhere are in it with the time they waited: devices that buffer, and a broker that kept messages while the
/// gateway was away.
package struct ClockSkew: Sendable, Equatable {
    /// Upper bounds of the buckets, seconds; the last bucket has none.
    package static let bounds: [Double] = [
        -3_600, -600, -60, -10, -1, -0.1, 0.1, 1, 10, 60, 600, 3_600, 21_600, 86_400, 604_800, 2_592_000,
    ]
    private static let microseconds = bounds.map { Int64($0 * 1_000_000) }

    /// Readings in each bucket, one more than there are bounds; not cumulative.
    package private(set) var counts = InlineArray<17, Int>(repeating: 0)
    package private(set) var sumSeconds = 0.0

    package init() {}

    package static func == (a: ClockSkew, b: ClockSkew) -> Bool {
        a.sumSeconds == b.sumSeconds && a.counts.indices.allSatisfy { a.counts[$0] == b.counts[$0] }
    }

    /// Adds the readings of a batch that carry a time.
    mutating func add(_ batch: borrowing ReadingBatch, receiveTime: Timestamp) {
        Self.microseconds.withUnsafeBufferPointer { bounds in
            for row in batch.rows where row.time != .distantPast { add((receiveTime - row.time).microseconds, bounds) }
        }
    }

    mutating func add(microseconds skew: Int64) { Self.microseconds.withUnsafeBufferPointer { add(skew, $0) } }

    @inline(__always)
    private mutating func add(_ skew: Int64, _ bounds: UnsafeBufferPointer<Int64>) {
        var (low, high) = (0, bounds.count)
        while low < high {
            let middle = (low + high) / 2
            if skew <= bounds[middle] { high = middle } else { low = middle + 1 }
        }
        counts[low] += 1
        sumSeconds += Double(skew) / 1_000_000
    }

    mutating func merge(_ other: ClockSkew) {
        for index in counts.indices { counts[index] += other.counts[index] }
        sumSeconds += other.sumSeconds
    }
}

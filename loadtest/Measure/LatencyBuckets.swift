/// A coarse histogram that many of can be kept, one for each second of a run: 32 buckets an octave, 3 %.
///
/// Counts of several seconds or workers add up bucket by bucket. The exact percentiles of a whole run come from HDR histograms.
enum LatencyBuckets {
    private static let subBits = 5
    /// Up to 2^32 µs, an hour.
    static let count = (33 - subBits) << subBits

    static func index(microseconds: UInt64) -> Int {
        let value = min(microseconds, 0xFFFF_FFFF)
        guard value >= 1 << subBits else { return Int(value) }
        let shift = 63 - value.leadingZeroBitCount - subBits
        return (shift + 1) << subBits + Int(value >> UInt64(shift)) - 1 << subBits
    }

    /// The middle of a bucket, µs.
    static func value(at index: Int) -> UInt64 {
        guard index >= 1 << subBits else { return UInt64(index) }
        let shift = UInt64(index >> subBits - 1)
        let base = UInt64(index & (1 << subBits - 1) + 1 << subBits) << shift
        return base + (1 << shift) / 2
    }

    /// - Parameter fraction: 0...1.
    /// - Returns: nil when nothing was counted.
    static func percentile(_ fraction: Double, of counts: some Collection<UInt32>) -> UInt64? {
        let total = counts.reduce(0) { $0 + Int($1) }
        guard total > 0 else { return nil }
        var rest = max(1, Int((fraction * Double(total)).rounded(.up)))
        for (index, count) in counts.enumerated() {
            rest -= Int(count)
            if rest <= 0 { return value(at: index) }
        }
        return nil
    }
}

/// Rows of a row group, as ranges that ascend and neither touch nor overlap.
struct RowRanges: Equatable {
    private(set) var ranges: [Range<Int64>] = []

    init(_ ranges: [Range<Int64>] = []) {
        for range in ranges { append(range) }
    }

    /// - Parameter range: not before those that are there.
    mutating func append(_ range: Range<Int64>) {
        if range.isEmpty { return }
        if let last = ranges.last, last.upperBound >= range.lowerBound {
            ranges[ranges.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
        } else {
            ranges.append(range)
        }
    }

    /// Linear in both.
    func intersection(_ other: RowRanges) -> RowRanges {
        var result = RowRanges()
        var (left, right) = (0, 0)
        while left < ranges.count, right < other.ranges.count {
            let (a, b) = (ranges[left], other.ranges[right])
            let lower = max(a.lowerBound, b.lowerBound)
            if lower < min(a.upperBound, b.upperBound) { result.append(lower..<min(a.upperBound, b.upperBound)) }
            if a.upperBound < b.upperBound { left += 1 } else { right += 1 }
        }
        return result
    }
}

import Telemetry
import TelemetryStore

/// Reads all samples of one series, oldest first, a page at a time: there may be millions, and others want the thread, too.
struct SampleReading: Sendable {
    /// Rows of a page: some milliseconds.
    static let pageLength = 10_000

    let series: StoredSeries
    private var query: RangeQuery
    private(set) var samples: [Sample] = []

    /// - Parameter query: device, range and field.
    init(of series: StoredSeries, _ query: RangeQuery) {
        self.series = series
        self.query = query
        self.query.order = .ascending
        self.query.limit = Self.pageLength
    }

    /// Reads the next page. Blocking.
    ///
    /// - Returns: false: it was the last.
    mutating func next(_ budget: inout PromQLBudget) throws -> Bool {
        guard let page = try series.table.range(query) else { return false }
        try budget.spend(rows: page.times.count)
        for (time, cell) in zip(page.times, page.cells) { cell.sample.map { samples.append(Sample(time: time, value: $0)) } }
        query.after = page.nextAfter
        return query.after != nil
    }
}

struct Sample: Equatable, Sendable {
    let time: Timestamp
    let value: Double
}

extension [Sample] {
    /// Of each step: the samples of its window, `(time - length, time]`.
    func windows(_ steps: StepTimes, length: TimeSpan) -> [Range<Int>] {
        var (low, high) = (0, 0)
        return (0..<steps.count).map { step in
            let time = steps[step]
            while low < count, self[low].time <= time - length { low += 1 }
            high = Swift.max(low, high)
            while high < count, self[high].time <= time { high += 1 }
            return low..<high
        }
    }
}

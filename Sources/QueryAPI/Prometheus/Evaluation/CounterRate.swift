import Telemetry

/// Growth of a counter: what it grew between the samples of a window, carried on to the window's edges as Prometheus does.
///
/// Source: `extrapolatedRate` in Prometheus' promql/functions.go.
struct CounterRate {
    private let samples: [Sample]
    /// What was lost to resets up to each sample.
    private let lost: [Double]

    /// - Parameter samples: oldest first.
    init(_ samples: [Sample]) {
        self.samples = samples
        var sum = 0.0
        lost = samples.indices.map { index in
            if index > 0, samples[index].value < samples[index - 1].value { sum += samples[index - 1].value }
            return sum
        }
    }

    /// - Parameter perSecond: false: over the whole window.
    func rates(_ steps: StepTimes, length: TimeSpan, perSecond: Bool) -> [Double?] {
        samples.windows(steps, length: length).enumerated().map { step, window in
            guard let increase = increase(window, until: steps[step], length: length) else { return nil }
            return perSecond ? increase / length.seconds : increase
        }
    }

    private func increase(_ window: Range<Int>, until end: Timestamp, length: TimeSpan) -> Double? {
        guard window.count > 1 else { return nil }
        let (first, last) = (window.lowerBound, window.upperBound - 1)
        let increase = samples[last].value - samples[first].value + (lost[last] - lost[first])
        let covered = (samples[last].time - samples[first].time).seconds
        let usual = covered / Double(window.count - 1)
        // A gap that is hardly longer than usual is part of the series; in a longer one it began or ended, half a usual gap away.
        let threshold = usual * 1.1
        var before = (samples[first].time - (end - length)).seconds
        if before >= threshold { before = usual / 2 }
        if increase > 0, samples[first].value >= 0 {
            // A counter was never below zero.
            before = min(before, covered * (samples[first].value / increase))
        }
        var after = (end - samples[last].time).seconds
        if after >= threshold { after = usual / 2 }
        return increase * ((covered + before + after) / covered)
    }
}

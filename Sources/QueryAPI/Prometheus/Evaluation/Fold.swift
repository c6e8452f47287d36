/// What many numbers are made one by, over time or over series.
enum Fold: String, CaseIterable, Sendable { case avg, min, max, sum, count, last }

/// Numbers, folded.
struct Partial: Sendable {
    private(set) var count = 0.0
    private var sum = 0.0
    private var least = Double.nan
    private var greatest = Double.nan
    private var last = Double.nan

    init() {}

    init(_ number: Double) {
        count = 1
        (sum, least, greatest, last) = (number, number, number, number)
    }

    /// What is known of numbers elsewhere; NaN where it was not asked for.
    init(count: Double, sum: Double, least: Double, greatest: Double, last: Double) {
        (self.count, self.sum, self.least, self.greatest, self.last) = (count, sum, least, greatest, last)
    }

    /// Adds later numbers.
    mutating func add(_ later: Partial) {
        guard later.count > 0 else { return }
        guard count > 0 else { return self = later }
        count += later.count
        sum += later.sum
        last = later.last
        if later.least < least || least.isNaN { least = later.least }
        if later.greatest > greatest || greatest.isNaN { greatest = later.greatest }
    }

    /// Nil without numbers.
    func callAsFunction(_ fold: Fold) -> Double? {
        guard count > 0 else { return nil }
        return switch fold {
        case .avg: sum / count
        case .min: least
        case .max: greatest
        case .sum: sum
        case .count: count
        case .last: last
        }
    }
}

/// Folds of windows over a row of parts; the windows only move forward.
///
/// Two halves: folds from each part of the older half to its end are made once, the younger half grows. Every part is added twice in all,
/// however much the windows overlap, and nothing is ever subtracted, which would lose digits.
struct SlidingFold {
    private let parts: [Partial]
    /// `older[i]`: of `parts[olderStart + i..<middle]`.
    private var older: [Partial] = []
    private var olderStart = 0
    private var middle = 0
    /// Of `parts[middle..<end]`.
    private var younger = Partial()
    private var end = 0

    init(_ parts: [Partial]) { self.parts = parts }

    /// - Parameter window: neither bound is below the one before.
    mutating func callAsFunction(_ window: Range<Int>) -> Partial {
        guard !window.isEmpty else { return Partial() }
        if window.lowerBound >= middle { turn(to: window) }
        for index in end..<Swift.max(end, window.upperBound) { younger.add(parts[index]) }
        end = Swift.max(end, window.upperBound)
        var fold = older[window.lowerBound - olderStart]
        fold.add(younger)
        return fold
    }

    private mutating func turn(to window: Range<Int>) {
        older = Array(parts[window])
        for index in older.indices.dropLast().reversed() {
            var fold = older[index]
            fold.add(older[index + 1])
            older[index] = fold
        }
        (olderStart, middle, end, younger) = (window.lowerBound, window.upperBound, window.upperBound, Partial())
    }
}

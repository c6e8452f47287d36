import Telemetry

/// The windows `(time - length, time]` of all steps, cut into pieces that none of their edges divides: the store answers a piece from its
/// statistics once, however many windows share it.
struct WindowPlan: Sendable {
    /// Steps that are asked together.
    struct Run: Sendable {
        /// Of the pieces, ascending: piece k is `edges[k]..<edges[k + 1]`.
        var edges: [Timestamp] = []
        /// Of each step: its pieces.
        var windows: [Range<Int>] = []
        var firstStep: Int
    }

    /// Windows further apart than so many of their lengths are asked one by one, without what lies between.
    private static let gapLimit: Int64 = 4
    /// Below the store's limit for the windows of one question.
    private static let edgeLimit = 8_000

    private(set) var runs: [Run] = []

    init(_ steps: StepTimes, length: TimeSpan) {
        let length = length.microseconds
        let isSparse = (steps.step.microseconds - length) / length >= Self.gapLimit
        let runLength = isSparse ? 1 : Self.edgeLimit / 2
        for first in stride(from: 0, to: steps.count, by: runLength) {
            let ends = (first..<min(first + runLength, steps.count)).map { steps[$0].microseconds + 1 }
            runs.append(Self.run(ends: ends, length: length, firstStep: first))
        }
    }

    /// - Parameter ends: of the windows, exclusive, ascending.
    private static func run(ends: [Int64], length: Int64, firstStep: Int) -> Run {
        var run = Run(firstStep: firstStep)
        let edges = Set(ends + ends.map { $0 - length }).sorted()
        run.edges = edges.map { Timestamp(microseconds: $0) }
        var (low, high) = (0, 0)
        for end in ends {
            while edges[low] < end - length { low += 1 }
            while edges[high] < end { high += 1 }
            run.windows.append(low..<high)
        }
        return run
    }
}

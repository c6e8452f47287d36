import Telemetry
import TelemetryCodec

/// Aggregates of one device over windows of equal length.
package struct AggregateQuery: Sendable {
    package enum Function: String, Sendable, CaseIterable { case avg, min, max, sum, count, first, last }

    /// What stands for a window without a row.
    package enum Fill: String, Sendable, CaseIterable {
        /// The window is left out.
        case none
        /// Absent cells; a count is 0.
        case null
        /// The cells of the window before; absent before the first.
        case previous
        /// Numbers on the line between the neighbours; absent outside of them, and for what is no number.
        case linear
    }

    package var device: String
    /// Inclusive.
    package var start: Timestamp
    /// Exclusive.
    package var end: Timestamp
    /// Length of a window, positive.
    package var step: TimeSpan
    /// Nil: every field the device ever had, by name.
    package var fields: [String]?
    package var functions: [Function] = [.avg]
    package var fill: Fill = .null
    /// Windows begin at `origin + k * step`, are half-open, and are labelled by their start.
    package var origin = Timestamp(microseconds: 0)
    /// Windows of unequal length, the days of a time zone: where each begins, ascending, and the end of the last. They hold `start` and
    /// `end`; `step` and `origin` do not count then. Empty: equal ones.
    package var edges: [Timestamp] = []
    /// Rows that count; nil: all.
    package var condition: RowCondition?
    /// What would have to wait for a disk, or to look at many rows, is not answered, but `.notInMemory`.
    package var isFromMemory = false

    /// Windows of one answer at most: a chart has fewer points.
    package static let windowLimit = 11_000
    /// Cells of one answer at most, windows x fields x functions: a hundred charts. What a window gathers is 160 bytes a field.
    package static let cellLimit = 1 << 20
    /// Bytes of the first and last strings and binaries of one answer at most.
    package static let byteLimit = 32 << 20

    package init(device: String, start: Timestamp, end: Timestamp, step: TimeSpan) {
        self.device = device
        self.start = start
        self.end = end
        self.step = step
    }
}

package struct AggregatePage: Sendable {
    package struct Column: Sendable, Equatable {
        package var field: String
        package var function: AggregateQuery.Function
        /// Nil: no value in any window. Integer and double together are `double`; other mixtures name the first.
        package var type: FieldType?
    }

    /// Fields outer, functions inner, in the order asked.
    package var columns: [Column] = []
    /// Starts of the windows, ascending.
    package var times: [Timestamp] = []
    /// Row-major; absent: no value. `avg` is a double; `sum` of integers an integer while it fits, else a double; `min`, `max`, `first` and
    /// `last` have the values' type. Strings, binaries and booleans have `count`, `first` and `last` only.
    ///
    /// Integers are summed exactly. Doubles are summed piece by piece, and the pieces' sums then: a flush or a merge, which cuts pieces
    /// anew, may change the last bits of `sum` and `avg`.
    package var cells: [Cell] = []
    /// Arena of `first` and `last` of strings and binaries.
    package var bytes: [UInt8] = []
    /// False: no row counted; all there is comes from the filling.
    package var hasValues = false
}

extension Table {
    /// Aggregates over what `range` would return: the newest version of each cell, nothing expired.
    ///
    /// Pieces that lie in one window whole are answered from their statistics.
    /// - Returns: nil: unknown device.
    /// - Throws: `.invalid` (a step that is not positive, more windows, cells or bytes than `AggregateQuery` has limits for),
    ///   `.corruption` with file and offset; `.fatal`; `.notInMemory`.
    package func aggregate(_ query: AggregateQuery) throws(StoreError) -> AggregatePage? {
        guard let number = core.registry.device(query.device), let detail = device(query.device) else { return nil }
        let names = query.fields ?? detail.fields.map(\.name)
        let windows = try AggregateWindows(query)
        guard windows.count * names.count * max(query.functions.count, 1) <= AggregateQuery.cellLimit else {
            throw StoreError(.invalid, "an aggregate has at most \(AggregateQuery.cellLimit) values; ask for fewer windows or fields")
        }
        var builder = AggregateBuilder(names: names, query: query, registry: core.registry, windows: windows)
        if let times = windows.times(notBefore: core.expiry(now: core.clock.now())) {
            let key = core.registry.withNames { registry in
                (bucket: Int(registry.buckets[Int(number)]), name: registry.devices.withName(number) { Array($0) })
            }
            for (count, window) in partitionWindows(of: times, .ascending).enumerated() {
                if query.isFromMemory, count == MemoryBudget.windowLimit { throw .notInMemory }
                guard let (partitionTimes, sources) = sources(in: window, times, device: number) else { continue }
                try key.name.withRawBytes { (name) throws(StoreError) in
                    try builder.read(sources, partitionTimes, bucket: key.bucket, device: name)
                }
            }
        }
        return builder.page(query)
    }
}

/// The windows of an aggregate, by number: window k begins at `start + k * step`, or at `edges[k]`.
struct AggregateWindows {
    /// Start of the first window, µs; at or before the query's start.
    let start: Int64
    let step: Int64
    let count: Int
    /// Empty: windows of equal length.
    private let edges: [Int64]
    /// Times that count, closed; nil: none.
    private let times: ClosedRange<Int64>?

    init(_ query: AggregateQuery) throws(StoreError) {
        step = query.step.microseconds
        edges = query.edges.map(\.microseconds)
        guard step > 0 else { throw StoreError(.invalid, "the step of an aggregate must be positive") }
        guard query.start < query.end else {
            (start, count, times) = (query.start.microseconds, 0, nil)
            return
        }
        times = query.start.microseconds...(query.end.microseconds - 1)
        (start, count) = try edges.isEmpty ? Self.equalWindows(query) : Self.windows(query)
        guard count <= AggregateQuery.windowLimit else {
            throw StoreError(.invalid, "an aggregate has at most \(AggregateQuery.windowLimit) windows; ask for less time or a longer step")
        }
    }

    private static func equalWindows(_ query: AggregateQuery) throws(StoreError) -> (start: Int64, count: Int) {
        let step = query.step.microseconds
        let origin = query.origin.microseconds % step
        let (shifted, overflow) = query.start.microseconds.subtractingReportingOverflow(origin)
        let (first, below) = shifted.floorDivided(by: step).multipliedReportingOverflow(by: step)
        let (start, beyond) = first.addingReportingOverflow(origin)
        let (span, tooLong) = query.end.microseconds.subtractingReportingOverflow(start)
        guard !overflow, !below, !beyond, !tooLong else {
            throw StoreError(.invalid, "the times of an aggregate lie too far from now")
        }
        // At most 2^63 - 1.
        return (start, (Int(span) - 1) / Int(step) + 1)
    }

    private static func windows(_ query: AggregateQuery) throws(StoreError) -> (start: Int64, count: Int) {
        let edges = query.edges
        guard edges.count > 1, edges[0] <= query.start, edges[edges.count - 1] >= query.end,
            zip(edges, edges.dropFirst()).allSatisfy({ $0 < $1 })
        else { throw StoreError(.invalid, "the windows of an aggregate must rise and hold its start and end") }
        return (edges[0].microseconds, edges.count - 1)
    }

    func times(notBefore expiry: Timestamp) -> ClosedRange<Int64>? {
        guard let times, expiry.microseconds <= times.upperBound else { return nil }
        return max(times.lowerBound, expiry.microseconds)...times.upperBound
    }

    @inline(__always) func window(of time: Int64) -> Int { edges.isEmpty ? Int((time - start) / step) : edge(before: time) }

    func time(of window: Int) -> Timestamp {
        Timestamp(microseconds: edges.isEmpty ? start + Int64(window) * step : edges[window])
    }

    /// The last edge that is not later.
    private func edge(before time: Int64) -> Int {
        var (low, high) = (0, count - 1)
        while low < high {
            let middle = (low + high + 1) / 2
            if edges[middle] <= time { low = middle } else { high = middle - 1 }
        }
        return low
    }
}

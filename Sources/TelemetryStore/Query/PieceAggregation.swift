import Telemetry
import TelemetryCodec

/// Aggregates one stored piece without making rows of it. Buffers are reused from piece to piece.
struct PieceAggregation {
    /// True when values that are no numbers count.
    let needsOthers: Bool
    /// True when it matters which of two values is older, and what it is.
    let needsOrder: Bool
    private var times: [Int64] = []
    private var run = ColumnRun()
    /// Values of a span that has rows without one.
    private var present: [UInt64] = []
    /// Window of each selected row, newest first, as lengths of runs of rows in one window.
    private var spans: [(window: Int, rowCount: Int)] = []

    init(functions: [AggregateQuery.Function]) {
        needsOthers = functions.contains { [.count, .first, .last].contains($0) }
        needsOrder = functions.contains { $0 == .first || $0 == .last }
    }

    /// Adds the piece's rows of `times`.
    /// - Parameter series: series of each wanted field of the table.
    /// - Returns: false: nothing was added, for a field has values of several types, whose order only rows tell.
    mutating func add(
        _ piece: SegmentPiece, of segment: Segment, times range: ClosedRange<Int64>, windows: AggregateWindows, series: [UInt32: Int],
        access: SegmentAccess, to accumulators: inout [SeriesAccumulator]
    ) throws(StoreError) -> Bool {
        guard case .frame(let directory, let ordinal, let firstRow) = piece.place else { return false }
        let columns = try wantedColumns(directory, try segment.index(access).fields, segment, series)
        guard !columns.isEmpty else { return true }
        if needsOrder, Set(columns.map(\.series)).count < columns.count { return false }
        var reader = FrameReader(segment, directory, access: access)
        // Of whose chunks strings are slices.
        defer { withExtendedLifetime(reader) {} }
        var pending = columns
        let isWhole = range.contains(piece.minTime) && range.contains(piece.maxTime)
        if isWhole, windows.window(of: piece.minTime) == windows.window(of: piece.maxTime) {
            pending = try addStatistics(
                columns, &reader, ordinal: ordinal, window: windows.window(of: piece.minTime), to: &accumulators)
        }
        guard !pending.isEmpty else { return true }
        try reader.load([0] + pending.map(\.position))
        try reader.readTimes(piece, ordinal: ordinal, firstRow: firstRow, into: &times)
        let selected = isWhole ? 0..<times.count : times.rows(in: range)
        guard !selected.isEmpty else { return true }
        findSpans(selected, windows)
        let rows = (firstRow + selected.lowerBound)..<(firstRow + selected.upperBound)
        for column in pending {
            try reader.read(column.position, type: column.type, rows: rows, ordinal: ordinal, firstRow: firstRow, into: &run)
            addRun(column.type, bytes: reader.bytes(column.position), to: &accumulators[column.series])
        }
        return true
    }

    private typealias Column = (position: Int, type: FieldType, series: Int)

    private func wantedColumns(
        _ directory: FrameDirectory, _ fields: [SparseIndex.Field], _ segment: Segment, _ series: [UInt32: Int]
    ) throws(StoreError) -> [Column] {
        var columns: [Column] = []
        for (position, column) in directory.columns.enumerated() {
            guard case .field(let local, let type) = column.key else { continue }
            guard local < fields.count else { throw segment.damage(at: column.offset, "a column has an unknown field") }
            guard needsOthers || type == .integer || type == .double else { continue }
            if let index = series[fields[local].number] { columns.append((position, type, index)) }
        }
        return columns
    }

    /// - Returns: the columns that have to be decoded.
    private func addStatistics(
        _ columns: [Column], _ reader: inout FrameReader, ordinal: Int, window: Int, to accumulators: inout [SeriesAccumulator]
    ) throws(StoreError) -> [Column] {
        let numeric = PieceStatistics.columns(of: reader.directory.columns.map(\.key)).map(\.position)
        guard let statistics = try reader.statistics(of: ordinal, columnCount: numeric.count) else { return columns }
        return columns.filter { column in
            guard let index = numeric.firstIndex(of: column.position), let known = statistics[index] else { return true }
            accumulators[column.series].add(known, type: column.type, window: window)
            return false
        }
    }

    private mutating func findSpans(_ selected: Range<Int>, _ windows: AggregateWindows) {
        spans.removeAll(keepingCapacity: true)
        var row = selected.lowerBound
        while row < selected.upperBound {
            let window = windows.window(of: times[row])
            let start = windows.time(of: window).microseconds
            let first = row
            repeat { row += 1 } while row < selected.upperBound && times[row] >= start
            spans.append((window, row - first))
        }
    }

    /// Oldest first: the spans from the last up, numbers of a span at once.
    private mutating func addRun(_ type: FieldType, bytes: UnsafeRawBufferPointer, to accumulator: inout SeriesAccumulator) {
        var end = run.count
        for span in spans.reversed() {
            let rows = (end - span.rowCount)..<end
            end = rows.lowerBound
            switch type {
            case .integer, .double: addNumbers(type, rows, window: span.window, to: &accumulator)
            case .boolean, .string, .binary: addOthers(type, rows, bytes, window: span.window, to: &accumulator)
            }
        }
    }

    /// What is no number is counted; of its values the oldest and the newest are kept.
    private func addOthers(
        _ type: FieldType, _ rows: Range<Int>, _ bytes: UnsafeRawBufferPointer, window: Int, to accumulator: inout SeriesAccumulator
    ) {
        let count = run.isEveryRowPresent ? rows.count : rows.count { run[$0] != nil }
        guard count > 0, let newest = rows.first(where: { run[$0] != nil }), let oldest = rows.last(where: { run[$0] != nil })
        else { return }
        accumulator.add(
            count: count, first: Cell(type: type, bits: run.bits[oldest]), last: Cell(type: type, bits: run.bits[newest]), source: bytes,
            window: window)
    }

    private mutating func addNumbers(
        _ type: FieldType, _ rows: Range<Int>, window: Int, to accumulator: inout SeriesAccumulator
    ) {
        if !run.isEveryRowPresent {
            present.removeAll(keepingCapacity: true)
            for row in rows { run[row].map { present.append($0) } }
        }
        let values = run.isEveryRowPresent ? run.bits[rows] : present[...]
        values.withUnsafeBufferPointer { values in
            if let statistics = ColumnStatistics(type: type, bits: values) {
                accumulator.add(statistics, type: type, window: window)
            } else {
                for bits in values.reversed() { accumulator.add(type: type, bits: bits, window: window) }
            }
        }
    }
}

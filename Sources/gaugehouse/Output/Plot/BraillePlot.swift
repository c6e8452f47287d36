import Foundation

/// A line of values over time in Braille dots: two dots a column, four a row.
struct BraillePlot {
    struct Point: Equatable {
        /// µs since the epoch.
        let time: Int64
        let value: Double
    }

    /// Rows of characters; every third one has a label.
    private static let height = 13
    private static let labelDistance = 3
    /// Columns of the labels at the left: `-1.798e+308`.
    private static let labelWidth = 11
    /// A pause so much longer than the usual one is a gap in the line.
    private static let gapFactor: Int64 = 8

    private let title: String
    private let points: [Point]
    private let terminal: Terminal

    /// - Parameter points: any order; what is not finite is left out.
    init(title: String, points: [Point], terminal: Terminal) {
        self.title = TextTable.shown(title)
        self.points = points.filter(\.value.isFinite).sorted { $0.time < $1.time }
        self.terminal = terminal
    }

    var text: String {
        guard let first = points.first, let last = points.last else { return heading("no values") }
        let values = points.map(\.value)
        let (least, greatest) = (values.min() ?? 0, values.max() ?? 0)
        let mean = values.reduce(0) { $0 + $1 / Double(values.count) }
        let note = "min \(Self.number(least)) · avg \(Self.number(mean)) · max \(Self.number(greatest)) · \(points.count) values"
        let canvas = drawn(least: least, greatest: greatest)
        let rows = canvas.rows.enumerated().map { row, dots in
            let label = label(row, least: least, greatest: greatest)
            let margin = String(repeating: " ", count: max(0, Self.labelWidth - (label ?? "").count)) + (label ?? "")
            return "\(margin) \(label == nil ? "│" : "┤")\(terminal.styled(dots, .cyan))"
        }
        return ([heading(note)] + rows + axis(first.time, last.time)).joined(separator: "\n")
    }

    private func heading(_ note: String) -> String { "\(terminal.styled(title, .bold))  \(terminal.styled(note, .dim))" }

    private var columnCount: Int { max(10, terminal.width - Self.labelWidth - 3) }

    // MARK: - Drawing

    private func drawn(least: Double, greatest: Double) -> BrailleCanvas {
        var canvas = BrailleCanvas(columnCount: columnCount, rowCount: Self.height)
        let (start, end) = (points[0].time, points[points.count - 1].time)
        let longest = usualPause.multipliedReportingOverflow(by: Self.gapFactor)
        var before: (x: Int, y: Int)?
        var lastTime = start
        for point in points {
            let x = Self.place(Double(point.time) - Double(start), of: Double(end) - Double(start), count: canvas.width)
            let y = canvas.height - 1 - Self.place(point.value / 2 - least / 2, of: greatest / 2 - least / 2, count: canvas.height)
            let isGap = !longest.overflow && point.time.subtractingReportingOverflow(lastTime).partialValue > longest.partialValue
            if let before, !isGap { canvas.line(from: before, to: (x, y)) } else { canvas.set(x, y) }
            before = (x, y)
            lastTime = point.time
        }
        return canvas
    }

    /// 0..<count; halves keep the whole range of doubles finite. A range of nothing is drawn in the middle.
    private static func place(_ part: Double, of whole: Double, count: Int) -> Int {
        guard whole > 0 else { return count / 2 }
        return min(count - 1, max(0, Int((part / whole * Double(count - 1)).rounded())))
    }

    /// The median time between two points.
    private var usualPause: Int64 {
        let pauses = zip(points, points.dropFirst()).map { $1.time.subtractingReportingOverflow($0.time).partialValue }.filter { $0 > 0 }
            .sorted()
        return pauses.isEmpty ? .max : pauses[pauses.count / 2]
    }

    // MARK: - Labels

    /// Nil where there is none.
    private func label(_ row: Int, least: Double, greatest: Double) -> String? {
        guard least < greatest else { return row == Self.height / 2 ? Self.number(least, digits: 4) : nil }
        guard row % Self.labelDistance == 0 else { return nil }
        let share = Double(row) / Double(Self.height - 1)
        // Halves, as the difference of two doubles may be beyond all of them.
        return Self.number((greatest / 2 * (1 - share) + least / 2 * share) * 2, digits: 4)
    }

    /// Whole numbers as they are, others with so many digits at most.
    static func number(_ value: Double, digits: Int = 6) -> String {
        if value == value.rounded(), abs(value) < 1e6 { return String(Int(value)) }
        return String(format: "%.\(digits)g", value)
    }

    /// The line below, and as many times as fit.
    private func axis(_ start: Int64, _ end: Int64) -> [String] {
        let span = Double(end) - Double(start)
        let hasDate = span > 20 * 3_600e6
        let width = hasDate ? 11 : 8
        let count = max(2, columnCount / (width + 6))
        var ticks = Array(repeating: Character("─"), count: columnCount)
        var labels = Array(repeating: Character(" "), count: columnCount)
        for index in 0..<count where span > 0 || index == 0 {
            let column = Self.place(Double(index), of: Double(count - 1), count: columnCount)
            ticks[column] = "┬"
            let time = Int64((Double(start) + span * Double(index) / Double(count - 1)).rounded())
            let text = PeopleText.axisTime(time, hasDate: hasDate)
            let first = min(max(0, column - width / 2), columnCount - width)
            guard first >= 0 else { continue }
            labels.replaceSubrange(first..<(first + text.count), with: text)
        }
        var line = String(labels)
        while line.hasSuffix(" ") { line.removeLast() }
        let zone = String(PeopleText.zone.prefix(Self.labelWidth))
        let margin = String(repeating: " ", count: Self.labelWidth + 1)
        return [margin + "└" + String(ticks), terminal.styled(margin.dropFirst(zone.count + 1) + zone + "  " + line, .dim)]
    }
}

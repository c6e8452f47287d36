/// A plot for each numeric column of each device.
extension SeriesAnswer {
    /// Plots of one answer: more than anybody scrolls through.
    private static let limit = 24

    func plots(terminal: Terminal) -> String {
        var plots: [String] = []
        for one in joined {
            for (index, column) in one.columns.enumerated() {
                let points = one.rows.compactMap { row in
                    row.cells[index].number.map { BraillePlot.Point(time: row.time, value: $0) }
                }
                guard !points.isEmpty else { continue }
                guard plots.count < Self.limit else { return plots.joined(separator: "\n\n") + "\n\n(more: choose with --field)" }
                plots.append(BraillePlot(title: "\(one.device) \(column)", points: points, terminal: terminal).text)
            }
        }
        return plots.isEmpty ? "no numbers to draw" : plots.joined(separator: "\n\n")
    }

    /// A device whose columns changed from page to page is one again.
    private var joined: [Series] {
        var result: [Series] = []
        for one in series {
            guard let last = result.last, last.device == one.device else {
                result.append(one)
                continue
            }
            var columns = last.columns
            for column in one.columns where !columns.contains(column) { columns.append(column) }
            var both = Series(device: one.device, columns: columns)
            for part in [last, one] {
                let places = columns.map { part.columns.firstIndex(of: $0) }
                both.rows += part.rows.map { row in (row.time, places.map { $0.map { row.cells[$0] } ?? .null }) }
            }
            result[result.count - 1] = both
        }
        return result
    }
}

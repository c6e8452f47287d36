import Telemetry

/// What `/api/v1/query` answered on all pages together.
struct SeriesAnswer {
    struct Series {
        let device: String
        /// Without the time.
        var columns: [String]
        /// Times in µs, and the cells of the columns.
        var rows: [(time: Int64, cells: [JSONValue])] = []
        var isUnknown = false
    }

    private(set) var table = ""
    private(set) var series: [Series] = []

    /// Takes a page, asked for with `time=us`.
    ///
    /// - Returns: how many rows it had.
    mutating func add(_ page: JSONValue) -> Int {
        table = page["table"].string ?? table
        var count = 0
        for one in page["series"].elements {
            let rows = one["rows"].elements.map { ($0.elements.first?.integer ?? 0, Array($0.elements.dropFirst())) }
            count += rows.count
            add(one, columns: one["columns"].elements.dropFirst().map { $0["name"].cell }, rows: rows)
        }
        return count
    }

    /// A device may go on from the page before; with a field that was new, its columns are others.
    private mutating func add(_ one: JSONValue, columns: [String], rows: [(time: Int64, cells: [JSONValue])]) {
        let device = one["device"].cell
        if series.last?.device != device || series.last?.columns != columns {
            series.append(Series(device: device, columns: columns))
        }
        series[series.count - 1].rows += rows
        series[series.count - 1].isUnknown = one["unknown"] == .boolean(true)
    }

    /// Of all series, in the order of their first appearance.
    private var allColumns: [String] {
        var (columns, known) = ([String](), Set<String>())
        for column in series.lazy.flatMap(\.columns) where known.insert(column).inserted { columns.append(column) }
        return columns
    }

    // MARK: - Forms

    func tableText(terminal: Terminal = .output) -> String {
        let columns = allColumns
        let isOfMany = Set(series.map(\.device)).count > 1
        var rows: [[String]] = []
        var isNumber = columns.map { _ in true }
        for (device, time, cells) in lines(columns) {
            for (index, cell) in cells.enumerated() { if !cell.isNumberOrNull { isNumber[index] = false } }
            rows.append((isOfMany ? [device] : []) + [PeopleText.time(time)] + cells.map(\.cell))
        }
        var heading: [TextTable.Column] = isOfMany ? ["DEVICE"] : []
        heading.append(TextTable.Column("TIME (\(PeopleText.zone))"))
        heading += zip(columns, isNumber).map { TextTable.Column($0, isNumber: $1) }
        var table = TextTable(heading, rows: rows)
        table.terminal = terminal
        return table.text
    }

    func csv() -> String {
        let columns = allColumns
        let rows = lines(columns).map { device, time, cells in [device, Self.rfc3339(time)] + cells.map(\.cell) }
        return CSVLines.text(columns: ["device", "time"] + columns, rows: rows)
    }

    /// The form of the API's answer, as one page.
    var json: String {
        let all = series.map { one in
            JSONValue.object([
                "device": .string(one.device), "columns": .array(["time"].map(JSONValue.string) + one.columns.map(JSONValue.string)),
                "rows": .array(one.rows.map { .array([.string(Self.rfc3339($0.time))] + $0.cells) }),
            ])
        }
        return JSONValue.object(["table": .string(table), "series": .array(all)]).json
    }

    private func lines(_ columns: [String]) -> [(device: String, time: Int64, cells: [JSONValue])] {
        series.flatMap { one in
            let places = columns.map { one.columns.firstIndex(of: $0) }
            return one.rows.map { row in
                (
                    one.device, row.time,
                    places.map { place in place.flatMap { row.cells.indices.contains($0) ? row.cells[$0] : nil } ?? .null }
                )
            }
        }
    }

    private static func rfc3339(_ microseconds: Int64) -> String { Timestamp(microseconds: microseconds).rfc3339 }
}

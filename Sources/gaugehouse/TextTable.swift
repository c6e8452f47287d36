/// Columns aligned with spaces, as `ps` and `kubectl` print them.
struct TextTable {
    let columns: [String]
    let rows: [[String]]

    var text: String {
        let widths = columns.indices.map { column in rows.reduce(columns[column].count) { max($0, $1[column].count) } }
        return ([columns] + rows).map { line($0, widths) }.joined(separator: "\n")
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() {
            let shown = String(cell.map { $0.isNewline || $0 == "\t" ? " " : $0 })
            line += index == cells.count - 1 ? shown : shown + String(repeating: " ", count: widths[index] - shown.count + 2)
        }
        return line
    }
}

/// Columns aligned with spaces, as `ps` and `kubectl` print them. A cell is one line of visible text, whatever a stranger has put into it.
struct TextTable {
    let columns: [String]
    let rows: [[String]]

    init(columns: [String], rows: [[String]]) {
        self.columns = columns.map(Self.shown)
        self.rows = rows.map { $0.map(Self.shown) }
    }

    var text: String {
        let widths = columns.indices.map { column in rows.reduce(columns[column].count) { max($0, $1[column].count) } }
        return ([columns] + rows).map { line($0, widths) }.joined(separator: "\n")
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() {
            line += index == cells.count - 1 ? cell : cell + String(repeating: " ", count: widths[index] - cell.count + 2)
        }
        return line
    }

    /// Ends of lines and tabs as spaces; other control characters, which would command the terminal, as `\u{1b}`.
    static func shown(_ cell: String) -> String {
        var shown = ""
        for scalar in cell.unicodeScalars {
            switch scalar.value {
            case 0x09...0x0D, 0x85, 0x2028, 0x2029: shown += " "
            case 0..<0x20, 0x7F...0x9F: shown += "\\u{\(String(scalar.value, radix: 16))}"
            default: shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }
}

/// Columns aligned with spaces, as `ps` and `kubectl` print them. A cell is one line of visible text, whatever a stranger has put into it.
struct TextTable {
    struct Column: ExpressibleByStringLiteral {
        let title: String
        /// Numbers stand below each other by their last digits.
        var isNumber = false
        /// Of a cell by its text.
        var style: (@Sendable (String) -> Terminal.Style?)?

        init(_ title: String, isNumber: Bool = false, style: (@Sendable (String) -> Terminal.Style?)? = nil) {
            self.title = TextTable.shown(title)
            self.isNumber = isNumber
            self.style = style
        }

        init(stringLiteral title: String) { self.init(title) }
    }

    let columns: [Column]
    let rows: [[String]]
    var terminal = Terminal.output

    init(columns: [String], rows: [[String]]) { self.init(columns.map { Column($0) }, rows: rows) }

    init(_ columns: [Column], rows: [[String]]) {
        self.columns = columns
        self.rows = rows.map { $0.map(Self.shown) }
    }

    var text: String {
        let widths = columns.indices.map { column in rows.reduce(columns[column].title.count) { max($0, $1[column].count) } }
        let heading = line(columns.map(\.title), widths) { _, _ in .bold }
        let lines = rows.map { row in line(row, widths) { column, cell in columns[column].style?(cell) } }
        return ([heading] + lines).joined(separator: "\n")
    }

    private func line(_ cells: [String], _ widths: [Int], style: (Int, String) -> Terminal.Style?) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() {
            let padding = String(repeating: " ", count: widths[index] - cell.count)
            let text = terminal.styled(cell, style(index, cell))
            let isLast = index == cells.count - 1
            line += columns[index].isNumber ? padding + text : isLast ? text : text + padding
            if !isLast { line += "  " }
        }
        return line
    }

    /// Ends of lines and tabs as spaces; other control characters, and those that turn the direction of text, which would command the
    /// terminal or deceive its reader, as `\u{1b}`.
    static func shown(_ cell: String) -> String {
        var shown = ""
        for scalar in cell.unicodeScalars {
            switch scalar.value {
            case 0x09...0x0D, 0x85, 0x2028, 0x2029: shown += " "
            case 0..<0x20, 0x7F...0x9F, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069:
                shown += "\\u{\(String(scalar.value, radix: 16))}"
            default: shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }
}

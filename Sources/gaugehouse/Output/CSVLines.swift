/// Lines of CSV (RFC 4180), with `\n` at their ends.
enum CSVLines {
    static func line(_ cells: [String]) -> String { cells.map(quoted).joined(separator: ",") + "\n" }

    static func text(columns: [String], rows: [[String]]) -> String { ([columns] + rows).map(line).joined() }

    private static func quoted(_ cell: String) -> String {
        let needsQuotes = cell.utf8.contains { [UInt8(ascii: ","), UInt8(ascii: "\""), 0x0A, 0x0D].contains($0) }
        return needsQuotes ? "\"" + cell.replacing("\"", with: "\"\"") + "\"" : cell
    }
}

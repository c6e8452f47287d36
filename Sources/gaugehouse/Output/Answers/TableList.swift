import Foundation

/// Tables, as the API lists them.
struct TableList {
    let tables: [JSONValue]

    func csv() -> String {
        let columns = ["name", "ttl_s", "max_versions", "buckets", "partition_s", "devices", "rows", "bytes", "oldest", "newest"]
        return CSVLines.text(columns: columns, rows: tables.map { table in columns.map { table[$0].cell } })
    }

    /// - Parameter now: µs since the epoch, as the times of the answer.
    func tableText(now: Int64 = Int64(Date().timeIntervalSince1970 * 1e6), terminal: Terminal = .output) -> String {
        let rows = tables.map { table in
            [
                table["name"].cell, table["ttl_s"].integer.map { PeopleText.span(seconds: $0) } ?? table["ttl_s"].cell,
                table["devices"].cell, String(table["fields"].elements.count), table["rows"].cell,
                table["bytes"].integer.map { PeopleText.size($0) } ?? "", table["oldest"].integer.map { PeopleText.time($0) } ?? "",
                table["newest"].integer.map { PeopleText.age(now &- $0) } ?? "",
            ]
        }
        let columns: [TextTable.Column] =
            ["TABLE", "TTL"] + ["DEVICES", "FIELDS", "ROWS", "SIZE"].map { TextTable.Column($0, isNumber: true) }
            + [TextTable.Column("OLDEST (\(PeopleText.zone))"), "NEWEST"]
        var table = TextTable(columns, rows: rows)
        table.terminal = terminal
        return table.text
    }
}

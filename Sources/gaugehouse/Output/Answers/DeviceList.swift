import Foundation

/// Devices, as the API lists them.
struct DeviceList {
    private var devices: [JSONValue] = []

    /// - Returns: how many the page had.
    mutating func add(_ page: JSONValue) -> Int {
        devices += page["devices"].elements
        return page["devices"].elements.count
    }

    var json: String { JSONValue.object(["devices": .array(devices)]).json }

    /// One a line, whatever they hold.
    var ids: String { devices.map { TextTable.shown($0["id"].cell) }.joined(separator: "\n") }

    /// Those that are one word to every shell, whatever it does with it. A shell runs `$(…)` in what it is offered as a completion.
    var words: String { devices.map { $0["id"].cell }.filter(Self.isWord).joined(separator: "\n") }

    private static func isWord(_ id: String) -> Bool {
        guard let first = id.utf8.first, first != UInt8(ascii: "-") else { return false }
        return id.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: "._/:@%+-".utf8.contains(byte)
            }
        }
    }

    func csv() -> String {
        let columns = ["id", "state", "first_seen", "last_seen", "readings"]
        return CSVLines.text(columns: columns, rows: devices.map { device in columns.map { device[$0].cell } })
    }

    /// - Parameter now: µs since the epoch, as the times of the page.
    func tableText(now: Int64 = Int64(Date().timeIntervalSince1970 * 1e6), terminal: Terminal = .output) -> String {
        func age(_ time: JSONValue) -> String { time.integer.map { PeopleText.age(now &- $0) } ?? "" }
        let rows = devices.map { device in
            [device["id"].cell, device["state"].cell, age(device["last_seen"]), age(device["first_seen"]), device["readings"].cell]
        }
        let state = TextTable.Column("STATE") { text in
            switch text {
            case "online": .green
            case "stale": .yellow
            default: .red
            }
        }
        var table = TextTable(["DEVICE", state, "LAST SEEN", "FIRST SEEN", TextTable.Column("READINGS", isNumber: true)], rows: rows)
        table.terminal = terminal
        return table.text
    }
}

import Foundation

/// Deliveries, as the API lists them.
struct DeliveryList {
    let deliveries: [JSONValue]

    var json: String { JSONValue.object(["deliveries": .array(deliveries)]).json }

    /// One a line, for shells: nothing that is more than a word.
    var names: String {
        deliveries.map { $0["name"].cell }.filter { name in
            !name.isEmpty && name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
        }.joined(separator: "\n")
    }

    func tableText(terminal: Terminal = .output) -> String {
        guard !deliveries.isEmpty else { return "no deliveries" }
        let rows = deliveries.map { delivery in
            [
                delivery["name"].cell, delivery["table"].cell, delivery["mode"].cell, delivery["phase"].cell, delivery["state"].cell,
                DeliveryDetails.lag(delivery), delivery["objects"].cell, delivery["rows"].cell,
                delivery["bytes"].integer.map { PeopleText.size($0) } ?? "", delivery["error"].cell,
            ]
        }
        let columns: [TextTable.Column] =
            ["DELIVERY", "TABLE", "MODE", "PHASE", TextTable.Column("STATE", style: DeliveryDetails.style), "BEHIND"]
            + ["OBJECTS", "ROWS", "SIZE"].map { TextTable.Column($0, isNumber: true) }
            + [TextTable.Column("ERROR") { $0 == "OK" ? .green : .red }]
        var table = TextTable(columns, rows: rows)
        table.terminal = terminal
        return table.text
    }
}

/// One delivery with its history. Times are in µs.
struct DeliveryDetails {
    let delivery: JSONValue

    /// - Parameter now: µs since the epoch.
    func text(now: Int64 = Int64(Date().timeIntervalSince1970 * 1e6), terminal: Terminal = .output) -> String {
        let synced = delivery["sync_point"].integer.map { "\(PeopleText.time($0)) (\(PeopleText.age(now &- $0)))" }
        let sizes = "\(delivery["objects"].cell), \(delivery["rows"].cell) rows, \(PeopleText.size(delivery["bytes"].integer ?? 0))"
        let facts = [
            ("delivery", delivery["name"].cell), ("table", delivery["table"].cell), ("mode", delivery["mode"].cell),
            ("destination", delivery["destination"].cell), ("prefix", delivery["prefix"].cell),
            ("defined by", delivery["origin"].cell), ("phase", delivery["phase"].cell), ("state", delivery["state"].cell),
            ("error", [delivery["error"].cell, delivery["detail"].cell].filter { !$0.isEmpty }.joined(separator: ": ")),
            ("delivered up to", synced ?? ""), ("behind", Self.lag(delivery)), ("objects", sizes),
            ("dirty fields", delivery["dirty_fields"].cell), ("last object", delivery["last_object"].cell),
        ]
        let width = facts.reduce(0) { max($0, $1.0.count) }
        let lines = facts.filter { !$0.1.isEmpty }.map { name, value in
            let label = name.padding(toLength: width, withPad: " ", startingAt: 0)
            return "\(terminal.styled(label, .bold))  \(TextTable.shown(value))"
        }
        return ([lines.joined(separator: "\n")] + [history(terminal)].compactMap { $0 }).joined(separator: "\n\n")
    }

    private func history(_ terminal: Terminal) -> String? {
        let events = delivery["history"].elements
        guard !events.isEmpty else { return nil }
        let rows = events.map { event in
            [event["time"].integer.map { PeopleText.time($0) } ?? "", event["event"].cell, event["error"].cell, event["detail"].cell]
        }
        let columns = [TextTable.Column("TIME (\(PeopleText.zone))"), "EVENT", TextTable.Column("ERROR") { _ in .red }, "DETAIL"]
        var table = TextTable(columns, rows: rows)
        table.terminal = terminal
        return table.text
    }

    /// For how long rows have been due; with a word when it should not be so long.
    static func lag(_ delivery: JSONValue) -> String {
        guard let seconds = delivery["lag_s"].number, seconds > 0 else { return "" }
        let isLate = delivery["late"] == .boolean(true)
        return PeopleText.length(microseconds: UInt64(min(seconds, 1e12) * 1e6)) + (isLate ? " (late)" : "")
    }

    @Sendable static func style(_ state: String) -> Terminal.Style? {
        switch state {
        case "retrying", "invalid": .red
        case "paused": .yellow
        default: .green
        }
    }
}

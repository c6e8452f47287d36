import Foundation
import Telemetry

/// The newest values of devices, as the API gives them.
struct LatestAnswer {
    /// Those asked for; empty: all.
    let fields: [String]
    /// One device's values stand below each other.
    let isOfOne: Bool
    private var devices: [JSONValue] = []

    init(fields: [String], isOfOne: Bool) {
        self.fields = fields
        self.isOfOne = isOfOne
    }

    mutating func add(_ devices: [JSONValue]) { self.devices += devices }

    /// The first device that the table does not know.
    var unknown: String? { devices.first { $0["unknown"] == .boolean(true) }?["device"].string }

    var json: String { JSONValue.object(["rows": .array(devices)]).json }

    /// - Parameter now: µs since the epoch.
    func tableText(now: Int64 = Int64(Date().timeIntervalSince1970 * 1e6), terminal: Terminal = .output) -> String {
        var table = isOfOne ? valueTable(now: now) : fleetTable(now: now)
        table.terminal = terminal
        return table.text
    }

    private func valueTable(now: Int64) -> TextTable {
        let rows = values.map { value in
            let time = value.entry["time"].integer ?? 0
            return [value.field, value.entry["value"].cell, PeopleText.time(time), PeopleText.age(now &- time)]
        }
        return TextTable(
            ["FIELD", "VALUE", TextTable.Column("TIME (\(PeopleText.zone))"), TextTable.Column("AGE") { _ in .dim }], rows: rows)
    }

    private func fleetTable(now: Int64) -> TextTable {
        let rows = devices.map { device in
            let age = device["time"].integer.map { PeopleText.age(now &- $0) } ?? "never"
            let values = entries(of: device)
            guard fields.isEmpty else {
                return [device["device"].cell, age] + fields.map { field in values.first { $0.field == field }?.entry["value"].cell ?? "" }
            }
            return [device["device"].cell, age, values.map { "\($0.field)=\($0.entry["value"].cell)" }.joined(separator: " ")]
        }
        let columns = fields.isEmpty ? ["VALUES"] : fields.map { TextTable.Column($0) }
        return TextTable(["DEVICE", TextTable.Column("AGE") { _ in .dim }] + columns, rows: rows)
    }

    func csv() -> String {
        let rows = values.map { value in
            let time = Timestamp(microseconds: value.entry["time"].integer ?? 0).rfc3339
            return [value.device, value.field, time, value.entry["value"].cell]
        }
        return CSVLines.text(columns: ["device", "field", "time", "value"], rows: rows)
    }

    private var values: [(device: String, field: String, entry: JSONValue)] {
        devices.flatMap { device in entries(of: device).map { (device["device"].cell, $0.field, $0.entry) } }
    }

    private func entries(of device: JSONValue) -> [(field: String, entry: JSONValue)] {
        guard case .object(let values) = device["values"] else { return [] }
        return values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}

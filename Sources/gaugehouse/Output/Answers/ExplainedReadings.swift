import Foundation
import Telemetry

/// Readings as `explain` shows them.
enum ExplainedReadings {
    static func text(_ readings: [Reading], _ table: String, _ source: String) -> String {
        var rows: [[String]] = []
        for reading in readings {
            let time = reading.time?.rfc3339 ?? "(time of receipt)"
            for (name, value) in reading.fields.sorted(by: { $0.key < $1.key }) {
                rows.append([reading.device, time, name, value.type.name, text(value)])
            }
        }
        let heading = "\(readings.count) \(readings.count == 1 ? "reading" : "readings") for table \(table), \(source)\n"
        return heading + TextTable(columns: ["DEVICE", "TIME", "FIELD", "TYPE", "VALUE"], rows: rows).text
    }

    /// In the form that `POST /api/v1/write` takes.
    static func json(_ readings: [Reading], _ table: String) -> String {
        let list = readings.map { reading in
            var object: [String: JSONValue] = ["device": .string(reading.device), "fields": .object(reading.fields.mapValues(json))]
            if let time = reading.time { object["time"] = .string(time.rfc3339) }
            return JSONValue.object(object)
        }
        return JSONValue.object(["table": .string(table), "readings": .array(list)]).json
    }

    private static func text(_ value: FieldValue) -> String {
        if case .string(let text) = value { return text }
        return json(value).json
    }

    private static func json(_ value: FieldValue) -> JSONValue {
        switch value {
        case .integer(let value): .integer(value)
        case .double(let value): .double(value)
        case .boolean(let value): .boolean(value)
        case .string(let value): .string(value)
        case .binary(let bytes): .string(Data(bytes).base64EncodedString())
        }
    }
}

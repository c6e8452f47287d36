/// Live readings as lines.
struct TailOutput {
    enum Form {
        case text, json, csv
    }

    /// A device with a longer id moves its own line only.
    private static let widestDevice = 40

    let form: Form
    private var deviceWidth = 0
    private var hasHeader = false

    init(_ form: Form) { self.form = form }

    /// - Parameter data: of a `reading` event, with times as RFC 3339.
    /// - Returns: nil for data that is no reading.
    mutating func lines(_ data: String, _ reading: JSONValue) -> String? {
        guard let device = reading["device"].string, let time = reading["time"].string, case .object(let values) = reading["values"] else {
            return nil
        }
        let fields = values.sorted { $0.key < $1.key }
        switch form {
        case .json: return data + "\n"
        case .csv:
            let rows = fields.map { CSVLines.line([time, device, $0.key, $0.value.cell]) }
            defer { hasHeader = true }
            return (hasHeader ? "" : "time,device,field,value\n") + rows.joined()
        case .text:
            let shown = TextTable.shown(device)
            deviceWidth = max(deviceWidth, min(shown.count, Self.widestDevice))
            let padding = String(repeating: " ", count: max(0, deviceWidth - shown.count))
            let pairs = fields.map { TextTable.shown("\($0.key)=\($0.value.cell)") }
            return "\(Self.padded(time))  \(shown)\(padding)  \(pairs.joined(separator: "  "))\n"
        }
    }

    /// `…:00Z` and `…:00.123Z` in one column.
    private static func padded(_ time: String) -> String {
        time.count >= 27 ? time : time + String(repeating: " ", count: (time.count <= 24 ? 24 : 27) - time.count)
    }
}

import Telemetry
import TelemetryStore

/// Writes the rows of a page in any of the formats; the loop that large answers spend their time in.
struct RowWriter {
    private let layout: RowLayout
    private let columnCount: Int
    /// The columns' names as JSON members, quoted and with their colon.
    private let keys: [[UInt8]]
    /// The device as each line starts with it: a member of an object, or a cell of CSV and a comma. Empty for rows of one device.
    private var device: [UInt8] = []

    /// - Parameter device: given when rows of several devices lie among one another.
    init(columns: [String], device: String? = nil, layout: RowLayout) {
        self.layout = layout
        columnCount = columns.count
        // The row's own time and device have these names in an object.
        let reserved = device == nil ? ["time"] : ["time", "device"]
        keys = columns.map { Self.key(reserved.contains($0) ? "field_" + $0 : $0) }
        guard let device else { return }
        if layout.format == .csv {
            self.device.append(csv: device)
            self.device.append(ascii: ",")
        } else {
            var json = JSONWriter()
            json.string(device)
            self.device = Self.key("device") + json.bytes
        }
    }

    private static func key(_ name: String) -> [UInt8] {
        var name = name
        var key: [UInt8] = []
        name.withUTF8 { key.append(quotedJSON: UnsafeRawBufferPointer($0)) }
        return key + [UInt8(ascii: ":")]
    }

    /// - Parameter hasDevice: lines start with their device.
    static func writeCSVHeader(_ columns: [String], hasDevice: Bool = false, to json: inout JSONWriter) {
        json.bytes.append(text: hasDevice ? "device,time" : "time")
        for name in columns {
            json.bytes.append(ascii: ",")
            json.bytes.append(csv: name)
        }
        json.bytes.appendCSVLineEnd()
    }

    func write(_ page: RangePage, to json: inout JSONWriter) {
        for row in 0..<page.times.count {
            switch (layout.format, layout.isObjects) {
            case (.csv, _): writeCSV(row, of: page, to: &json.bytes)
            case (.ndjson, _): json.line { writeObject(row, of: page, to: &$0) }
            case (.json, true): writeObject(row, of: page, to: &json)
            case (.json, false): writeArray(row, of: page, to: &json)
            }
        }
    }

    private func writeArray(_ row: Int, of page: RangePage, to json: inout JSONWriter) {
        json.beginArray()
        json.time(page.times[row], as: layout.time)
        for index in (row * columnCount)..<((row + 1) * columnCount) { writeValue(index, of: page, to: &json) }
        json.endArray()
    }

    private func writeObject(_ row: Int, of page: RangePage, to json: inout JSONWriter) {
        json.beginObject()
        if !device.isEmpty, layout.format == .ndjson { json.raw(device) }
        json.member("time", page.times[row], as: layout.time)
        for column in 0..<columnCount {
            json.encodedKey(keys[column])
            writeValue(row * columnCount + column, of: page, to: &json)
        }
        json.endObject()
    }

    private func writeValue(_ index: Int, of page: RangePage, to json: inout JSONWriter) {
        guard let versions = page.versions else { return json.cell(page.cells[index], arena: page.bytes) }
        json.array { json in
            for version in versions.offsets[index]..<versions.offsets[index + 1] {
                json.object { json in
                    json.key("value")
                    json.cell(versions.cells[version], arena: page.bytes)
                    json.member("version", versions.times[version], as: layout.time)
                }
            }
        }
    }

    private func writeCSV(_ row: Int, of page: RangePage, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: device)
        bytes.append(time: page.times[row], as: layout.time)
        for index in (row * columnCount)..<((row + 1) * columnCount) {
            bytes.append(ascii: ",")
            bytes.append(csv: page.cells[index], arena: page.bytes)
        }
        bytes.appendCSVLineEnd()
    }
}

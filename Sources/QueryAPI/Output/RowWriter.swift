import Telemetry
import TelemetryStore

/// Writes the rows of a page in any of the formats; the loop that large answers spend their time in.
struct RowWriter {
    private let layout: RowLayout
    private let names: [String]
    /// The columns' names as JSON members, quoted and with their colon.
    private let keys: [[UInt8]]

    init(columns: [String], layout: RowLayout) {
        self.layout = layout
        names = columns
        keys = columns.map { name in
            // The row's own time has that name in an object.
            var name = name == "time" ? "field_time" : name
            var key: [UInt8] = []
            name.withUTF8 { key.append(quotedJSON: UnsafeRawBufferPointer($0)) }
            return key + [UInt8(ascii: ":")]
        }
    }

    func writeCSVHeader(to json: inout JSONWriter) {
        json.bytes.append(text: "time")
        for name in names {
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
        for index in (row * names.count)..<((row + 1) * names.count) { writeValue(index, of: page, to: &json) }
        json.endArray()
    }

    private func writeObject(_ row: Int, of page: RangePage, to json: inout JSONWriter) {
        json.beginObject()
        json.member("time", page.times[row], as: layout.time)
        for column in 0..<names.count {
            json.encodedKey(keys[column])
            writeValue(row * names.count + column, of: page, to: &json)
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
        bytes.append(time: page.times[row], as: layout.time)
        for cell in page.cells[(row * names.count)..<((row + 1) * names.count)] {
            bytes.append(ascii: ",")
            bytes.append(csv: cell, arena: page.bytes)
        }
        bytes.appendCSVLineEnd()
    }
}

import Telemetry
import TelemetryCodec

/// Dump of a log file: its header, then each record with what it defines and holds.
extension FileDump {
    func dumpLog(_ bytes: UnsafeRawBufferPointer, _ output: inout Output) throws(StoreError) {
        var walk = try reading(at: 0, "the file header is damaged") { () throws(CodecError) in try LogFileWalk(bytes) }
        let header = walk.header
        output.add(
            0, "log",
            "version \(header.version), epoch \(header.epoch), store \(DumpText.id(header.storeID)), "
                + "first reading \(header.firstSequence), \(header.isRelaxed ? "relaxed" : "synced"), \(header.fileByteCount) bytes")
        while !output.isFull, let (offset, record, payload) = walk.next() {
            output.add(
                offset, "record",
                "\(record.readingCount) readings from \(record.firstSequence), committed \(DumpText.time(record.commitTime)), "
                    + "\(record.payloadByteCount) bytes")
            try reading(at: offset, "the record is malformed") { () throws(CodecError) in
                try dumpPayload(payload, at: offset, &output)
            }
        }
        guard !output.isFull else { return }
        switch walk.end() {
        case .clean: output.add(walk.offset, "end", "zeros to the end of the file")
        case .torn: output.add(walk.offset, "end", "a record that is not whole: torn, if this is the newest file")
        case .damaged(let next): throw damage(at: walk.offset, "the record is damaged, and a valid one follows at offset \(next)")
        }
    }

    private func dumpPayload(_ payload: UnsafeRawBufferPointer, at offset: Int, _ output: inout Output) throws(CodecError) {
        var cursor = ByteCursor(payload)
        while !cursor.isAtEnd, !output.isFull {
            switch try GroupPayload.next(&cursor) {
            case .field(let table, let number, let name):
                output.add(offset, "field", "table \(table), number \(number), \(DumpText.name(name))")
            case .device(let table, let number, let name):
                output.add(offset, "device", "table \(table), number \(number), \(DumpText.name(name))")
            case .rows(let table, let count, let base, let rows):
                output.add(offset, "rows", "table \(table), \(count) rows, \(rows.count) bytes")
                if options.showsRows { try dumpRows(LoggedRows(rows, count: count, base: base), at: offset, &output) }
            case .note(let source, let bytes): output.add(offset, "note", "\(source.debugDescription), \(bytes.count) bytes")
            }
        }
    }

    private func dumpRows(_ rows: LoggedRows, at offset: Int, _ output: inout Output) throws(CodecError) {
        var rows = rows
        while !output.isFull, let row = try rows.next() {
            var cursor = ByteCursor(row.cells)
            var text = "device \(row.device), \(DumpText.time(row.time))"
            while !cursor.isAtEnd {
                let (field, cell) = try CellCoding.decode(&cursor)
                text += ", \(field)=\(DumpText.value(cell, in: row.cells))"
            }
            output.add(offset, "row", text)
        }
    }
}

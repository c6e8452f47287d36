import Telemetry
import TelemetryCodec

/// Dump of a checkpoint, which needs no catalogue: it names its tables by number. Source: docs/format/checkpoint.md.
extension FileDump {
    func dumpCheckpoint(_ bytes: UnsafeRawBufferPointer, _ output: inout Output) throws(StoreError) {
        var cursor = ByteCursor(UnsafeRawBufferPointer(rebasing: bytes.dropLast(4)))
        do throws(CodecError) {
            try dumpHeader(&cursor, &output)
            for _ in 0..<(try cursor.count(limit: cursor.remaining)) where !output.isFull { try dumpTable(&cursor, &output) }
        } catch {
            throw error.storeError(path, at: cursor.offset, "the checkpoint is malformed")
        }
        if !output.isFull { try checkSeal(bytes) }
    }

    private func dumpHeader(_ cursor: inout ByteCursor, _ output: inout Output) throws(CodecError) {
        _ = try cursor.formatVersion(magic: Checkpoint.magic, newest: Checkpoint.version)
        let (sequence, flushed) = (try cursor.fixed(UInt64.self), try cursor.fixed(UInt64.self))
        let commitTime = try cursor.fixed(Int64.self)
        output.add(
            0, "checkpoint",
            "version 1, through reading \(sequence), flushed through \(flushed), newest commit \(DumpText.time(commitTime))")
        for _ in 0..<(try cursor.count(limit: cursor.remaining)) {
            let offset = cursor.offset
            guard case .note(let source, let note) = try GroupPayload.next(&cursor) else { throw .malformed }
            output.add(offset, "note", "\(source.debugDescription), \(note.count) bytes")
        }
    }

    private func dumpTable(_ cursor: inout ByteCursor, _ output: inout Output) throws(CodecError) {
        let offset = cursor.offset
        let number = try cursor.fixed(UInt16.self)
        let (nextFlush, dropped) = (try cursor.fixed(UInt64.self), try cursor.fixed(Int64.self))
        output.add(
            offset, "table",
            "number \(number), next flush \(nextFlush), " + (dropped == .min ? "nothing dropped" : "dropped to \(DumpText.time(dropped))"))
        for field in 0..<(try cursor.count(limit: cursor.remaining)) {
            let offset = cursor.offset
            let name = try cursor.countedBytes()
            output.add(offset, "field", "table \(number), number \(field), \(DumpText.name(name))")
        }
        for device in 0..<(try cursor.count(limit: cursor.remaining)) where !output.isFull {
            try dumpDevice(&cursor, device, of: number, &output)
        }
    }

    private func dumpDevice(_ cursor: inout ByteCursor, _ device: Int, of table: UInt16, _ output: inout Output) throws(CodecError) {
        let offset = cursor.offset
        var text = "table \(table), number \(device), \(DumpText.name(try cursor.countedBytes()))"
        let firstSeen = try cursor.fixed(Int64.self)
        guard firstSeen != .max else { return output.add(offset, "device", text + ", never stored anything") }
        let (lastSeen, newest) = (try cursor.fixed(Int64.self), try cursor.fixed(Int64.self))
        let flushed = try cursor.varint()
        text += ", seen \(DumpText.time(firstSeen)) to \(DumpText.time(lastSeen)), newest time \(DumpText.time(newest))"
        output.add(offset, "device", text + ", \(flushed) flushed readings")
        for _ in 0..<(try cursor.count(limit: cursor.remaining)) {
            let offset = cursor.offset
            let time = try cursor.zigzag()
            let (field, cell) = try CellCoding.decode(&cursor)
            guard options.showsRows else { continue }
            output.add(offset, "latest", "device \(device), \(DumpText.time(time)), \(field)=\(DumpText.value(cell, in: cursor.bytes))")
        }
    }
}

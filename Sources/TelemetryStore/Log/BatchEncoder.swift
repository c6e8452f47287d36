import Telemetry
import TelemetryCodec

/// Turns a batch into the rows sections of a log record: validates, gives names their numbers, encodes. Runs in the committer's thread.
struct BatchEncoder {
    let tables: [TableCore]
    let now: Timestamp

    /// Encodes every acceptable row of `batch` into `submission`; the others are listed in its rejections.
    func encode(_ batch: borrowing ReadingBatch, into submission: Submission) {
        var index = 0
        while index < batch.rows.count {
            let table = batch.rows[index].table
            var end = index + 1
            while end < batch.rows.count, batch.rows[end].table == table { end += 1 }
            encodeRun(batch, index..<end, table: tables[Int(table)], into: submission)
            index = end
        }
    }

    /// One run of rows of one table: section header (kind, table, row count, byte count, base time), then the rows.
    private func encodeRun(_ batch: borrowing ReadingBatch, _ range: Range<Int>, table: TableCore, into submission: Submission) {
        let window = table.writeWindow(now: now)
        let base = batch.rows[range.lowerBound].time.microseconds
        let start = submission.payload.count
        submission.payload.append(LogFormat.Section.rows.rawValue)
        submission.payload.append(fixed: UInt16(table.number))
        let countOffset = submission.payload.count
        submission.payload.append(fixed: UInt32(0))
        submission.payload.append(fixed: UInt32(0))
        submission.payload.append(fixed: base)
        let rowsOffset = submission.payload.count
        var accepted = 0
        batch.bytes.withUnsafeBytes { arena in
            table.registry.withNames { names in
                for row in range {
                    let source = batch.rows[row]
                    if let reason = window.rejection(of: source.time)
                        ?? encodeRow(source, batch, arena, &names, table, base: base, into: &submission.payload)
                    {
                        submission.rejections.append(CommitReceipt.Rejection(row: row, reason: reason))
                    } else {
                        accepted += 1
                    }
                }
            }
        }
        guard accepted > 0 else {
            submission.payload.count = start
            return
        }
        submission.payload.patch(UInt32(accepted), at: countOffset)
        submission.payload.patch(UInt32(submission.payload.count - rowsOffset), at: countOffset + 4)
        submission.readingCount += accepted
    }

    /// One row: device number, time − base, byte count of its cells, cells.
    private func encodeRow(
        _ row: ReadingBatch.Row, _ batch: borrowing ReadingBatch, _ arena: UnsafeRawBufferPointer,
        _ names: inout NameRegistry.Names, _ table: TableCore, base: Int64, into output: inout RawBuffer
    ) -> RejectReason? {
        if row.fieldCount == 0 { return .noFields }
        if row.fieldCount > Limits.fieldsPerReading { return .tooManyFields }
        let start = output.count
        let name = UnsafeRawBufferPointer(rebasing: arena[row.device.range])
        if name.count == 0 { return .noDevice }
        if name.count > Limits.deviceByteCount { return .deviceTooLong }
        guard let device = names.device(name, bucketCount: table.options.buckets) else { return .deviceLimit }
        output.append(varint: UInt64(device))
        output.append(zigzag: row.time.microseconds &- base)
        let lengthOffset = output.count
        output.append(fixed: UInt32(0))
        let fields = Int(row.firstField)..<Int(row.firstField + row.fieldCount)
        for index in fields {
            let field = batch.fields[index]
            if let reason = encodeField(field, isRepeatedIn: batch, (index + 1)..<fields.upperBound, arena, &names, into: &output) {
                output.count = start
                return reason
            }
        }
        output.patch(UInt32(output.count - lengthOffset - 4), at: lengthOffset)
        return nil
    }

    private func encodeField(
        _ field: ReadingBatch.Field, isRepeatedIn batch: borrowing ReadingBatch, _ later: Range<Int>, _ arena: UnsafeRawBufferPointer,
        _ names: inout NameRegistry.Names, into output: inout RawBuffer
    ) -> RejectReason? {
        let name = UnsafeRawBufferPointer(rebasing: arena[field.name.range])
        if name.count == 0 || name.count > Limits.fieldNameByteCount { return .fieldNameTooLong }
        if field.cell.type!.isBytes, field.cell.byteCount > Limits.valueByteCount { return .valueTooLong }
        if field.cell.type == .double, !field.cell.double.isFinite { return .badValue }
        // A name given twice in one reading: the last value counts, as in every JSON parser.
        for index in later where batch.fields[index].name.count == field.name.count {
            if compareBytes(UnsafeRawBufferPointer(rebasing: arena[batch.fields[index].name.range]), name) == 0 { return nil }
        }
        guard let number = names.field(name) else { return .fieldLimit }
        CellCoding.encode(field.cell, field: number, arena: arena, into: &output)
        return nil
    }
}

extension NameRegistry.Names {
    /// Nil: the table is full.
    @inline(__always)
    mutating func device(_ name: UnsafeRawBufferPointer, bucketCount: Int) -> UInt32? {
        if let number = devices.find(name) { return number }
        return devices.count < Limits.devicesPerTable ? insertDevice(name, bucketCount: bucketCount) : nil
    }

    @inline(__always)
    mutating func field(_ name: UnsafeRawBufferPointer) -> UInt32? {
        if let number = fields.find(name) { return number }
        return fields.count < Limits.fieldsPerTable ? fields.insert(name) : nil
    }
}

/// The times that a table accepts at one moment (product.md, semantics 6).
struct WriteWindow {
    var oldest: Timestamp
    var newest: Timestamp

    @inline(__always)
    func rejection(of time: Timestamp) -> RejectReason? {
        if time < oldest { return .late }
        return time > newest ? .future : nil
    }
}

import Telemetry
import TelemetryCodec

/// Turns a batch into the rows sections of a log record: validates, gives names their numbers, encodes. Runs in the committer's thread.
struct BatchEncoder {
    let tables: [TableCore]
    let now: Timestamp

    /// Encodes every acceptable row of `batch` into `submission`; the others are listed in its rejections.
    func encode(_ batch: borrowing ReadingBatch, into submission: Submission) {
        submission.payload.reserve(batch.bytes.count + batch.fields.count * 8 + batch.rows.count * RunEncoder.rowHeaderByteLimit)
        var refused = batch.refusals[...]
        var index = 0
        while index < batch.rows.count {
            if refused.first?.row == index {
                submission.rejections.append(CommitReceipt.Rejection(row: index, reason: .rateLimited))
                refused.removeFirst()
                index += 1
                continue
            }
            let table = batch.rows[index].table
            let limit = refused.first?.row ?? batch.rows.count
            var end = index + 1
            while end < limit, batch.rows[end].table == table { end += 1 }
            encodeRun(batch, index..<end, table: tables[Int(table)], into: submission)
            index = end
        }
    }

    /// One run of rows of one table: section header (kind, table, row count, byte count, base time), then the rows.
    private func encodeRun(_ batch: borrowing ReadingBatch, _ range: Range<Int>, table: TableCore, into submission: Submission) {
        let base = batch.rows[range.lowerBound].time.microseconds
        let start = submission.payload.count
        submission.payload.append(LogFormat.Section.rows.rawValue)
        submission.payload.append(fixed: UInt16(table.number))
        let countOffset = submission.payload.count
        submission.payload.append(fixed: UInt32(0))
        submission.payload.append(fixed: UInt32(0))
        submission.payload.append(fixed: base)
        let rowsOffset = submission.payload.count
        let window = table.writeWindow(now: now)
        let accepted = batch.rows.withUnsafeBufferPointer { rows in
            batch.fields.withUnsafeBufferPointer { fields in
                batch.bytes.withUnsafeBytes { arena in
                    var run = RunEncoder(rows: rows, fields: fields, arena: arena, window: window, base: base)
                    return run.encode(range, table, into: submission)
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

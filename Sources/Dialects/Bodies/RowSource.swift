import Telemetry

/// A format of rows: lines, records, one reading each. MQTT takes all rows of a message or none; HTTP keeps the good ones.
protocol RowSource: ~Copyable {
    /// Takes a new payload in hand.
    ///
    /// - Throws: nothing of the payload can be read.
    mutating func open(_ payload: UnsafeRawBufferPointer, origin: MessageOrigin, in batch: borrowing ReadingBatch) throws(Rejection)

    /// Appends the next row's reading, if the filter leaves any of it.
    ///
    /// - Returns: false behind the last row.
    /// - Throws: the row is bad. Its half-built reading may still be in the batch; the next call takes the row after it.
    mutating func next(into batch: inout ReadingBatch) throws(Rejection) -> Bool

    /// Number of the line on which the row read last begins, counted from 1.
    var line: Int { get }

    /// Lines that the row read last took, because a quote of it is never closed; otherwise 1.
    var takenLineCount: Int { get }
}

extension RowSource where Self: ~Copyable {
    var takenLineCount: Int { 1 }

    mutating func decode(_ message: InboundMessage, into batch: inout ReadingBatch) -> DecodeOutcome {
        let firstRow = batch.count
        var hasRows = false
        do throws(Rejection) {
            try open(message.payload, origin: message.origin, in: batch)
            while try next(into: &batch) { hasRows = true }
        } catch {
            batch.removeRows(from: firstRow)
            let place = line > 1 ? "line \(line): " : ""
            return .rejected(Rejection(error.reason, place + error.detail))
        }
        if batch.count > firstRow { return .readings(areTimedByReceipt: false) }
        return hasRows ? .allExcluded : .ignored("no row of data")
    }
}

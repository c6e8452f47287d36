import Telemetry

/// What the body of a write is written in.
package enum BodyFormat: Sendable {
    /// One native reading, or a list of them.
    case json
    /// One native reading a line.
    case jsonLines
    case csv
    case lineProtocol
}

/// Where a reading stands in a body.
package struct RowPlace: Sendable, Equatable {
    /// Among the body's readings, counted from 0; headings, comments and blank lines are none.
    package var index: Int
    /// Its first line, counted from 1; nil in formats without lines.
    package var line: Int?

    package init(index: Int, line: Int?) {
        self.index = index
        self.line = line
    }
}

/// A body, read: the good readings are in the batch.
package struct BodyContents: Sendable {
    package struct BadRow: Sendable {
        package var place: RowPlace
        package var rejection: Rejection
    }

    /// A body may have as many bad rows as it has bytes; who sent it is shown this many.
    package static let listedRowCount = 50

    /// Places of the readings in the batch.
    package fileprivate(set) var places: [RowPlace] = []
    package fileprivate(set) var rejected: [RejectReason: Int] = [:]
    /// The first bad rows.
    package fileprivate(set) var badRows: [BadRow] = []

    /// Takes the places of rows out that are no longer in the batch.
    ///
    /// - Parameter rows: ascending.
    /// - Returns: those places.
    package mutating func removePlaces(ofRows rows: [Int]) -> [RowPlace] {
        var removed: [RowPlace] = []
        places = places.enumerated().compactMap { row, place in
            guard removed.count < rows.count, row == rows[removed.count] else { return place }
            removed.append(place)
            return nil
        }
        return removed
    }

    /// - Parameter count: rows that are lost with it, itself included.
    fileprivate mutating func reject(_ place: RowPlace, _ rejection: Rejection, count: Int = 1) {
        rejected[rejection.reason, default: 0] += count
        if badRows.count < Self.listedRowCount { badRows.append(BadRow(place: place, rejection: rejection)) }
    }
}

/// Reads bodies of HTTP writes, whose good readings are stored whatever else is in them.
package enum BodyDecoder {
    /// Appends every good reading of a body.
    ///
    /// - Parameter options: unit of times, device tag, tags, measurement; of lines and CSV.
    /// - Throws: nothing of the body can be read, or it has more readings than a batch takes; the batch is then as it was.
    package static func decode(
        _ body: UnsafeRawBufferPointer, format: BodyFormat, options: DialectOptions, table: TableNumber, into batch: inout ReadingBatch
    ) throws(Rejection) -> BodyContents {
        // A body's limit is the batch's; see `RowSource`.
        var limit = MessageLimit()
        (limit.readingCount, limit.byteCount) = (.max, .max)
        switch format {
        case .json:
            return try decodeJSON(body, table: table, into: &batch)
        case .jsonLines:
            var lines = JSONLines(table: table)
            return try decode(body, &lines, table, into: &batch)
        case .csv:
            var csv = CSVDialect(options, limit: limit)
            return try decode(body, &csv, table, into: &batch)
        case .lineProtocol:
            var lines = LineProtocolDialect(options, limit: limit)
            return try decode(body, &lines, table, into: &batch)
        }
    }

    private static func decodeJSON(
        _ body: UnsafeRawBufferPointer, table: TableNumber, into batch: inout ReadingBatch
    ) throws(Rejection) -> BodyContents {
        var decoder = JSONReadingDecoder()
        var decoded = BodyContents()
        var next = 0
        func place(upTo end: Int) {
            while next < end {
                decoded.places.append(RowPlace(index: next, line: nil))
                next += 1
            }
        }
        let count = try decoder.decodeNative(body, table: table, into: &batch) { index, rejection in
            place(upTo: index)
            next = index + 1
            decoded.reject(RowPlace(index: index, line: nil), rejection)
        }
        place(upTo: count)
        return decoded
    }

    private static func decode<Source: RowSource & ~Copyable>(
        _ body: UnsafeRawBufferPointer, _ source: inout Source, _ table: TableNumber, into batch: inout ReadingBatch
    ) throws(Rejection) -> BodyContents {
        let firstRow = batch.count
        var decoded = BodyContents()
        try source.open(body, origin: MessageOrigin(table: table, device: nil, fields: .init(start: nil, count: 0)), in: batch)
        var index = 0
        while true {
            let row = batch.count
            do throws(Rejection) {
                guard try source.next(into: &batch) else { break }
                if batch.count > row { decoded.places.append(RowPlace(index: index, line: source.line)) }
            } catch {
                batch.removeRows(from: row)
                // A full batch took no more of a format that asks it first.
                guard !(batch.isFull && error.reason == .payloadTooLong) else {
                    batch.removeRows(from: firstRow)
                    throw tooManyReadings
                }
                decoded.reject(RowPlace(index: index, line: source.line), error, count: source.takenLineCount)
            }
            guard index < Limits.readingsPerBatch, batch.count <= Limits.readingsPerBatch, batch.bytes.count <= Limits.batchByteCount else {
                batch.removeRows(from: firstRow)
                throw tooManyReadings
            }
            index += 1
        }
        return decoded
    }

    private static let tooManyReadings = Rejection(
        .payloadTooLong,
        "more than \(Limits.readingsPerBatch) readings or \(Limits.batchByteCount) bytes of names and values in one body")
}

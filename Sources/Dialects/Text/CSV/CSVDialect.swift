import Telemetry

/// `csv`: one reading a record; names of the columns in the first record, or in the options.
///
/// A column called `deviceTag` names the device where the topic does not; one called `timeKey`, or `time`, `ts`, `timestamp` in any case,
/// has the time. Types are told cell by cell (`Scalar`), in quotes or not; an empty cell is no value. A column without a name is left out.
struct CSVDialect: RowSource, ~Copyable {
    private struct Column {
        /// In `names`; empty: left out.
        var name: Range<Int>
    }

    private let givenColumns: [[UInt8]]
    private let deviceTag: [UInt8]
    private let timeKey: [UInt8]?
    private let time: TimeReader
    private var builder: ReadingBuilder
    private var scanner = CSVScanner()
    private var columns: [Column] = []
    private var names = ScratchBytes()
    private var timeColumn: Int?
    /// Nil: the topic names the device.
    private var deviceColumn: Int?

    init(_ options: DialectOptions, limit: MessageLimit = MessageLimit()) {
        givenColumns = options.columns.map { Array($0.utf8) }
        deviceTag = Array(options.deviceTag.utf8)
        timeKey = options.timeKey.map { Array($0.utf8) }
        time = TimeReader(options)
        builder = ReadingBuilder(filter: FieldFilter(include: options.include, exclude: options.exclude), limit: limit)
    }

    var line: Int { scanner.line }
    var takenLineCount: Int { scanner.takenLineCount }

    mutating func open(_ payload: UnsafeRawBufferPointer, origin: MessageOrigin, in batch: borrowing ReadingBatch) throws(Rejection) {
        builder.start(origin, in: batch)
        columns.removeAll(keepingCapacity: true)
        names.removeAll()
        scanner.start(payload, columnCount: givenColumns.isEmpty ? nil : givenColumns.count)
        if givenColumns.isEmpty {
            guard try scanner.next() else { return }
            for index in 0..<scanner.count { addColumn(scanner[index]) }
        } else {
            for column in givenColumns { column.withUnsafeBytes { addColumn($0) } }
        }
        try checkNames()
        timeColumn = columns.indices.first { isTime(name($0)) }
        deviceColumn = origin.device == nil ? columns.indices.first { name($0).elementsEqual(deviceTag) } : nil
        guard origin.device != nil || deviceColumn != nil else {
            throw Rejection(
                .noDevice,
                "no column \"\(String(decoding: deviceTag, as: UTF8.self))\" names the device; device_tag says which column does")
        }
    }

    mutating func next(into batch: inout ReadingBatch) throws(Rejection) -> Bool {
        guard try scanner.next() else { return false }
        guard scanner.count == columns.count else {
            throw Rejection(.undecodable, "\(scanner.count) cells under \(columns.count) columns")
        }
        let device = deviceColumn.map { scanner[$0] }
        guard device?.isValidUTF8 ?? true else { throw .notText }
        try builder.begin(device: device, time: try rowTime(), in: &batch)
        for index in columns.indices where index != timeColumn && index != deviceColumn && !columns[index].name.isEmpty {
            let cell = scanner[index]
            guard cell.isValidUTF8 else { throw .notText }
            try builder.append(name(index), scalar: cell, in: &batch)
        }
        try builder.end(in: &batch)
        return true
    }

    private func name(_ index: Int) -> UnsafeRawBufferPointer { names.bytes.slice(columns[index].name) }

    private mutating func addColumn(_ name: UnsafeRawBufferPointer) {
        let start = names.count
        names.append(name)
        columns.append(Column(name: start..<names.count))
    }

    private func checkNames() throws(Rejection) {
        for index in columns.indices where !columns[index].name.isEmpty {
            guard name(index).isValidUTF8 else { throw .notText }
            guard name(index).count <= Limits.fieldNameByteCount else {
                throw Rejection(
                    .fieldNameTooLong, "column \"\(excerpt(name(index)))\": a name of more than \(Limits.fieldNameByteCount) bytes")
            }
            if (0..<index).contains(where: { name($0).equals(name(index)) }) {
                throw Rejection(.undecodable, "two columns are called \"\(excerpt(name(index)))\"")
            }
        }
    }

    private func isTime(_ name: UnsafeRawBufferPointer) -> Bool {
        if let timeKey { return name.elementsEqual(timeKey) }
        return name.equalsIgnoringCase("time") || name.equalsIgnoringCase("ts") || name.equalsIgnoringCase("timestamp")
    }

    /// Nil: the time of receipt.
    private func rowTime() throws(Rejection) -> Timestamp? {
        guard let timeColumn else { return nil }
        let cell = scanner[timeColumn]
        guard !cell.isEmpty else { return nil }
        let time: Timestamp? =
            switch NumberText.read(cell) {
            case .integer(let value): time.time(value)
            case .double(let value): time.time(value)
            case .tooBig: nil
            case nil: time.time(cell)
            }
        guard let time else {
            if self.time.lacksZone(cell) { throw .noZone(cell) }
            throw Rejection(.badTime, "\"\(excerpt(cell))\" is no time: an epoch number or RFC 3339 with a zone is")
        }
        return time
    }
}

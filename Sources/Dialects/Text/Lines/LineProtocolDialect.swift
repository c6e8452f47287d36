import Telemetry

/// `line-protocol`: InfluxDB's lines, `measurement[,tag=value…] field=value[,field=value…] [time]`.
///
/// The device is the tag `deviceTag`, or the topic's. Its other tags name the series, see `DialectOptions.TagPolicy`.
/// Source: https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/ and, where that leaves a choice, InfluxDB's own
/// parser (models/points.go): in names a backslash is an escape only before a comma, a blank or an equals sign.
struct LineProtocolDialect: RowSource, ~Copyable {
    private let tags: DialectOptions.TagPolicy
    private let measurement: DialectOptions.MeasurementPolicy
    private let deviceTag: [UInt8]
    private let time: TimeReader
    private var builder: ReadingBuilder
    private var lines = LineScanner()
    private var origin = MessageOrigin(table: 0, device: nil, fields: UnsafeBufferPointer(start: nil, count: 0))
    private var tagSet = LineTags()
    private var name = ScratchBytes()
    private var text = ScratchBytes()

    init(_ options: DialectOptions, limit: MessageLimit = MessageLimit()) {
        tags = options.tags
        measurement = options.measurement
        deviceTag = Array(options.deviceTag.utf8)
        time = TimeReader(options)
        builder = ReadingBuilder(filter: FieldFilter(include: options.include, exclude: options.exclude), limit: limit)
    }

    var line: Int { lines.number }
    var takenLineCount: Int { lines.takenLineCount }

    mutating func open(_ payload: UnsafeRawBufferPointer, origin: MessageOrigin, in batch: borrowing ReadingBatch) throws(Rejection) {
        self.origin = origin
        lines.start(payload)
        // The tags decide on the device, the topic's name included.
        var anonymous = origin
        anonymous.device = nil
        builder.start(anonymous, in: batch)
    }

    mutating func next(into batch: inout ReadingBatch) throws(Rejection) -> Bool {
        guard let line = lines.next() else { return false }
        guard line.count <= Limits.payloadByteCount else { throw .payloadTooLong(line.count) }
        guard line.isValidUTF8 else { throw .notText }
        var cursor = LineCursor(line, number: lines.number)
        name.removeAll()
        LineCursor.unescape(try cursor.measurement(), into: &name)
        try tagSet.read(&cursor)
        try builder.begin(device: try device(before: cursor), time: nil, in: &batch)
        if tags == .fields { try appendTags(to: &batch) }
        try appendFields(&cursor, to: &batch)
        if let time = try time(behind: &cursor) { batch.setTime(time) }
        try builder.end(in: &batch)
        return true
    }

    /// The device that the tags name. A line without one may be no line at all: then its grammar is what is wrong.
    private mutating func device(before cursor: LineCursor) throws(Rejection) -> UnsafeRawBufferPointer {
        do throws(Rejection) {
            return try tagSet.device(deviceTag, topic: origin.device, policy: tags)
        } catch {
            var rest = cursor
            repeat {
                let (key, value) = try rest.field()
                if case .malformed = LineValue(value) { throw .malformed(value, field: key) }
            } while rest.skipComma()
            _ = try time(behind: &rest)
            throw error
        }
    }

    /// Nil: there is none.
    private func time(behind cursor: inout LineCursor) throws(Rejection) -> Timestamp? {
        guard let stamp = cursor.timestamp() else { return nil }
        guard let number = NumberText.integer(stamp), let time = time.time(number) else {
            throw Rejection(.badTime, "\"\(excerpt(stamp))\" is no time; it must be a whole number behind the fields")
        }
        return time
    }

    private mutating func appendTags(to batch: inout ReadingBatch) throws(Rejection) {
        for index in 0..<tagSet.count where !tagSet.isDevice(index) {
            try builder.append(tagSet.key(index), string: tagSet.value(index), in: &batch)
        }
    }

    private mutating func appendFields(_ cursor: inout LineCursor, to batch: inout ReadingBatch) throws(Rejection) {
        let prefix = measurement == .prefix ? name.count : 0
        repeat {
            let (key, value) = try cursor.field()
            name.pop(to: prefix)
            if prefix > 0 { name.append(UInt8(ascii: ".")) }
            LineCursor.unescape(key, into: &name)
            try append(value, to: &batch)
        } while cursor.skipComma()
    }

    /// Appends the field whose name is in `name`.
    private mutating func append(_ value: UnsafeRawBufferPointer, to batch: inout ReadingBatch) throws(Rejection) {
        let name = name.bytes
        switch LineValue(value) {
        case .integer(let integer): try builder.append(name, integer: integer, in: &batch)
        case .double(let double): try builder.append(name, double: double, in: &batch)
        case .boolean(let boolean): try builder.append(name, boolean: boolean, in: &batch)
        case .string(let quoted):
            text.removeAll()
            try builder.append(name, string: LineCursor.unescapedString(quoted, memory: &text), in: &batch)
        case .tooBig: throw .numberTooBig(value, field: name)
        case .malformed: throw .malformed(value, field: name)
        }
    }
}

extension Rejection {
    fileprivate static func malformed(_ value: UnsafeRawBufferPointer, field name: UnsafeRawBufferPointer) -> Rejection {
        Rejection(.undecodable, "field \"\(excerpt(name))\": \"\(excerpt(value))\" is no number, boolean or quoted text")
    }
}

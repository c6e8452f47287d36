import Telemetry

/// Turns objects of a tape into readings. What the dialects of JSON and CBOR have in common; each of them is an extension of this.
///
/// Nested names are joined by dots (`a.b`, `list.0`), nulls are skipped, a name given twice keeps its last value. Owns all memory that
/// decoding needs and allocates nothing for a payload once it has grown. One thread at a time.
struct ObjectReader: ~Copyable {
    var builder: ReadingBuilder
    var jsonParser = JSONTapeParser()
    var cborParser = CBORTapeParser()
    let times: TimeReader
    /// A binary that was written as text.
    var decodedBytes: [UInt8] = []
    /// `time_key` of the subscription, wins over the dialect's: the name that the time would have as a field.
    private let timeKey: [UInt8]?
    /// Dotted name of the field under way.
    private var path = FieldPath()
    /// The value found below `timeKey` in the reading under way.
    private var timeBelowKey: TapeValue?

    init(_ options: DialectOptions = DialectOptions(), limit: MessageLimit = MessageLimit()) {
        builder = ReadingBuilder(filter: FieldFilter(include: options.include, exclude: options.exclude), limit: limit)
        times = TimeReader(options)
        timeKey = options.timeKey.map { Array($0.utf8) }
    }

    /// Appends the one reading that `value` is, or each of a list of them.
    ///
    /// - Parameter device: what the payload calls the device, where that stands outside the object.
    mutating func readAll(
        _ value: TapeValue, as shape: ObjectShape, device: UnsafeRawBufferPointer? = nil, into batch: inout ReadingBatch
    ) throws(Rejection) {
        switch value.kind {
        case .object: try read(value, as: shape, device: device, into: &batch)
        case .array: for element in value.elements { try read(element, as: shape, device: device, into: &batch) }
        default: throw Rejection(.undecodable, "neither an object nor a list of objects")
        }
    }

    /// Appends one reading.
    mutating func read(
        _ object: TapeValue, as shape: ObjectShape, device: UnsafeRawBufferPointer? = nil, into batch: inout ReadingBatch
    ) throws(Rejection) {
        guard object.kind == .object else { throw Rejection(.undecodable, "not an object") }
        let hasEnvelope = hasEnvelope(object, shape)
        if shape.envelope == .native, !hasEnvelope {
            throw Rejection(.undecodable, "a reading is {\"device\":…,\"time\":…,\"fields\":{…}} and has no other keys")
        }
        let needsDevice = builder.needsDevice && device == nil
        let named = needsDevice && shape.hasDeviceKey ? try deviceKey(of: object) : nil
        try builder.begin(device: device ?? named, time: nil, in: &batch)
        timeBelowKey = nil
        var time: TapeValue?
        for (key, value) in object.members {
            if time == nil, isTime(key, shape) {
                time = value.kind == .null ? nil : value
            } else if hasEnvelope {
                // A second time beside an envelope is no field of it.
                if key.text.map(shape.isEnvelope) == true { try appendMembers(of: value, into: &batch) }
            } else if !(needsDevice && key.text.map(shape.isDevice) == true) {
                try append(key, value, into: &batch)
            }
        }
        if let value = time ?? timeBelowKey, let time = try timestamp(value, shape) { batch.setTime(time) }
        try builder.end(in: &batch)
    }

    /// Nothing but times, a device and one object named as the shape says: the reading's fields are in there.
    private func hasEnvelope(_ object: TapeValue, _ shape: ObjectShape) -> Bool {
        if shape.envelope == .none { return false }
        var envelopeCount = 0
        for (key, value) in object.members {
            guard let name = key.text else { return false }
            if value.kind == .object, shape.isEnvelope(name) {
                envelopeCount += 1
            } else if !isTime(key, shape), !shape.isDevice(name) {
                return false
            }
        }
        return envelopeCount == 1
    }

    private func deviceKey(of object: TapeValue) throws(Rejection) -> UnsafeRawBufferPointer {
        guard let value = object.member("device"), value.kind != .null else {
            throw Rejection(.noDevice, "neither the topic nor a key \"device\" names the device")
        }
        guard let device = value.text else { throw Rejection(.noDevice, "the key \"device\" must be text") }
        return device
    }

    private func isTime(_ key: TapeValue, _ shape: ObjectShape) -> Bool {
        guard let name = key.text else { return false }
        if let timeKey { return name.elementsEqual(timeKey) }
        return shape.isTime(name)
    }
}

// MARK: - Fields

extension ObjectReader {
    /// Names what `append` appends from here on `part.…`.
    mutating func push(_ part: UnsafeRawBufferPointer) throws(Rejection) { try path.push(part) }
    /// Appends to the last part.
    mutating func extendPath(_ suffix: StaticString) throws(Rejection) { try path.extend(UnsafeRawBufferPointer(suffix)) }
    /// The name under way.
    var pathName: UnsafeRawBufferPointer { path.name }
    /// Back to names without a prefix.
    mutating func removePath() { path.removeAll() }

    /// Appends a value, or all values below it.
    mutating func append(_ key: TapeValue, _ value: TapeValue, into batch: inout ReadingBatch) throws(Rejection) {
        // Most payloads are flat: their names stay where the parser put them.
        if path.count == 0, let name = key.text, value.kind != .object, value.kind != .array {
            return try appendScalar(name, value, into: &batch)
        }
        let outer = path.count
        if let name = key.text { try path.push(name) } else { try path.push(index: Int(key.integer)) }
        try appendBelow(value, into: &batch)
        path.pop(to: outer)
    }

    /// Appends what lies below an object or a list.
    mutating func appendMembers(of value: TapeValue, into batch: inout ReadingBatch) throws(Rejection) {
        for (key, member) in value.members { try append(key, member, into: &batch) }
        var index = 0
        for element in value.elements {
            let outer = path.count
            try path.push(index: index)
            try appendBelow(element, into: &batch)
            path.pop(to: outer)
            index += 1
        }
    }

    /// Appends a value, or all values below it, by the name on the path.
    mutating func appendBelow(_ value: TapeValue, into batch: inout ReadingBatch) throws(Rejection) {
        switch value.kind {
        case .object, .array: try appendMembers(of: value, into: &batch)
        default: try appendScalar(path.name, value, into: &batch)
        }
    }

    private mutating func appendScalar(
        _ name: UnsafeRawBufferPointer, _ value: TapeValue, into batch: inout ReadingBatch
    ) throws(Rejection) {
        if let timeKey, timeBelowKey == nil, value.kind != .null, name.elementsEqual(timeKey) {
            timeBelowKey = value
            return
        }
        switch value.kind {
        case .integer: try builder.append(name, integer: value.integer, in: &batch)
        case .double: try builder.append(name, double: value.double, in: &batch)
        case .boolean: try builder.append(name, boolean: value.boolean, in: &batch)
        case .text: try builder.append(name, string: value.bytes, in: &batch)
        case .binary: try builder.append(name, binary: value.bytes, in: &batch)
        case .null: try builder.check(name)
        case .bigInteger: throw Rejection(.badValue, "field \"\(excerpt(name))\": an integer beyond 64 bits")
        case .object, .array: preconditionFailure("not a scalar")
        }
    }
}

// MARK: - Times

extension ObjectReader {
    /// Tasmota's limit, and good for all: a clock that shows less has not been set yet. 2016-01-01.
    private static let earliestTime = Timestamp(microseconds: 1_451_602_800_000_000)

    /// Nil: the time is in doubt, and the shape's devices are known for that.
    func timestamp(_ value: TapeValue, _ shape: ObjectShape) throws(Rejection) -> Timestamp? {
        let time = timestamp(value)
        guard shape.hasDoubtfulTimes else {
            guard let time else { throw badTime(value) }
            return time
        }
        guard let time else {
            guard let text = value.text, times.lacksZone(text) else { throw badTime(value) }
            return nil
        }
        return time < Self.earliestTime ? nil : time
    }

    private func badTime(_ value: TapeValue) -> Rejection {
        if let text = value.text, times.lacksZone(text) { return .noZone(text) }
        return .badTime(value)
    }

    /// Nil when the value is no time: unzoned or other text, a boolean, an object, a number beyond 64 bits.
    func timestamp(_ value: TapeValue) -> Timestamp? {
        let times = value.isEpochSeconds ? .seconds : times
        return switch value.kind {
        case .integer: times.time(value.integer)
        case .double: times.time(value.double)
        case .text: times.time(value.bytes)
        default: nil
        }
    }
}

extension Rejection {
    static func badTime(_ value: TapeValue) -> Rejection {
        guard let text = value.text else {
            return Rejection(.badTime, "the time must be an epoch number or RFC 3339 text with a zone")
        }
        let isNumber = Double(String(decoding: text, as: UTF8.self)) != nil
        let advice =
            isNumber ? "write an epoch number without quotes" : "write RFC 3339 with a zone, as in 2025-11-24T16:00:00Z"
        return Rejection(.badTime, "\"\(excerpt(text))\": \(advice)")
    }

    static func noZone(_ text: UnsafeRawBufferPointer) -> Rejection {
        Rejection(
            .badTime,
            "\"\(excerpt(text))\" has no zone: write one, as in 2025-11-24T16:00:00Z; of a subscription, time_zone says which it is")
    }

    package static func payloadTooLong(_ byteCount: Int) -> Rejection {
        Rejection(.payloadTooLong, "\(byteCount) bytes; at most \(Limits.payloadByteCount)")
    }

    static func fieldNameTooLong(_ name: UnsafeRawBufferPointer) -> Rejection {
        Rejection(.fieldNameTooLong, "field \"\(excerpt(name))\": a field's name has at most \(Limits.fieldNameByteCount) bytes")
    }

    static func deviceTooLong(_ byteCount: Int) -> Rejection {
        Rejection(.deviceTooLong, "a device id of \(byteCount) bytes; at most \(Limits.deviceByteCount)")
    }
}

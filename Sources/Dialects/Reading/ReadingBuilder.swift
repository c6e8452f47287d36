import Telemetry

/// Builds the readings of one message, by the rules that hold for every format: limits, the topic's fields, include and exclude.
///
/// A dialect calls `begin`, any number of `append`s and `end` for each reading. Whoever began the message takes all its rows back when
/// one of them throws.
struct ReadingBuilder {
    private let filter: FieldFilter
    var limit: MessageLimit
    private var origin = MessageOrigin(table: 0, device: nil, fields: UnsafeBufferPointer(start: nil, count: 0))
    private var firstRow = 0
    private var firstByte = 0
    /// Of the reading under construction, without the topic's.
    private var fieldCount = 0
    private var excludedCount = 0
    /// Of the message: readings that lost all their fields to the filter.
    private(set) var emptiedCount = 0

    /// Fields that the topic gives to every reading.
    var topicFieldCount: Int { origin.fields.count }

    init(filter: FieldFilter = FieldFilter(), limit: MessageLimit = MessageLimit()) {
        self.filter = filter
        self.limit = limit
    }

    /// Call once for each message, before its first reading.
    mutating func start(_ origin: MessageOrigin, in batch: borrowing ReadingBatch) {
        self.origin = origin
        (firstRow, firstByte) = (batch.count, batch.bytes.count)
        emptiedCount = 0
    }

    /// The payload has to name the device.
    var needsDevice: Bool { origin.device == nil }

    /// - Parameter device: what the payload calls the device; the topic's name wins.
    /// - Parameter time: nil: the time of receipt.
    mutating func begin(device: UnsafeRawBufferPointer?, time: Timestamp?, in batch: inout ReadingBatch) throws(Rejection) {
        guard let device = origin.device ?? device else {
            throw Rejection(.noDevice, "neither the topic nor the payload names the device")
        }
        guard device.count > 0 else { throw Rejection(.noDevice, "the device id is empty") }
        guard device.count <= Limits.deviceByteCount else { throw .deviceTooLong(device.count) }
        (fieldCount, excludedCount) = (0, 0)
        batch.beginReading(table: origin.table, device: device, time: time)
        for field in origin.fields { batch.appendField(name: field.name, type: .string, bytes: field.value) }
    }

    mutating func append(_ name: UnsafeRawBufferPointer, integer value: Int64, in batch: inout ReadingBatch) throws(Rejection) {
        if try takes(name) { batch.appendField(name: name, integer: value) }
    }

    /// NaN and infinities are no values: the field is left out, as null is.
    mutating func append(_ name: UnsafeRawBufferPointer, double value: Double, in batch: inout ReadingBatch) throws(Rejection) {
        guard value.isFinite else { return }
        if try takes(name) { batch.appendField(name: name, double: value) }
    }

    mutating func append(_ name: UnsafeRawBufferPointer, boolean value: Bool, in batch: inout ReadingBatch) throws(Rejection) {
        if try takes(name) { batch.appendField(name: name, boolean: value) }
    }

    /// - Parameter value: valid UTF-8; the caller has checked.
    mutating func append(_ name: UnsafeRawBufferPointer, string value: UnsafeRawBufferPointer, in batch: inout ReadingBatch)
        throws(Rejection)
    {
        try append(name, .string, value, in: &batch)
    }

    mutating func append(_ name: UnsafeRawBufferPointer, binary value: UnsafeRawBufferPointer, in batch: inout ReadingBatch)
        throws(Rejection)
    {
        try append(name, .binary, value, in: &batch)
    }

    /// Ends the reading. One whose fields were all excluded is taken back.
    mutating func end(in batch: inout ReadingBatch) throws(Rejection) {
        guard fieldCount > 0 else {
            guard excludedCount > 0 else { throw Rejection(.noFields, "no field with a value") }
            batch.cancelReading()
            emptiedCount += 1
            return
        }
        batch.endReading()
        guard batch.count - firstRow <= limit.readingCount, batch.bytes.count - firstByte <= limit.byteCount else {
            throw Rejection(.payloadTooLong, "more than \(limit.readingCount) readings or \(limit.byteCount) bytes of names and values")
        }
    }

    /// What the device's connection is in from now on. Neither `include` nor `exclude` is about this field.
    mutating func appendState(isOnline: Bool, in batch: inout ReadingBatch) {
        batch.appendField(
            name: UnsafeRawBufferPointer(ReservedField.state), type: .string,
            bytes: UnsafeRawBufferPointer(isOnline ? ReservedField.online : ReservedField.offline))
        fieldCount += 1
    }

    /// What has become of a message whose readings have all been ended.
    func outcome(areTimedByReceipt: Bool = false, in batch: borrowing ReadingBatch) throws(Rejection) -> DecodeOutcome {
        if batch.count > firstRow { return .readings(areTimedByReceipt: areTimedByReceipt) }
        guard emptiedCount > 0 else { throw Rejection(.noFields, "the list is empty") }
        return .ignored("every field is excluded")
    }

    /// Whether a field may be called that. The state is only for `appendState`: a payload cannot put words of its own there.
    func check(_ name: UnsafeRawBufferPointer) throws(Rejection) {
        guard name.count > 0 else { throw Rejection(.undecodable, "a field's name is empty") }
        guard !(name == ReservedField.state) else {
            throw Rejection(.badValue, "field \"\(ReservedField.state)\": the name is reserved for the state of the device's connection")
        }
        guard name.count <= Limits.fieldNameByteCount else {
            throw .fieldNameTooLong(name)
        }
    }

    private mutating func append(
        _ name: UnsafeRawBufferPointer, _ type: FieldType, _ value: UnsafeRawBufferPointer, in batch: inout ReadingBatch
    ) throws(Rejection) {
        guard value.count <= Limits.valueByteCount else {
            throw Rejection(.valueTooLong, "field \"\(excerpt(name))\": more than \(Limits.valueByteCount) bytes")
        }
        if try takes(name) { batch.appendField(name: name, type: type, bytes: value) }
    }

    /// Whether the field is to be stored; counts it. Once for each field: what nearly all names are is asked first.
    @inline(__always)
    private mutating func takes(_ name: UnsafeRawBufferPointer) throws(Rejection) -> Bool {
        let isPlain = name.count > 0 && name.count <= Limits.fieldNameByteCount && name[0] != UInt8(ascii: "$")
        guard isPlain, filter.takesAll, fieldCount + origin.fields.count < Limits.fieldsPerReading else { return try judges(name) }
        fieldCount += 1
        return true
    }

    @inline(never)
    private mutating func judges(_ name: UnsafeRawBufferPointer) throws(Rejection) -> Bool {
        try check(name)
        guard filter.takes(name) else {
            excludedCount += 1
            return false
        }
        fieldCount += 1
        guard fieldCount + origin.fields.count <= Limits.fieldsPerReading else {
            throw Rejection(.tooManyFields, "more than \(Limits.fieldsPerReading) fields in one reading, the topic's included")
        }
        return true
    }
}

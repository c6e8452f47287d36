import CSimdjson
import Telemetry

/// Turns JSON payloads into readings of a batch. Owns the parser's memory; one thread at a time.
///
/// A reading is a flat or nested object, `{"ts":…,"values":{…}}`, or `{"device":…,"time":…,"fields":{…}}`; a payload is a reading or
/// a list of them. Nested names are joined by dots (`a.b`, `list.0`), nulls are skipped, a name given twice keeps its last value. The
/// first of the keys `ts`, `time`, `timestamp` (in any case) is the time. Nothing is allocated per payload once the memory has grown.
package struct JSONReadingDecoder: ~Copyable {
    /// Bytes that must be readable behind a payload that is decoded in place.
    package static let padding = Int(READING_JSON_PADDING)

    private let parser: OpaquePointer

    package init() {
        let limits = reading_json_limits(
            field_name_byte_count: Limits.fieldNameByteCount, value_byte_count: Limits.valueByteCount,
            field_count: Limits.fieldsPerReading)
        guard let parser = reading_json_create(limits) else { preconditionFailure("out of memory") }
        self.parser = parser
    }

    deinit { reading_json_destroy(parser) }

    /// Appends the readings of one message: all of them, or none.
    ///
    /// - Parameter payload: not empty; followed by `padding` readable bytes when `isPadded`.
    /// - Parameter limit: readings and bytes that the message may add to the batch.
    /// - Returns: nil when the readings are in the batch.
    package mutating func decode(
        _ payload: UnsafeRawBufferPointer, isPadded: Bool, origin: MessageOrigin, limit: MessageLimit = MessageLimit(),
        into batch: inout ReadingBatch
    ) -> Rejection? {
        guard payload.count <= Limits.payloadByteCount else { return .payloadTooLong(payload.count) }
        let firstRow = batch.count
        let firstByte = batch.bytes.count
        let shape = reading_json_shape(has_device: origin.device == nil, is_native: false)
        if let rejection = parse(payload, isPadded: isPadded, shape: shape) { return rejection }
        var reading = reading_json_reading()
        while true {
            let result = reading_json_next(parser, &reading)
            if result == READING_JSON_END { break }
            if let rejection = append(reading, result: result, origin: origin, to: &batch) {
                batch.removeRows(from: firstRow)
                return rejection
            }
            if batch.count - firstRow > limit.readingCount || batch.bytes.count - firstByte > limit.byteCount {
                batch.removeRows(from: firstRow)
                return Rejection(
                    .payloadTooLong, "more than \(limit.readingCount) readings or \(limit.byteCount) bytes of names and values")
            }
        }
        return batch.count > firstRow ? nil : Rejection(.noFields, "the list is empty")
    }

    /// Appends every good reading of a whole body, one native reading `{"device":…,"time":…,"fields":{…}}` or a list of them.
    ///
    /// - Parameter reject: called with the index of each reading that was left out. Not called when the whole body is rejected.
    /// - Returns: number of readings in the body, rejected ones included.
    /// - Throws: when the body is not JSON of this shape, or has more readings than the batch takes; the batch is then as it was.
    package mutating func decodeNative(
        _ body: UnsafeRawBufferPointer, table: TableNumber, into batch: inout ReadingBatch,
        reject: (_ index: Int, _ rejection: Rejection) -> Void
    ) throws(Rejection) -> Int {
        let firstRow = batch.count
        let shape = reading_json_shape(has_device: true, is_native: true)
        if let rejection = parse(body, isPadded: false, shape: shape) { throw rejection }
        let origin = MessageOrigin(table: table, device: nil, fields: UnsafeBufferPointer(start: nil, count: 0))
        var rejections: [(Int, Rejection)] = []
        var reading = reading_json_reading()
        var index = 0
        while true {
            let result = reading_json_next(parser, &reading)
            if result == READING_JSON_END { break }
            guard !batch.isFull else {
                batch.removeRows(from: firstRow)
                throw Rejection(
                    .payloadTooLong,
                    "more than \(Limits.readingsPerBatch) readings or \(Limits.batchByteCount) bytes of names and values in one body")
            }
            if let rejection = append(reading, result: result, origin: origin, to: &batch) { rejections.append((index, rejection)) }
            index += 1
        }
        for (index, rejection) in rejections { reject(index, rejection) }
        return index
    }

    private func parse(_ payload: UnsafeRawBufferPointer, isPadded: Bool, shape: reading_json_shape) -> Rejection? {
        guard let start = payload.baseAddress, payload.count > 0 else { return Rejection(.undecodable, "empty") }
        var message: UnsafePointer<CChar>?
        let result = reading_json_parse(
            parser, start.assumingMemoryBound(to: CChar.self), payload.count, isPadded, shape, &message)
        return result == READING_JSON_OK ? nil : Rejection(result, message: message, culprit: nil)
    }

    private func append(
        _ reading: reading_json_reading, result: reading_json_result, origin: MessageOrigin, to batch: inout ReadingBatch
    ) -> Rejection? {
        guard result == READING_JSON_OK else {
            let culprit = UnsafeRawBufferPointer(start: reading.culprit, count: reading.culprit_byte_count)
            return Rejection(result, message: reading.message, culprit: culprit)
        }
        guard let device = origin.device ?? reading.device.bytes, device.count > 0 else { return .noDevice(reading.device) }
        guard device.count <= Limits.deviceByteCount else { return .deviceTooLong(device.count) }
        guard reading.field_count > 0 else { return Rejection(.noFields, "no field with a value") }
        guard reading.field_count + origin.fields.count <= Limits.fieldsPerReading else {
            return Rejection(.tooManyFields, "more than \(Limits.fieldsPerReading) fields in one reading, the topic's included")
        }
        var time: Timestamp?
        if reading.time.type != UInt8(READING_JSON_NONE) {
            time = reading.time.timestamp
            guard time != nil else { return .badTime(reading.time) }
        }
        batch.beginReading(table: origin.table, device: device, time: time)
        for field in origin.fields { batch.appendField(name: field.name, type: .string, bytes: field.value) }
        for field in UnsafeBufferPointer(start: reading.fields, count: reading.field_count) { batch.append(field) }
        batch.endReading()
        return nil
    }
}

/// What one message may add to a batch, so that a batch with a message more never outgrows `Limits`.
package struct MessageLimit: Sendable {
    package var readingCount = Limits.readingsPerBatch / 2
    package var byteCount = Limits.batchByteCount / 2

    package init() {}
}

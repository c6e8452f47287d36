import CSimdjson
import Telemetry

/// Turns JSON into readings of a batch: messages of `format = "json"` with default options, and bodies of HTTP writes. Owns the parser's
/// memory; one thread at a time.
///
/// A reading is a flat or nested object, `{"ts":…,"values":{…}}`, or `{"device":…,"time":…,"fields":{…}}`; a payload is a reading or
/// a list of them. Nested names are joined by dots (`a.b`, `list.0`), nulls are skipped, a name given twice keeps its last value. The
/// first of the keys `ts`, `time`, `timestamp` (in any case) is the time. Nothing is allocated per payload once the memory has grown.
package struct JSONReadingDecoder: ~Copyable {
    /// Bytes that must be readable behind a payload that is decoded in place.
    package static let padding = Int(JSON_TAPE_PADDING)

    private var objects = ObjectReader()

    package init() {}

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
        do throws(Rejection) {
            objects.builder.limit = limit
            let root = try objects.jsonParser.parse(payload, isPadded: isPadded)
            _ = try objects.plain(root, origin, into: &batch)
            return nil
        } catch {
            batch.removeRows(from: firstRow)
            return error
        }
    }

    /// Appends every good reading of a whole body, one native reading `{"device":…,"time":…,"fields":{…}}` or a list of them.
    ///
    /// - Parameter reject: called with the index of each reading that is left out, in order; forget it when this throws.
    /// - Returns: number of readings in the body, rejected ones included.
    /// - Throws: when the body is not JSON of this shape, or has more readings than the batch takes; the batch is then as it was.
    package mutating func decodeNative(
        _ body: UnsafeRawBufferPointer, table: TableNumber, into batch: inout ReadingBatch,
        reject: (_ index: Int, _ rejection: Rejection) -> Void
    ) throws(Rejection) -> Int {
        let firstRow = batch.count
        let root = try objects.jsonParser.parse(body, isPadded: false)
        // A body is bounded by the batch alone.
        objects.builder.limit = MessageLimit(readingCount: .max, byteCount: .max)
        objects.start(MessageOrigin(table: table, device: nil, fields: UnsafeBufferPointer(start: nil, count: 0)), in: batch)
        guard root.kind == .array else {
            guard root.kind == .object else { throw Rejection(.undecodable, "neither an object nor a list of objects") }
            if let rejection = appendNative(root, to: &batch) { reject(0, rejection) }
            return 1
        }
        var index = 0
        for element in root.elements {
            // Bad ones count: eight megabytes of "0," are four million of them.
            guard !batch.isFull, index < Limits.readingsPerBatch else {
                batch.removeRows(from: firstRow)
                throw Rejection(
                    .payloadTooLong,
                    "more than \(Limits.readingsPerBatch) readings or \(Limits.batchByteCount) bytes of names and values in one body")
            }
            if let rejection = appendNative(element, to: &batch) { reject(index, rejection) }
            index += 1
        }
        return index
    }

    private mutating func appendNative(_ value: TapeValue, to batch: inout ReadingBatch) -> Rejection? {
        let row = batch.count
        do throws(Rejection) {
            try objects.read(value, as: .native, into: &batch)
            return nil
        } catch {
            batch.removeRows(from: row)
            objects.removePath()
            return error
        }
    }
}

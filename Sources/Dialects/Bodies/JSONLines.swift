import Telemetry

/// NDJSON: one native reading a line.
struct JSONLines: RowSource, ~Copyable {
    private let table: TableNumber
    private var decoder = JSONReadingDecoder()
    private var body = UnsafeRawBufferPointer(start: nil, count: 0)
    private var position = 0
    private(set) var line = 0

    init(table: TableNumber) { self.table = table }

    mutating func open(_ payload: UnsafeRawBufferPointer, origin: MessageOrigin, in batch: borrowing ReadingBatch) throws(Rejection) {
        (body, position, line) = (payload, 0, 0)
    }

    mutating func next(into batch: inout ReadingBatch) throws(Rejection) -> Bool {
        while position < body.count {
            let start = position
            while position < body.count, body[position] != UInt8(ascii: "\n") { position += 1 }
            let text = body.slice(start..<position).trimmed
            position += 1
            line += 1
            guard text.count > 0 else { continue }
            guard text.count <= Limits.payloadByteCount else { throw .payloadTooLong(text.count) }
            guard text[0] == UInt8(ascii: "{") else { throw Rejection(.undecodable, "a line holds one object") }
            var rejection: Rejection?
            _ = try decoder.decodeNative(text, table: table, into: &batch) { rejection = $1 }
            if let rejection { throw rejection }
            return true
        }
        return false
    }
}

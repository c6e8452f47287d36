import Telemetry

/// The members of a small JSON object, nested names joined by dots. For the rare messages that describe and do not measure.
struct ObjectFields: ~Copyable {
    enum Value {
        case integer(Int64)
        case double(Double)
        case boolean(Bool)
        case string([UInt8])
    }

    private var decoder = JSONReadingDecoder()
    private var batch = ReadingBatch()

    /// - Parameter text: one JSON object.
    mutating func read(_ text: UnsafeRawBufferPointer) throws(Rejection) {
        batch.removeAll()
        let name: StaticString = "object"
        let origin = MessageOrigin(table: 0, device: UnsafeRawBufferPointer(name), fields: UnsafeBufferPointer(start: nil, count: 0))
        if let rejection = decoder.decode(text, isPadded: false, origin: origin, into: &batch) { throw rejection }
    }

    var count: Int { batch.rows.count == 1 ? Int(batch.rows[0].fieldCount) : 0 }

    /// - Parameter index: below `count`.
    func name(at index: Int) -> [UInt8] { Array(batch.bytes[batch.fields[index].name.range]) }

    func value(at index: Int) -> Value {
        let cell = batch.fields[index].cell
        switch cell.type {
        case .integer: return .integer(cell.integer)
        case .double: return .double(cell.double)
        case .boolean: return .boolean(cell.boolean)
        default: return .string(Array(batch.bytes[cell.byteRange]))
        }
    }

    func value(of name: StaticString) -> Value? {
        (0..<count).last { self.name(at: $0).elementsEqual(UnsafeRawBufferPointer(name)) }.map { value(at: $0) }
    }
}

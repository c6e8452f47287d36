/// Decoded readings on their way into the store: rows, fields and one arena of bytes, reused from batch to batch.
///
/// Rows are built between `beginReading` and `endReading`; `cancelReading` takes a half-built one back. Nothing is allocated per
/// reading once the arrays have grown to a batch's size.
public struct ReadingBatch: Sendable {
    /// One reading: slices of `bytes` and `fields`.
    package struct Row: Sendable {
        package var table: TableNumber
        package var device: Slice
        package var firstField: Int32
        package var fieldCount: Int32
        /// Its producer knows what became of it before, and it comes again: no rate has a say in it.
        package var isRedelivered = false
        /// `Timestamp.distantPast`: no time given; see `TelemetryStore.assignMissingTimes`.
        package var time: Timestamp
    }

    /// Which rate of its table a reading exceeds.
    package enum Refusal: UInt8, Sendable {
        case deviceRate
        case tableRate
        /// One of them, when it came first.
        case before
    }

    package struct Field: Sendable {
        package var name: Slice
        package var cell: Cell
    }

    /// A slice of `bytes`.
    public struct Slice: Sendable {
        public var offset: Int32
        public var count: Int32
        @inlinable public init(offset: Int, count: Int) {
            self.offset = Int32(truncatingIfNeeded: offset)
            self.count = Int32(truncatingIfNeeded: count)
        }
        @inlinable public var range: Range<Int> { Int(offset)..<(Int(offset) + Int(count)) }
    }

    package private(set) var rows: [Row] = []
    package private(set) var fields: [Field] = []
    package private(set) var bytes: [UInt8] = []
    /// Rows that are not to be stored, in their order, and why. A list beside the rows: most batches have none.
    package private(set) var refusals: [(row: Int, refusal: Refusal)] = []
    /// Rows below this one were held to the rates of their tables; see `TelemetryStore.commit`.
    package var admittedCount = 0
    private var byteCountBeforeRow = 0

    package init() {}

    package var count: Int { rows.count }
    package var isEmpty: Bool { rows.isEmpty }

    /// True when no further reading may be added (`Limits.readingsPerBatch`, `Limits.batchByteCount`).
    package var isFull: Bool { rows.count >= Limits.readingsPerBatch || bytes.count >= Limits.batchByteCount }

    /// Forgets the readings, keeps the memory.
    package mutating func removeAll() {
        rows.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
        refusals.removeAll(keepingCapacity: true)
        admittedCount = 0
    }

    /// Starts a reading. `device` is copied.
    package mutating func beginReading(table: TableNumber, device: UnsafeRawBufferPointer, time: Timestamp?) {
        byteCountBeforeRow = bytes.count
        let slice = appendBytes(device)
        rows.append(
            Row(table: table, device: slice, firstField: Int32(fields.count), fieldCount: 0, time: time ?? .distantPast))
    }

    /// Gives the reading under construction its time, for formats that carry it behind the values.
    package mutating func setTime(_ time: Timestamp) { rows[rows.count - 1].time = time }

    package mutating func setTime(_ time: Timestamp, row: Int) { rows[row].time = time }

    /// Gives the row the time that it was stored with before.
    /// - Parameter time: `.distantPast`: it was not stored, because a rate refused it, and is not now.
    package mutating func setRedelivered(_ time: Timestamp, row: Int) {
        rows[row].time = time
        rows[row].isRedelivered = true
        if time == .distantPast { refuse(row: row, .before) }
    }

    /// - Parameter row: not refused yet.
    package mutating func refuse(row: Int, _ refusal: Refusal) {
        var index = refusals.count
        while index > 0, refusals[index - 1].row > row { index -= 1 }
        refusals.insert((row, refusal), at: index)
    }

    /// No row was held to a rate yet.
    package mutating func forgetAdmission() {
        admittedCount = 0
        refusals.removeAll { $0.refusal != .before }
    }

    package func refusal(ofRow row: Int) -> Refusal? {
        var (low, high) = (0, refusals.count)
        while low < high {
            let middle = (low + high) / 2
            if refusals[middle].row < row { low = middle + 1 } else { high = middle }
        }
        return low < refusals.count && refusals[low].row == row ? refusals[low].refusal : nil
    }

    package mutating func appendField(name: UnsafeRawBufferPointer, integer value: Int64) {
        fields.append(Field(name: appendBytes(name), cell: .integer(value)))
    }

    package mutating func appendField(name: UnsafeRawBufferPointer, double value: Double) {
        fields.append(Field(name: appendBytes(name), cell: .double(value)))
    }

    package mutating func appendField(name: UnsafeRawBufferPointer, boolean value: Bool) {
        fields.append(Field(name: appendBytes(name), cell: .boolean(value)))
    }

    /// - Parameter type: `.string` (UTF-8) or `.binary`.
    package mutating func appendField(name: UnsafeRawBufferPointer, type: FieldType, bytes value: UnsafeRawBufferPointer) {
        let nameSlice = appendBytes(name)
        let valueSlice = appendBytes(value)
        let cell = Cell.bytes(type, offset: Int(valueSlice.offset), count: Int(valueSlice.count))
        fields.append(Field(name: nameSlice, cell: cell))
    }

    /// Number of fields of the reading under construction.
    package var openFieldCount: Int { fields.count - Int(rows[rows.count - 1].firstField) }

    package mutating func endReading() { rows[rows.count - 1].fieldCount = Int32(openFieldCount) }

    /// Takes the reading under construction back.
    package mutating func cancelReading() {
        let row = rows.removeLast()
        fields.removeLast(fields.count - Int(row.firstField))
        bytes.removeLast(bytes.count - byteCountBeforeRow)
    }

    /// Takes back every reading from `rowCount` on: a message is stored whole or not at all.
    package mutating func removeRows(from rowCount: Int) {
        guard rowCount < rows.count else { return }
        let first = rows[rowCount]
        fields.removeLast(fields.count - Int(first.firstField))
        bytes.removeLast(bytes.count - Int(first.device.offset))
        rows.removeLast(rows.count - rowCount)
        admittedCount = min(admittedCount, rowCount)
        while let last = refusals.last, last.row >= rowCount { refusals.removeLast() }
    }

    /// Takes back the readings of devices that `isWanted` does not want, of a batch that no commit has seen. Their bytes stay until
    /// `removeAll`.
    ///
    /// - Returns: their rows, ascending, by the numbers they had.
    package mutating func keepRows(ofDevices isWanted: (ArraySlice<UInt8>) -> Bool) -> [Int] {
        let unwanted = rows.indices.filter { !isWanted(bytes[rows[$0].device.range]) }
        guard !unwanted.isEmpty else { return [] }
        var next = unwanted[...]
        rows = rows.enumerated().compactMap { index, row in
            guard index == next.first else { return row }
            next.removeFirst()
            return nil
        }
        return unwanted
    }

    private mutating func appendBytes(_ source: UnsafeRawBufferPointer) -> Slice {
        let offset = bytes.count
        bytes.append(contentsOf: source)
        return Slice(offset: offset, count: source.count)
    }
}

/// The number of a table inside one store. On disk in the log: never reused.
package typealias TableNumber = UInt16

extension ReadingBatch {
    /// Adds an owned reading. For cold paths and tests.
    package mutating func append(_ reading: Reading, table: TableNumber = 0) {
        var device = reading.device
        device.withUTF8 { beginReading(table: table, device: UnsafeRawBufferPointer($0), time: reading.time) }
        for (name, value) in reading.fields.sorted(by: { $0.key < $1.key }) {
            var name = name
            name.withUTF8 { append(name: UnsafeRawBufferPointer($0), value: value) }
        }
        endReading()
    }

    private mutating func append(name: UnsafeRawBufferPointer, value: FieldValue) {
        switch value {
        case .integer(let value): appendField(name: name, integer: value)
        case .double(let value): appendField(name: name, double: value)
        case .boolean(let value): appendField(name: name, boolean: value)
        case .string(var value):
            value.withUTF8 { appendField(name: name, type: .string, bytes: UnsafeRawBufferPointer($0)) }
        case .binary(let value):
            value.withUnsafeBytes { appendField(name: name, type: .binary, bytes: $0) }
        }
    }

    /// The reading in row `index`, owned. For cold paths: `explain`, dead letters, tests.
    package func reading(at index: Int) -> Reading {
        let row = rows[index]
        var values: [String: FieldValue] = [:]
        for field in fields[Int(row.firstField)..<Int(row.firstField + row.fieldCount)] {
            values[String(decoding: bytes[field.name.range], as: UTF8.self)] = field.cell.value(in: bytes)
        }
        return Reading(
            device: String(decoding: bytes[row.device.range], as: UTF8.self),
            time: row.time == .distantPast ? nil : row.time, fields: values)
    }
}

import Telemetry
import TelemetryCodec

/// Encodes rows of one table.
///
/// Names are looked up under the registry's read lock, so that committers do not wait for one another; the first name that is not
/// known takes the rest of the run to the write lock. Devices of one model repeat their fields, so the numbers of the row before are
/// tried first: a comparison of bytes in place of a hash and a look-up per field.
struct RunEncoder {
    /// Device number, time − base, byte count of the cells.
    static let rowHeaderByteLimit = 5 + 10 + 4

    let rows: UnsafeBufferPointer<ReadingBatch.Row>
    let fields: UnsafeBufferPointer<ReadingBatch.Field>
    let arena: UnsafeRawBufferPointer
    let window: WriteWindow
    let base: Int64

    /// Fields of the newest row that was encoded, all different, and their numbers.
    private var knownFields = 0..<0
    private var knownNumbers: [UInt32] = []

    init(
        rows: UnsafeBufferPointer<ReadingBatch.Row>, fields: UnsafeBufferPointer<ReadingBatch.Field>, arena: UnsafeRawBufferPointer,
        window: WriteWindow, base: Int64
    ) {
        (self.rows, self.fields, self.arena, self.window, self.base) = (rows, fields, arena, window, base)
    }

    private enum Outcome {
        case encoded
        case rejected(RejectReason)
        /// A name has no number yet.
        case unknownName
    }

    /// - Returns: number of rows accepted; the others are in the submission's rejections.
    mutating func encode(_ range: Range<Int>, _ table: TableCore, into submission: Submission) -> Int {
        let rejected = submission.rejections.count
        var row = range.lowerBound
        table.registry.readingNames { names in
            while row < range.upperBound {
                switch encodeRow(row, names, into: &submission.payload) {
                case .encoded: break
                case .rejected(let reason): submission.rejections.append(CommitReceipt.Rejection(row: row, reason: reason))
                case .unknownName: return
                }
                row += 1
            }
        }
        if row < range.upperBound { encodeNew(row..<range.upperBound, table, into: submission) }
        return range.count - (submission.rejections.count - rejected)
    }

    /// As above, for rows that may bring names.
    private mutating func encodeNew(_ range: Range<Int>, _ table: TableCore, into submission: Submission) {
        table.registry.withNames { names in
            for row in range {
                var outcome = encodeRow(row, names, into: &submission.payload)
                if case .unknownName = outcome {
                    outcome = define(rows[row], &names, table).map { .rejected($0) } ?? encodeRow(row, names, into: &submission.payload)
                }
                if case .rejected(let reason) = outcome {
                    submission.rejections.append(CommitReceipt.Rejection(row: row, reason: reason))
                }
            }
        }
    }

    /// Gives the row's new names their numbers. All else about the row was found right.
    private func define(_ row: ReadingBatch.Row, _ names: inout NameRegistry.Names, _ table: TableCore) -> RejectReason? {
        guard names.device(bytes(row.device), bucketCount: table.options.buckets) != nil else { return .deviceLimit }
        for field in fields[fieldRange(row)] {
            guard names.field(bytes(field.name)) != nil else { return .fieldLimit }
        }
        return nil
    }

    // MARK: - One row

    /// One row: device number, time − base, byte count of its cells, cells. Nothing is left of a row that is not encoded.
    private mutating func encodeRow(_ index: Int, _ names: borrowing NameRegistry.Names, into output: inout RawBuffer) -> Outcome {
        let row = rows[index]
        if let reason = window.rejection(of: row.time) ?? rejection(of: row) { return .rejected(reason) }
        let isRepeat = repeatsKnownFields(row)
        if !isRepeat, let reason = nameRejection(of: row) { return .rejected(reason) }
        guard let device = names.devices.find(bytes(row.device)), isRepeat || learnFields(of: row, names) else { return .unknownName }
        output.append(varint: UInt64(device))
        output.append(zigzag: row.time.microseconds &- base)
        let lengthOffset = output.count
        output.append(fixed: UInt32(0))
        let cells = UnsafeBufferPointer(rebasing: fields[fieldRange(row)])
        knownNumbers.withUnsafeBufferPointer { numbers in
            // A name given twice in one reading: the last value counts, as in every JSON parser.
            for (field, number) in zip(cells, numbers) where number != RunEncoder.superseded {
                CellCoding.encode(field.cell, field: number, arena: arena, into: &output)
            }
        }
        output.patch(UInt32(output.count - lengthOffset - 4), at: lengthOffset)
        return .encoded
    }

    /// Stands for a field whose name comes again later in its row.
    private static let superseded = UInt32.max

    @inline(__always)
    private func bytes(_ slice: ReadingBatch.Slice) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: arena[slice.range]) }

    @inline(__always)
    private func fieldRange(_ row: ReadingBatch.Row) -> Range<Int> { Int(row.firstField)..<Int(row.firstField + row.fieldCount) }

    /// What is wrong with the row, names of fields left out.
    @inline(__always)
    private func rejection(of row: ReadingBatch.Row) -> RejectReason? {
        if row.fieldCount == 0 { return .noFields }
        if row.fieldCount > Limits.fieldsPerReading { return .tooManyFields }
        if row.device.count == 0 { return .noDevice }
        if row.device.count > Limits.deviceByteCount { return .deviceTooLong }
        for field in UnsafeBufferPointer(rebasing: fields[fieldRange(row)]) {
            switch field.cell.type {
            case .double: if !field.cell.double.isFinite { return .badValue }
            case .string, .binary: if field.cell.byteCount > Limits.valueByteCount { return .valueTooLong }
            default: break
            }
        }
        return nil
    }

    private func nameRejection(of row: ReadingBatch.Row) -> RejectReason? {
        for field in fields[fieldRange(row)] where field.name.count == 0 || field.name.count > Limits.fieldNameByteCount {
            return .fieldNameTooLong
        }
        return nil
    }

    /// True when the row has the same field names as the one before, in the same order.
    @inline(__always)
    private func repeatsKnownFields(_ row: ReadingBatch.Row) -> Bool {
        guard Int(row.fieldCount) == knownFields.count else { return false }
        let (first, known) = (Int(row.firstField), knownFields.lowerBound)
        for position in 0..<knownFields.count {
            let (a, b) = (fields[first + position].name, fields[known + position].name)
            guard a.count == b.count, compareBytes(bytes(a), bytes(b)) == 0 else { return false }
        }
        return true
    }

    /// Looks the row's field names up and keeps their numbers.
    /// - Returns: false when one has none.
    private mutating func learnFields(of row: ReadingBatch.Row, _ names: borrowing NameRegistry.Names) -> Bool {
        let range = fieldRange(row)
        knownFields = 0..<0
        knownNumbers.removeAll(keepingCapacity: true)
        for index in range {
            guard let number = names.fields.find(bytes(fields[index].name)) else { return false }
            knownNumbers.append(number)
        }
        // Quadratic, but only where the set of fields changes, and most rows have a few.
        for position in knownNumbers.indices where knownNumbers[(position + 1)...].contains(knownNumbers[position]) {
            knownNumbers[position] = RunEncoder.superseded
        }
        knownFields = range
        return true
    }
}

extension NameRegistry.Names {
    /// Nil: the table is full.
    @inline(__always)
    mutating func device(_ name: UnsafeRawBufferPointer, bucketCount: Int) -> UInt32? {
        if let number = devices.find(name) { return number }
        return devices.count < deviceLimit ? insertDevice(name, bucketCount: bucketCount) : nil
    }

    @inline(__always)
    mutating func field(_ name: UnsafeRawBufferPointer) -> UInt32? {
        if let number = fields.find(name) { return number }
        return fields.count < Limits.fieldsPerTable ? insertField(name) : nil
    }
}

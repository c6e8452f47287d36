import Telemetry

/// Readings that a reader of the feed is shown, in the order of their commits; reused from call to call.
package struct FeedRows: Sendable {
    package struct Row: Sendable {
        package var sequence: SequenceNumber
        package var time: Timestamp
        /// UTF-8 in `bytes`.
        package fileprivate(set) var device = 0..<0
        /// In `values`.
        package fileprivate(set) var values: Range<Int>
        fileprivate var number: UInt32
    }

    package struct Value: Sendable {
        /// In `fieldNames`.
        package var field: Int
        /// Its bytes are in `bytes`.
        package var cell: Cell
    }

    package private(set) var rows: [Row] = []
    package private(set) var values: [Value] = []
    package private(set) var bytes: [UInt8] = []
    package private(set) var fieldNames: [String] = []

    package init() {}

    package var isEmpty: Bool { rows.isEmpty }

    /// About what the rows take in memory.
    var byteCount: Int {
        rows.count * MemoryLayout<Row>.stride + values.count * MemoryLayout<Value>.stride + bytes.count
    }

    mutating func removeAll() {
        rows.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
    }

    /// - Parameters:
    ///   - cells: applied, so they decode.
    ///   - wanted: nil: every field.
    mutating func append(
        _ sequence: SequenceNumber, device: UInt32, time: Int64, cells: UnsafeRawBufferPointer, wanted: FieldSet?
    ) {
        let first = values.count
        CellWalk.forEach(cells) { field, cell in
            guard wanted?.contains(field) ?? true else { return }
            values.append(Value(field: Int(field), cell: cell.type?.isBytes ?? false ? copy(cell, from: cells) : cell))
        }
        rows.append(
            Row(sequence: sequence, time: Timestamp(microseconds: time), values: first..<values.count, number: device))
    }

    private mutating func copy(_ cell: Cell, from cells: UnsafeRawBufferPointer) -> Cell {
        let offset = bytes.count
        bytes.append(contentsOf: cells[cell.byteRange])
        return .bytes(cell.type ?? .binary, offset: offset, count: cell.byteCount)
    }

    /// Puts names for numbers, all under one lock.
    mutating func resolve(_ registry: NameRegistry) {
        guard !rows.isEmpty else { return }
        registry.readingNames { names in
            fieldNames = names.fieldStrings
            for index in rows.indices {
                let offset = bytes.count
                names.devices.withName(rows[index].number) { bytes.append(contentsOf: $0) }
                rows[index].device = offset..<bytes.count
            }
        }
    }
}

import Telemetry
import TelemetryCodec

/// Reads a block back.
enum BlockDecoder {
    /// Adds the rows of `times` that have a wanted field to `buffer`.
    /// - Parameters:
    ///   - fields: table's number of each local field; -1 for a field that is not wanted.
    ///   - order: `RowBuffer.Row.order` of a row by its position in the block.
    static func decode(
        _ block: UnsafeRawBufferPointer, hasCommitTimes: Bool, fields: [Int32], times: ClosedRange<Int64>, order: (Int) -> UInt64,
        into buffer: inout RowBuffer
    ) throws(CodecError) {
        var cursor = ByteCursor(block)
        let rowCount = try cursor.count(limit: SegmentFormat.rowsPerFrame)
        let rowTimes = try decodeTimes(&cursor, rowCount)
        let commitTimes = hasCommitTimes ? try decodeTimes(&cursor, rowCount) : []
        let columnCount = try cursor.count(limit: cursor.remaining)
        var grid = [Cell](repeating: .absent, count: 0)
        var gridFields: [UInt32] = []
        for _ in 0..<columnCount {
            let local = try cursor.count(limit: fields.count - 1)
            guard let type = FieldType(rawValue: try cursor.byte()) else { throw .malformed }
            let presence = try decodePresence(&cursor, rowCount)
            let count = try cursor.count(limit: cursor.remaining)
            let end = cursor.offset + count
            guard end <= block.count else { throw .truncated }
            if fields[local] >= 0 {
                gridFields.append(UInt32(fields[local]))
                try decodeValues(&cursor, type: type, presence: presence, rowCount: rowCount, into: &grid)
                guard cursor.offset == end else { throw .malformed }
            }
            cursor.offset = end
        }
        for row in 0..<rowCount where times.contains(rowTimes[row]) {
            buffer.beginRow(time: rowTimes[row], commitTime: hasCommitTimes ? commitTimes[row] : 0, order: order(row))
            for (column, field) in gridFields.enumerated() {
                let cell = grid[column * rowCount + row]
                if cell.type != nil { buffer.append(field: field, cell: cell, source: block) }
            }
            buffer.endRow()
        }
    }

    private static func decodeTimes(_ cursor: inout ByteCursor, _ count: Int) throws(CodecError) -> [Int64] {
        var times: [Int64] = []
        times.reserveCapacity(count)
        var previous: Int64 = 0
        for _ in 0..<count {
            previous &+= try cursor.zigzag()
            times.append(previous)
        }
        return times
    }

    /// Nil: present in every row.
    private static func decodePresence(_ cursor: inout ByteCursor, _ rowCount: Int) throws(CodecError) -> UnsafeRawBufferPointer? {
        switch try cursor.byte() {
        case 0: return nil
        case 1: return try cursor.slice((rowCount + 7) / 8)
        default: throw .malformed
        }
    }

    /// Appends one column of `rowCount` cells to the grid; bytes cells name slices of the block.
    private static func decodeValues(
        _ cursor: inout ByteCursor, type: FieldType, presence: UnsafeRawBufferPointer?, rowCount: Int, into grid: inout [Cell]
    ) throws(CodecError) {
        func isPresent(_ row: Int) -> Bool { presence.map { $0[row >> 3] & (1 << UInt8(row & 7)) != 0 } ?? true }
        let presentCount = (0..<rowCount).count(where: isPresent)
        let bits = type == .boolean ? try cursor.slice((presentCount + 7) / 8) : nil
        var previous: Int64 = 0
        var position = 0
        for row in 0..<rowCount {
            guard isPresent(row) else {
                grid.append(.absent)
                continue
            }
            switch type {
            case .integer:
                previous &+= try cursor.zigzag()
                grid.append(.integer(previous))
            case .double: grid.append(Cell(type: .double, bits: try cursor.fixed(UInt64.self)))
            case .boolean: grid.append(.boolean(bits![position >> 3] & (1 << UInt8(position & 7)) != 0))
            case .string, .binary:
                let count = try cursor.count(limit: cursor.remaining)
                guard count <= cursor.remaining else { throw .truncated }
                grid.append(.bytes(type, offset: cursor.offset, count: count))
                cursor.offset += count
            }
            position += 1
        }
    }
}

import Telemetry
import TelemetryCodec

/// Cells of one row as the log and the heads hold them: per cell `varint(field << 3 | tag)`, then the value.
///
/// Source: docs/format/log.md. On disk: never renumber the tags.
enum CellCoding {
    static let integer: UInt64 = 1
    static let double: UInt64 = 2
    static let isFalse: UInt64 = 3
    static let isTrue: UInt64 = 4
    static let string: UInt64 = 5
    static let binary: UInt64 = 6

    /// - Parameter arena: holds the bytes of a string or binary cell.
    static func encode(_ cell: Cell, field: UInt32, arena: UnsafeRawBufferPointer, into output: inout RawBuffer) {
        let key = UInt64(field) << 3
        switch cell.type {
        case nil: return
        case .integer:
            output.append(varint: key | integer)
            output.append(zigzag: cell.integer)
        case .double:
            output.append(varint: key | double)
            output.append(fixed: cell.bits)
        case .boolean:
            output.append(varint: key | (cell.boolean ? isTrue : isFalse))
        case .string, .binary:
            output.append(varint: key | (cell.type == .string ? string : binary))
            output.append(counted: UnsafeRawBufferPointer(rebasing: arena[cell.byteRange]))
        }
    }

    /// Reads the next cell. A bytes cell names a slice of the cursor's bytes.
    @inline(__always)
    static func decode(_ cursor: inout ByteCursor) throws(CodecError) -> (field: UInt32, cell: Cell) {
        let key = try cursor.varint()
        guard key >> 3 <= UInt64(UInt32.max) else { throw .malformed }
        let field = UInt32(truncatingIfNeeded: key >> 3)
        switch key & 7 {
        case integer: return (field, .integer(try cursor.zigzag()))
        case double: return (field, Cell(type: .double, bits: try cursor.fixed(UInt64.self)))
        case isFalse: return (field, .boolean(false))
        case isTrue: return (field, .boolean(true))
        case string, binary:
            let count = try cursor.count(limit: cursor.remaining)
            guard count <= cursor.remaining else { throw .truncated }
            defer { cursor.offset += count }
            return (field, .bytes(key & 7 == string ? .string : .binary, offset: cursor.offset, count: count))
        default: throw .malformed
        }
    }
}

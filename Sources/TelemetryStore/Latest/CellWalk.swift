import Telemetry
import TelemetryCodec

/// Passes over the encoded cells of a row (`CellCoding`). `check` is for bytes from the disk; the others trust what it let through.
enum CellWalk {
    /// How the fields of a row and those of the row before compare.
    enum Match {
        /// The same in the same order.
        case same
        /// The same, but some are of mixed type: see `FieldTypes.suspects`.
        case sameOfMixedTypes
        /// There may be suspects, too.
        case different
    }

    /// Checks that `cells` decode and name known fields, and notes their types. Everything kept in memory went through here.
    /// - Parameter known: cells that were checked.
    @inline(__always)
    static func check(
        _ cells: UnsafeRawBufferPointer, against known: UnsafeRawBufferPointer, fieldCount: Int, types: borrowing FieldTypes
    ) throws(CodecError) -> Match {
        var cursor = ByteCursor(cells)
        var other = ByteCursor(known)
        try passEqualKeys(&cursor, &other)
        if cursor.isAtEnd { return other.isAtEnd ? .same : .different }
        var isSame = true
        while !cursor.isAtEnd {
            let (field, tag) = try next(&cursor)
            guard field < UInt64(fieldCount) else { throw .malformed }
            types.note(Int(field), tag: tag)
            if isSame { isSame = !other.isAtEnd ? try next(&other).field == field : false }
        }
        guard isSame, other.isAtEnd else { return .different }
        return types.hasSuspects ? .sameOfMixedTypes : .same
    }

    /// Passes the cells whose keys, of one byte, are those of the known row: field and type were checked and noted with that one. Devices
    /// repeat their fields, so these are mostly all.
    @inline(__always)
    private static func passEqualKeys(_ cursor: inout ByteCursor, _ known: inout ByteCursor) throws(CodecError) {
        while !cursor.isAtEnd, !known.isAtEnd {
            let key = cursor.bytes[cursor.offset]
            guard key < 0x80, key == known.bytes[known.offset] else { return }
            (cursor.offset, known.offset) = (cursor.offset + 1, known.offset + 1)
            try passValue(&cursor, tag: UInt64(key & 7))
            try passValue(&known, tag: UInt64(key & 7))
        }
    }

    /// Passes the next cell.
    @inline(__always)
    private static func next(_ cursor: inout ByteCursor) throws(CodecError) -> (field: UInt64, tag: UInt64) {
        let key = try cursor.varint()
        try passValue(&cursor, tag: key & 7)
        return (key >> 3, key & 7)
    }

    @inline(__always)
    private static func passValue(_ cursor: inout ByteCursor, tag: UInt64) throws(CodecError) {
        switch tag {
        case CellCoding.integer: _ = try cursor.varint()
        case CellCoding.double:
            guard cursor.remaining >= 8 else { throw .truncated }
            cursor.offset += 8
        case CellCoding.isFalse, CellCoding.isTrue: break
        case CellCoding.string, CellCoding.binary:
            let count = try cursor.count(limit: cursor.remaining)
            guard count <= cursor.remaining else { throw .truncated }
            cursor.offset += count
        default: throw .malformed
        }
    }

    /// Every cell of a row that was checked.
    @inline(__always)
    static func forEach(_ cells: UnsafeRawBufferPointer, _ body: (UInt32, Cell) -> Void) {
        var cursor = ByteCursor(cells)
        while !cursor.isAtEnd {
            do throws(CodecError) {
                let (field, cell) = try CellCoding.decode(&cursor)
                body(field, cell)
            } catch {
                preconditionFailure("cells in memory do not decode: they were overwritten")
            }
        }
    }

    /// Whether a row that was checked has the field.
    /// - Parameter hint: where to begin; rows and slots often have their fields in the same order.
    static func hasField(_ field: UInt32, _ cells: UnsafeRawBufferPointer, hint: inout Int) -> Bool {
        for range in [hint..<cells.count, 0..<hint] {
            var cursor = ByteCursor(cells, offset: range.lowerBound)
            while cursor.offset < range.upperBound {
                do throws(CodecError) {
                    let found = try next(&cursor).field
                    if found == UInt64(field) {
                        hint = cursor.offset
                        return true
                    }
                } catch {
                    preconditionFailure("cells in memory do not decode: they were overwritten")
                }
            }
        }
        return false
    }
}

import Telemetry

/// The types of a table's fields: of their values since the start. Integer and double together are double; other mixtures keep the first,
/// and are known as mixed from then on.
///
/// Guarded like `DeviceStates`. Kept as tags of `CellCoding`: this is on the way of every cell.
struct FieldTypes: ~Copyable {
    /// A cell of a mixed field, in the row under check.
    struct Suspect {
        var field: UInt32
        var tag: UInt8
    }

    /// Looked at in one row, so that a hostile one costs little.
    private static let suspectLimit = 16
    private static let isMixed: UInt8 = 0x80

    /// Tag of the field's type, `isMixed` added. A mixed field's byte equals no tag, so that its cells all leave the short way.
    private let tags: UnsafeMutablePointer<UInt8>
    private let suspectCells: UnsafeMutablePointer<Suspect>
    private let suspectCount: UnsafeMutablePointer<Int>

    init() {
        tags = .allocate(capacity: Limits.fieldsPerTable)
        tags.initialize(repeating: 0, count: Limits.fieldsPerTable)
        suspectCells = .allocate(capacity: FieldTypes.suspectLimit)
        suspectCount = .allocate(capacity: 1)
        suspectCount.initialize(to: 0)
    }

    deinit {
        tags.deallocate()
        suspectCells.deallocate()
        suspectCount.deallocate()
    }

    /// Nil: the field never had a value.
    subscript(field: Int) -> FieldType? { FieldTypes.type(tag: tags[field] & ~FieldTypes.isMixed) }

    static func type(tag: UInt8) -> FieldType? {
        switch UInt64(tag) {
        case CellCoding.integer: .integer
        case CellCoding.double: .double
        case CellCoding.isFalse, CellCoding.isTrue: .boolean
        case CellCoding.string: .string
        case CellCoding.binary: .binary
        default: nil
        }
    }

    /// - Parameter field: below `Limits.fieldsPerTable`.
    @inline(__always)
    func note(_ field: Int, tag: UInt64) {
        if UInt64(tags[field]) != tag { meet(field, UInt8(truncatingIfNeeded: tag)) }
    }

    private func meet(_ field: Int, _ tag: UInt8) {
        let known = tags[field] & ~FieldTypes.isMixed
        let wasMixed = tags[field] != known
        if known == 0 || (UInt64(known) == CellCoding.integer && UInt64(tag) == CellCoding.double) {
            tags[field] = tag | (wasMixed ? FieldTypes.isMixed : 0)
        }
        guard wasMixed || FieldTypes.differ(FieldTypes.type(tag: known), FieldTypes.type(tag: tag)) else { return }
        tags[field] |= FieldTypes.isMixed
        guard suspectCount.pointee < FieldTypes.suspectLimit else { return }
        suspectCells[suspectCount.pointee] = Suspect(field: UInt32(field), tag: tag)
        suspectCount.pointee += 1
    }

    /// True when values of the one and the other have no common type: integers and doubles have.
    static func differ(_ a: FieldType?, _ b: FieldType?) -> Bool {
        guard let a, let b, a != b else { return false }
        return !((a == .integer || a == .double) && (b == .integer || b == .double))
    }

    /// Cells of mixed fields since the last `clearSuspects`.
    @inline(__always)
    var hasSuspects: Bool { suspectCount.pointee > 0 }
    var suspects: UnsafeBufferPointer<Suspect> { UnsafeBufferPointer(start: suspectCells, count: suspectCount.pointee) }
    func clearSuspects() { suspectCount.pointee = 0 }
}

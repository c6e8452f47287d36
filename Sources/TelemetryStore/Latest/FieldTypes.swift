import Telemetry

/// The types of a table's fields: of their values since the start. Integer and double together are double; other mixtures keep the first.
///
/// Guarded like `DeviceStates`. Kept as tags of `CellCoding`: this is on the way of every cell.
struct FieldTypes: ~Copyable {
    private let tags: UnsafeMutablePointer<UInt8>

    init() {
        tags = .allocate(capacity: Limits.fieldsPerTable)
        tags.initialize(repeating: 0, count: Limits.fieldsPerTable)
    }

    deinit { tags.deallocate() }

    /// Nil: the field never had a value.
    subscript(field: Int) -> FieldType? {
        switch UInt64(tags[field]) {
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
        if UInt64(tags[field]) != tag { widen(field, tag) }
    }

    private func widen(_ field: Int, _ tag: UInt64) {
        let known = UInt64(tags[field])
        if known == 0 || (known == CellCoding.integer && tag == CellCoding.double) { tags[field] = UInt8(tag) }
    }
}

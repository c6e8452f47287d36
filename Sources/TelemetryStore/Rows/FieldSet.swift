/// Numbers of fields of one table. Asked for each cell that is read: the first 64 fields, which is all of most tables, cost a shift.
struct FieldSet: Sendable {
    private static let firstCount: UInt32 = 64

    private var first: UInt64 = 0
    /// The others, 64 a word.
    private var rest: [UInt64] = []

    init(_ fields: some Sequence<UInt32>) {
        for field in fields { insert(field) }
    }

    mutating func insert(_ field: UInt32) {
        guard field >= Self.firstCount else {
            first |= 1 << field
            return
        }
        let (word, bit) = (field - Self.firstCount).quotientAndRemainder(dividingBy: 64)
        while rest.count <= Int(word) { rest.append(0) }
        rest[Int(word)] |= 1 << bit
    }

    @inline(__always)
    func contains(_ field: UInt32) -> Bool {
        field < Self.firstCount ? first >> field & 1 == 1 : containsLater(field)
    }

    @inline(never)
    private func containsLater(_ field: UInt32) -> Bool {
        let (word, bit) = (field - Self.firstCount).quotientAndRemainder(dividingBy: 64)
        return Int(word) < rest.count && rest[Int(word)] >> bit & 1 == 1
    }
}

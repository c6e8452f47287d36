import TelemetryCodec

/// Names and their numbers, in the order they were first seen: 0, 1, 2… Open addressing over one arena of bytes; nothing is ever removed.
///
/// A look-up touches three cache lines: the slot (which carries half the hash, so that other names are passed over without being read),
/// the end of the name, its bytes.
struct NameTable: ~Copyable {
    private struct Slot {
        /// Low half of the name's hash.
        var hash: UInt32 = 0
        /// Number + 1, or 0 for a free slot.
        var mark: UInt32 = 0
    }

    private var arena = RawBuffer(capacity: 1024)
    /// Where each name ends in `arena`: at most 4 000 000 names of 256 bytes (`Limits`), which is below 2³².
    private var ends: [UInt32] = []
    /// A power of two, at most three quarters full.
    private var slots = [Slot](repeating: Slot(), count: 64)

    var count: Int { ends.count }
    var byteCount: Int { arena.capacity + ends.capacity * 4 + slots.count * MemoryLayout<Slot>.stride }

    @inline(__always)
    func find(_ name: UnsafeRawBufferPointer) -> UInt32? { find(name, hash: stableHash(name)) }

    /// - Parameter hash: `stableHash(name)`.
    @inline(__always)
    func find(_ name: UnsafeRawBufferPointer, hash: UInt64) -> UInt32? {
        let hash = UInt32(truncatingIfNeeded: hash)
        return slots.withUnsafeBufferPointer { slots in
            let mask = slots.count - 1
            var index = Int(hash) & mask
            while slots[index].mark != 0 {
                let number = slots[index].mark - 1
                if slots[index].hash == hash, withName(number, { $0.count == name.count && compareBytes($0, name) == 0 }) { return number }
                index = (index + 1) & mask
            }
            return nil
        }
    }

    func find(_ name: String) -> UInt32? {
        var name = name
        return name.withUTF8 { find(UnsafeRawBufferPointer($0)) }
    }

    /// Gives `name` the next number.
    /// - Precondition: `find` returned nil.
    mutating func insert(_ name: UnsafeRawBufferPointer) -> UInt32 {
        if (count + 1) * 4 > slots.count * 3 { rehash() }
        arena.append(name)
        ends.append(UInt32(arena.count))
        let number = UInt32(count - 1)
        NameTable.place(Slot(hash: UInt32(truncatingIfNeeded: stableHash(name)), mark: number + 1), in: &slots)
        return number
    }

    /// The bytes of a name; valid inside `body` only.
    @inline(__always)
    func withName<R>(_ number: UInt32, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        let start = number == 0 ? 0 : Int(ends[Int(number) - 1])
        return body(UnsafeRawBufferPointer(start: arena.base + start, count: Int(ends[Int(number)]) - start))
    }

    func string(_ number: UInt32) -> String { withName(number) { String(decoding: $0, as: UTF8.self) } }

    /// Order of names by their bytes.
    func isOrderedBefore(_ a: UInt32, _ b: UInt32) -> Bool {
        withName(a) { a in withName(b) { b in compareBytes(a, b) < 0 } }
    }

    /// The same names and numbers, to look names up by number; none is found by its bytes.
    borrowing func copyOfNames() -> NameTable {
        var copy = NameTable()
        arena.withBytes { copy.arena.append($0) }
        copy.ends = ends
        return copy
    }

    /// All numbers in the order of their names.
    /// - Parameter known: the first `known.count` numbers in that order.
    borrowing func sorted(behind known: [UInt32]) -> [UInt32] {
        var added = (known.count..<count).map { UInt32($0) }
        added.sort { isOrderedBefore($0, $1) }
        guard !known.isEmpty else { return added }
        var merged: [UInt32] = []
        merged.reserveCapacity(count)
        var (left, right) = (0, 0)
        while left < known.count || right < added.count {
            if right == added.count || (left < known.count && isOrderedBefore(known[left], added[right])) {
                merged.append(known[left])
                left += 1
            } else {
                merged.append(added[right])
                right += 1
            }
        }
        return merged
    }

    private static func place(_ slot: Slot, in slots: inout [Slot]) {
        let mask = slots.count - 1
        var index = Int(slot.hash) & mask
        while slots[index].mark != 0 { index = (index + 1) & mask }
        slots[index] = slot
    }

    private mutating func rehash() {
        var larger = [Slot](repeating: Slot(), count: slots.count * 2)
        for slot in slots where slot.mark != 0 { NameTable.place(slot, in: &larger) }
        slots = larger
    }
}

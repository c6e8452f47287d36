import TelemetryCodec

/// Names and their numbers, in the order they were first seen: 0, 1, 2… Open addressing over one arena of bytes; nothing is ever removed.
struct NameTable: ~Copyable {
    private var arena = RawBuffer(capacity: 1024)
    private var ends: [Int] = []
    private var hashes: [UInt64] = []
    /// Number + 1, or 0 for a free slot. A power of two, at most half full.
    private var slots = [UInt32](repeating: 0, count: 64)

    var count: Int { ends.count }
    var byteCount: Int { arena.count + ends.count * 24 + slots.count * 4 }

    func find(_ name: UnsafeRawBufferPointer) -> UInt32? {
        let slot = slots[probe(name, hash: stableHash(name))]
        return slot == 0 ? nil : slot - 1
    }

    func find(_ name: String) -> UInt32? {
        var name = name
        return name.withUTF8 { find(UnsafeRawBufferPointer($0)) }
    }

    /// Gives `name` the next number.
    /// - Precondition: `find` returned nil.
    mutating func insert(_ name: UnsafeRawBufferPointer) -> UInt32 {
        let hash = stableHash(name)
        if (count + 1) * 2 > slots.count { rehash() }
        arena.append(name)
        ends.append(arena.count)
        hashes.append(hash)
        let number = UInt32(count - 1)
        slots[freeSlot(hash)] = number + 1
        return number
    }

    /// The bytes of a name; valid inside `body` only.
    func withName<R>(_ number: UInt32, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        let range = range(of: number)
        return body(UnsafeRawBufferPointer(start: arena.base + range.lowerBound, count: range.count))
    }

    func string(_ number: UInt32) -> String { withName(number) { String(decoding: $0, as: UTF8.self) } }

    /// Order of names by their bytes.
    func isOrderedBefore(_ a: UInt32, _ b: UInt32) -> Bool {
        withName(a) { a in withName(b) { b in compareBytes(a, b) < 0 } }
    }

    private func range(of number: UInt32) -> Range<Int> { (number == 0 ? 0 : ends[Int(number) - 1])..<ends[Int(number)] }

    /// The slot that holds `name`, or the free one where it would go.
    private func probe(_ name: UnsafeRawBufferPointer, hash: UInt64) -> Int {
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while slots[index] != 0 {
            let number = slots[index] - 1
            if hashes[Int(number)] == hash, withName(number, { $0.count == name.count && compareBytes($0, name) == 0 }) { break }
            index = (index + 1) & mask
        }
        return index
    }

    private func freeSlot(_ hash: UInt64) -> Int {
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while slots[index] != 0 { index = (index + 1) & mask }
        return index
    }

    private mutating func rehash() {
        slots = [UInt32](repeating: 0, count: slots.count * 2)
        for (number, hash) in hashes.enumerated() { slots[freeSlot(hash)] = UInt32(number) + 1 }
    }
}

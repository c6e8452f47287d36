/// The distinct 64-bit values of a column, ascending, and the number of each value's entry. Its buffers are reused.
struct NumberDictionary: ~Copyable {
    private(set) var entries: [UInt64] = []
    /// Number of the entry of each value.
    private(set) var codes = WordBuffer()
    /// Entry number + 1; 0: free. A power of two of slots.
    private var slots: [UInt32] = []

    mutating func build(_ bits: UnsafeBufferPointer<UInt64>) {
        entries.removeAll(keepingCapacity: true)
        codes.resize(bits.count)
        var size = 64
        while size < bits.count * 2 { size *= 2 }
        slots.removeAll(keepingCapacity: true)
        slots.append(contentsOf: repeatElement(0, count: size))
        for index in 0..<bits.count { codes.base[index] = UInt64(find(bits[index])) }
    }

    /// Sorts the entries, so that near values have near codes. After `build`.
    mutating func sort() {
        let order = entries.indices.sorted { entries[$0] < entries[$1] }
        var ranks = [UInt64](repeating: 0, count: entries.count)
        for (rank, entry) in order.enumerated() { ranks[entry] = UInt64(rank) }
        for index in 0..<codes.count { codes.base[index] = ranks[Int(codes.base[index])] }
        entries.sort()
    }

    /// Number of the value's entry, which is added when it is new.
    private mutating func find(_ value: UInt64) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: (value &* 0x9E37_79B9_7F4A_7C15) &>> 32) & mask
        while slots[slot] != 0 {
            let entry = Int(slots[slot]) - 1
            if entries[entry] == value { return entry }
            slot = (slot + 1) & mask
        }
        entries.append(value)
        slots[slot] = UInt32(entries.count)
        return entries.count - 1
    }
}

/// Distinct words of a column chunk, numbered by first appearance, and the numbers of all words.
///
/// Open addressing with multiplicative hashing. The multiplier is drawn once per process, so that devices cannot choose values that
/// collide; numbers do not depend on it. The memory is kept from chunk to chunk.
struct WordDictionary {
    private static let multiplier = UInt64.random(in: .min ... .max) | 1

    private(set) var entries: [UInt64] = []
    /// One per word.
    private(set) var indices: [UInt32] = []
    /// Entry number + 1; 0 is empty. A power of two, at most half full.
    private var slots: [UInt32] = []

    /// Numbers `words`.
    /// - Returns: false when there are more than `limit` distinct ones; the contents are then worthless.
    mutating func build(_ words: UnsafeBufferPointer<UInt64>, limit: Int) -> Bool {
        entries.removeAll(keepingCapacity: true)
        indices.removeAll(keepingCapacity: true)
        guard let first = words.first, limit > 0 else { return words.isEmpty }
        let slotBits = max(6, bitWidth(of: UInt64(2 * min(limit, words.count) - 1)))
        slots.removeAll(keepingCapacity: true)
        slots.append(contentsOf: repeatElement(0, count: 1 << slotBits))
        indices.reserveCapacity(words.count)
        var (previous, number) = (first, index(of: first, slotBits))
        for word in words {
            if word != previous {
                number = index(of: word, slotBits)
                previous = word
                if entries.count > limit { return false }
            }
            indices.append(number)
        }
        return true
    }

    private mutating func index(of word: UInt64, _ slotBits: Int) -> UInt32 {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: ((word ^ word >> 32) &* Self.multiplier) >> UInt64(64 - slotBits))
        while slots[slot] != 0 {
            let candidate = slots[slot] - 1
            if entries[Int(candidate)] == word { return candidate }
            slot = (slot + 1) & mask
        }
        entries.append(word)
        slots[slot] = UInt32(entries.count)
        return UInt32(entries.count - 1)
    }
}

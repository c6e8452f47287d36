import Glibc

/// Distinct byte strings of a column, numbered by first appearance.
///
/// Open addressing over one arena: no allocation per value. Hashes are seeded per process, so that devices cannot choose values that
/// collide; numbers do not depend on them.
struct ByteDictionary {
    private(set) var bytes: [UInt8] = []
    /// Entry `i` ends at `ends[i]` and starts where the one before ends.
    private var ends: [Int] = []
    private var hashes: [Int] = []
    /// Entry number + 1; 0 is empty. A power of two, at most half full.
    private var slots = [UInt32](repeating: 0, count: 64)

    private(set) var longestByteCount = 0

    var count: Int { ends.count }

    func range(_ index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }

    func byteCount(_ index: Int) -> Int { range(index).count }

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        hashes.removeAll(keepingCapacity: true)
        for slot in slots.indices { slots[slot] = 0 }
        longestByteCount = 0
    }

    /// The number of `value`, a new one if it is new.
    mutating func index(of value: UnsafeRawBufferPointer) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: value)
        let hash = hasher.finalize()
        var slot = hash & (slots.count - 1)
        while slots[slot] != 0 {
            let candidate = Int(slots[slot] - 1)
            if hashes[candidate] == hash, equals(candidate, value) { return candidate }
            slot = (slot + 1) & (slots.count - 1)
        }
        bytes.append(contentsOf: value)
        ends.append(bytes.count)
        longestByteCount = max(longestByteCount, value.count)
        hashes.append(hash)
        slots[slot] = UInt32(count)
        if count * 2 > slots.count { grow() }
        return count - 1
    }

    func equals(_ index: Int, _ value: UnsafeRawBufferPointer) -> Bool {
        guard byteCount(index) == value.count, let other = value.baseAddress else { return byteCount(index) == value.count }
        return withEntry(index) { memcmp($0.baseAddress!, other, value.count) == 0 }
    }

    /// Unsigned byte-wise order.
    func precedes(_ index: Int, _ other: Int) -> Bool {
        withEntry(index) { a in
            withEntry(other) { b in
                let common = min(a.count, b.count)
                let order = common == 0 ? 0 : memcmp(a.baseAddress!, b.baseAddress!, common)
                return order == 0 ? a.count < b.count : order < 0
            }
        }
    }

    /// The bytes of an entry; valid inside `body` only.
    func withEntry<R>(_ index: Int, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range(index)])) }
    }

    private mutating func grow() {
        slots = [UInt32](repeating: 0, count: slots.count * 2)
        for (index, hash) in hashes.enumerated() {
            var slot = hash & (slots.count - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = UInt32(index + 1)
        }
    }
}

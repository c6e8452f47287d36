import Glibc
import TelemetryCodec

/// The distinct byte strings of a column, in the order they come, and the number of each value's string. Its buffers are reused.
struct StringDictionary: ~Copyable {
    /// offset << 32 | byte count of each distinct string in the arena.
    private(set) var entries: [UInt64] = []
    /// Number of the string of each value.
    private(set) var codes = WordBuffer()
    /// Entry number + 1; 0: free. A power of two of slots.
    private var slots: [UInt32] = []

    /// - Returns: whether the dictionary pays: the distinct strings are at most half of the bytes.
    mutating func build(_ bits: UnsafeBufferPointer<UInt64>, _ arena: UnsafeRawBufferPointer) -> Bool {
        entries.removeAll(keepingCapacity: true)
        codes.resize(bits.count)
        clearSlots(bits.count)
        var (total, last) = (0, -1)
        for (index, slice) in bits.enumerated() {
            let bytes = Self.bytes(slice, arena)
            total += bytes.count + 1
            if last < 0 || !Self.areEqual(bytes, Self.bytes(entries[last], arena)) {
                last = find(bytes, slice, arena)
            }
            codes.base[index] = UInt64(last)
        }
        var distinct = 0
        for entry in entries { distinct += Self.bytes(entry, arena).count + 1 }
        return distinct * 2 <= total
    }

    private mutating func clearSlots(_ count: Int) {
        var size = 64
        while size < count * 2 { size *= 2 }
        slots.removeAll(keepingCapacity: true)
        slots.append(contentsOf: repeatElement(0, count: size))
    }

    /// Number of the string, which is added when it is new.
    private mutating func find(_ bytes: UnsafeRawBufferPointer, _ slice: UInt64, _ arena: UnsafeRawBufferPointer) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: stableHash(bytes)) & mask
        while slots[slot] != 0 {
            let entry = Int(slots[slot]) - 1
            if Self.areEqual(bytes, Self.bytes(entries[entry], arena)) { return entry }
            slot = (slot + 1) & mask
        }
        entries.append(slice)
        slots[slot] = UInt32(entries.count)
        return entries.count - 1
    }

    private static func bytes(_ slice: UInt64, _ arena: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let (offset, count) = (Int(slice >> 32), Int(slice & 0xFFFF_FFFF))
        return UnsafeRawBufferPointer(rebasing: arena[offset..<(offset + count)])
    }

    private static func areEqual(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> Bool {
        guard first.count == second.count else { return false }
        guard let a = first.baseAddress, let b = second.baseAddress, a != b else { return true }
        return memcmp(a, b, first.count) == 0
    }
}

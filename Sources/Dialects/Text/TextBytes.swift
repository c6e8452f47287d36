// What every text format asks of bytes.

extension UnsafeRawBufferPointer {
    func slice(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self[range]) }

    /// Lines with anything on them.
    var filledLineCount: Int {
        var (count, isFilled) = (0, false)
        for byte in self {
            if byte == UInt8(ascii: "\n") {
                count += isFilled ? 1 : 0
                isFilled = false
            } else if byte > 0x20 {
                isFilled = true
            }
        }
        return count + (isFilled ? 1 : 0)
    }

    func equals(_ other: UnsafeRawBufferPointer) -> Bool { count == other.count && elementsEqual(other) }

    /// Source: The Unicode Standard, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
    var isValidUTF8: Bool {
        var position = 0
        while position < count {
            let first = self[position]
            position += 1
            if first < 0x80 { continue }
            var (low, high): (UInt8, UInt8) = (0x80, 0xBF)
            let following: Int
            switch first {
            case 0xC2...0xDF: following = 1
            case 0xE0: (following, low) = (2, 0xA0)
            case 0xED: (following, high) = (2, 0x9F)
            case 0xE1...0xEF: following = 2
            case 0xF0: (following, low) = (3, 0x90)
            case 0xF4: (following, high) = (3, 0x8F)
            case 0xF1...0xF3: following = 3
            default: return false
            }
            guard count - position >= following, (low...high).contains(self[position]) else { return false }
            for offset in 1..<following where self[position + offset] & 0xC0 != 0x80 { return false }
            position += following
        }
        return true
    }
}

/// Bytes under construction, their memory reused. A pointer into them holds until the next change.
struct ScratchBytes: ~Copyable {
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 1)
    private(set) var count = 0

    deinit { memory.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

    func bytes(from start: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[start..<count]) }

    mutating func removeAll() { count = 0 }

    /// Takes bytes back, to an earlier `count`.
    mutating func pop(to count: Int) { self.count = count }

    mutating func append(_ byte: UInt8) {
        if count == memory.count { grow(to: count + 1) }
        memory[count] = byte
        count += 1
    }

    mutating func append(_ text: StaticString) { append(UnsafeRawBufferPointer(text)) }

    mutating func append(_ part: UnsafeRawBufferPointer) {
        guard part.count > 0 else { return }
        if count + part.count > memory.count { grow(to: count + part.count) }
        UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(from: part)
        count += part.count
    }

    private mutating func grow(to needed: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: Swift.max(needed, 2 * memory.count), alignment: 1)
        larger.copyMemory(from: bytes)
        memory.deallocate()
        memory = larger
    }
}

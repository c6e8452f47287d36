import Dialects

/// Topics and payloads of the messages in hand, one behind the other, with room behind the last for a parser that reads in blocks.
struct MessageArena: ~Copyable {
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    private(set) var count = 0

    deinit { memory.deallocate() }

    /// Copies the bytes in. Slices taken before are no longer valid.
    /// - Returns: where they lie.
    mutating func append(_ bytes: UnsafeRawBufferPointer) -> Range<Int> {
        let start = count
        reserve(count + bytes.count + JSONReadingDecoder.padding)
        UnsafeMutableRawBufferPointer(rebasing: memory[start..<start + bytes.count]).copyMemory(from: bytes)
        count += bytes.count
        return start..<count
    }

    /// Valid until the next `append`.
    subscript(range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[range]) }

    mutating func removeAll() { count = 0 }

    private mutating func reserve(_ byteCount: Int) {
        guard byteCount > memory.count else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: max(byteCount, memory.count * 2), alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<count]))
        memory.deallocate()
        memory = larger
    }
}

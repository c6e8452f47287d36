/// Bytes read from a file: one owner of the memory, shared by reference, never changed once filled.
///
/// `@unchecked Sendable`: written only inside `init`.
final class Bytes: @unchecked Sendable {
    /// For owners that keep these bytes longer than the pointer; all others take `withBytes`, or the memory may go before its last use.
    let buffer: UnsafeRawBufferPointer

    init<E: Error>(count: Int, fill: (UnsafeMutableRawBufferPointer) throws(E) -> Void) throws(E) {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1), alignment: 16)
        do throws(E) {
            try fill(UnsafeMutableRawBufferPointer(rebasing: memory[..<count]))
        } catch {
            memory.deallocate()
            throw error
        }
        buffer = UnsafeRawBufferPointer(start: memory.baseAddress, count: count)
    }

    convenience init(copying source: UnsafeRawBufferPointer) {
        self.init(count: source.count) { if source.count > 0 { $0.copyMemory(from: source) } }
    }

    deinit { buffer.deallocate() }

    var count: Int { buffer.count }

    func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        defer { withExtendedLifetime(self) {} }
        return try body(buffer)
    }
}

extension File {
    /// Exactly `count` bytes from `offset`; nil when the file is shorter.
    func bytes(at offset: Int, count: Int) throws(FileError) -> Bytes? {
        var read = 0
        let bytes = try Bytes(count: count) { (buffer) throws(FileError) in read = try self.read(at: offset, into: buffer) }
        return read == count ? bytes : nil
    }
}

/// Memory that one file after the other is read into: pages are asked from the kernel once.
struct FileBuffer: ~Copyable {
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 0, alignment: 16)

    deinit { memory.deallocate() }

    /// Exactly `count` bytes from the file's start, valid until the next call; nil when the file is shorter.
    mutating func read(_ file: any File, count: Int) throws(FileError) -> UnsafeRawBufferPointer? {
        if memory.count < count {
            memory.deallocate()
            memory = .allocate(byteCount: count, alignment: 16)
        }
        let target = UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
        return try file.read(at: 0, into: target) == count ? UnsafeRawBufferPointer(target) : nil
    }
}

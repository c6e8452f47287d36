import Telemetry

/// A dotted field name under construction: parts are pushed on the way down and popped on the way up. Memory of its own, reused.
struct FieldPath: ~Copyable {
    private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: Limits.fieldNameByteCount, alignment: 1)
    /// Bytes so far; what `pop(to:)` takes.
    private(set) var count = 0

    deinit { memory.deallocate() }

    var name: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

    /// Appends a part behind a dot.
    mutating func push(_ part: UnsafeRawBufferPointer) throws(Rejection) {
        guard part.count > 0 else { throw Rejection(.undecodable, "field \"\(excerpt(name))\": a field's name is empty") }
        let separator = count > 0 ? 1 : 0
        guard count + separator + part.count <= memory.count else {
            throw .fieldNameTooLong(count > 0 ? name : part)
        }
        if separator == 1 { memory[count] = UInt8(ascii: ".") }
        UnsafeMutableRawBufferPointer(rebasing: memory[(count + separator)...]).copyMemory(from: part)
        count += separator + part.count
    }

    /// Appends a position in a list.
    mutating func push(index: Int) throws(Rejection) {
        let text = String(index)
        var failure: Rejection?
        var utf8 = text
        utf8.withUTF8 { bytes in
            do throws(Rejection) { try push(UnsafeRawBufferPointer(bytes)) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Appends to the last part.
    mutating func extend(_ suffix: UnsafeRawBufferPointer) throws(Rejection) {
        guard count + suffix.count <= memory.count else {
            throw .fieldNameTooLong(name)
        }
        UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(from: suffix)
        count += suffix.count
    }

    /// Takes parts back, to an earlier `count`.
    mutating func pop(to count: Int) { self.count = count }

    mutating func removeAll() { count = 0 }
}

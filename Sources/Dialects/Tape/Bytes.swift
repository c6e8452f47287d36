/// Comparing and trimming bytes of strangers with names that we know.
extension UnsafeRawBufferPointer {
    init(_ text: StaticString) { self.init(start: text.utf8Start, count: text.utf8CodeUnitCount) }

    static func == (bytes: UnsafeRawBufferPointer, name: StaticString) -> Bool {
        bytes.count == name.utf8CodeUnitCount && bytes.elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: bytes.count))
    }

    /// - Parameter name: in lower case.
    func equalsIgnoringCase(_ name: StaticString) -> Bool {
        guard count == name.utf8CodeUnitCount else { return false }
        for index in 0..<count {
            let byte = self[index]
            let lower = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
            if lower != name.utf8Start[index] { return false }
        }
        return true
    }

    func starts(with prefix: StaticString) -> Bool {
        count >= prefix.utf8CodeUnitCount && UnsafeRawBufferPointer(rebasing: self[..<prefix.utf8CodeUnitCount]) == prefix
    }

    func ends(with suffix: StaticString) -> Bool {
        count >= suffix.utf8CodeUnitCount && UnsafeRawBufferPointer(rebasing: self[(count - suffix.utf8CodeUnitCount)...]) == suffix
    }

    /// Without a byte order mark, white space on both sides, and NULs behind.
    var trimmed: UnsafeRawBufferPointer {
        var (start, end) = (0, count)
        if starts(with: "\u{FEFF}") { start = 3 }
        while start < end, Self.isBlank(self[start]) { start += 1 }
        while end > start, Self.isBlank(self[end - 1]) || self[end - 1] == 0 { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: self[start..<end])
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The text of a small file of the operator's.
enum FileText {
    struct Unreadable: Error {
        /// `No such file or directory`, `Permission denied`…
        let reason: String
    }

    /// Bytes beyond which a file is no configuration: also what keeps `/dev/zero` from filling memory.
    private static let byteLimit = 1 << 20

    static func read(_ path: String) throws(Unreadable) -> String {
        guard let file = fopen(path, "rb") else { throw Unreadable(reason: SystemError.text(errno)) }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: byteLimit + 1)
        let count = fread(&bytes, 1, bytes.count, file)
        guard ferror(file) == 0 else { throw Unreadable(reason: SystemError.text(errno)) }
        guard count <= byteLimit else { throw Unreadable(reason: "longer than \(ByteCountText.text(byteLimit))") }
        guard let text = String(validating: bytes[..<count], as: UTF8.self) else { throw Unreadable(reason: "not UTF-8") }
        return text
    }
}

/// What the C library says of an `errno`.
enum SystemError {
    static func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}

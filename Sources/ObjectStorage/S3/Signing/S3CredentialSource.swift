import Glibc

/// Where the keys come from. They are read anew for every request, so that a rotation needs no restart.
package enum S3CredentialSource: Sendable, Equatable {
    /// Paths of files with one line each.
    case files(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil)
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, if there is one, `AWS_SESSION_TOKEN`.
    case environment

    /// - Throws: `ObjectError.unauthorized`, which names the file or variable at fault, never its content.
    func load() throws(ObjectError) -> S3Credentials {
        switch self {
        case .files(let accessKeyID, let secretAccessKey, let sessionToken):
            var token: String?
            if let sessionToken { token = try CredentialFile.line(sessionToken) }
            return S3Credentials(
                accessKeyID: try CredentialFile.line(accessKeyID), secretAccessKey: try CredentialFile.line(secretAccessKey),
                sessionToken: token)
        case .environment:
            return S3Credentials(
                accessKeyID: try Self.variable("AWS_ACCESS_KEY_ID"), secretAccessKey: try Self.variable("AWS_SECRET_ACCESS_KEY"),
                sessionToken: try Self.optionalVariable("AWS_SESSION_TOKEN"))
        }
    }

    private static func variable(_ name: String) throws(ObjectError) -> String {
        guard let value = try optionalVariable(name) else {
            throw ObjectError(.unauthorized, "the environment variable \(name) is not set; set it, or name files with the keys")
        }
        return value
    }

    /// An empty one counts as none.
    private static func optionalVariable(_ name: String) throws(ObjectError) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        let text = String(cString: value)
        guard S3Credentials.isPossible(text) else {
            throw ObjectError(.unauthorized, "the environment variable \(name) must be one line of printable ASCII without spaces")
        }
        return text
    }
}

/// A file with one line that is a secret.
private enum CredentialFile {
    static func line(_ path: String) throws(ObjectError) -> String {
        var bytes = try content(path)
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard !bytes.isEmpty else { throw ObjectError(.unauthorized, "the credentials file \(path) is empty") }
        guard !bytes.contains(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) else {
            throw ObjectError(.unauthorized, "the credentials file \(path) has more than one line; it must hold the value alone")
        }
        let text = String(decoding: bytes, as: UTF8.self)
        guard S3Credentials.isPossible(text) else {
            throw ObjectError(.unauthorized, "the credentials file \(path) must hold printable ASCII without spaces")
        }
        return text
    }

    /// At most a byte more than the limit, so that a huge file does not fill the memory and is still refused.
    private static func content(_ path: String) throws(ObjectError) -> [UInt8] {
        // A pipe would block for ever.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw unreadable(path, errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw unreadable(path, errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw ObjectError(.unauthorized, "the credentials file \(path) is not a file") }
        var bytes = [UInt8](repeating: 0, count: S3Credentials.byteCountLimit + 1)
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress! + done, $0.count - done, done) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw unreadable(path, errno) }
            guard count > 0 else { break }
            done += count
        }
        return Array(bytes[..<done])
    }

    private static func unreadable(_ path: String, _ number: Int32) -> ObjectError {
        ObjectError(.unauthorized, ObjectError("read the credentials file", path, errno: number).detail)
    }
}

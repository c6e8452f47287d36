import Glibc

/// The operating system's files.
package struct RealFileSystem: FileSystem {
    package init() {}

    package func createDirectory(_ path: String) throws(FileError) {
        if mkdir(path, 0o750) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw FileError(operation: "mkdir", path: path, errno: errno)
        }
        try createDirectory(String(path[..<slash]))
        guard mkdir(path, 0o750) == 0 || errno == EEXIST else { throw FileError(operation: "mkdir", path: path, errno: errno) }
    }

    package func list(_ directory: String) throws(FileError) -> [String] {
        guard let stream = opendir(directory) else { throw FileError(operation: "opendir", path: directory, errno: errno) }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != "." && name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw FileError(operation: "readdir", path: directory, errno: errno) }
        return names
    }

    package func freeByteCount(at path: String) throws(FileError) -> Int {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw FileError(operation: "statvfs", path: path, errno: errno) }
        return Int(clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue)
    }

    package func exists(_ path: String) throws(FileError) -> Bool {
        if access(path, F_OK) == 0 { return true }
        guard errno == ENOENT else { throw FileError(operation: "access", path: path, errno: errno) }
        return false
    }

    package func open(_ path: String, _ mode: FileMode) throws(FileError) -> any File {
        try RealFile(path: path, mode: mode)
    }

    package func rename(_ from: String, to: String) throws(FileError) {
        guard Glibc.rename(from, to) == 0 else { throw FileError(operation: "rename", path: from, errno: errno) }
    }

    package func unlink(_ path: String) throws(FileError) {
        guard Glibc.unlink(path) == 0 else { throw FileError(operation: "unlink", path: path, errno: errno) }
    }

    package func removeDirectory(_ path: String) throws(FileError) {
        var failure: FileError?
        for name in try list(path) {
            do throws(FileError) { try removeEntry(path + "/" + name) } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
        guard rmdir(path) == 0 else { throw FileError(operation: "rmdir", path: path, errno: errno) }
    }

    /// A link goes, what it leads to stays.
    private func removeEntry(_ path: String) throws(FileError) {
        do throws(FileError) {
            try unlink(path)
        } catch {
            guard error.errno == EISDIR else { throw error }
            try removeDirectory(path)
        }
    }

    package func syncDirectory(_ path: String) throws(FileError) {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(operation: "open", path: path, errno: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileError(operation: "fsync", path: path, errno: errno) }
    }

    package func lock(_ path: String) throws(FileError) -> any FileLock { try RealFileLock(path: path) }

    package func lockUnchanged(_ path: String) throws(FileError) -> (any FileLock)? {
        try exists(path) ? try RealFileLock(unchanged: path) : nil
    }
}

private final class RealFile: File {
    private let descriptor: Int32
    private let path: String

    init(path: String, mode: FileMode) throws(FileError) {
        let flags =
            switch mode {
            case .read: O_RDONLY
            case .create: O_RDWR | O_CREAT | O_EXCL
            case .readWrite: O_RDWR
            }
        descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o640)
        self.path = path
        guard descriptor >= 0 else { throw failure("open") }
    }

    deinit { close(descriptor) }

    private func failure(_ operation: String) -> FileError { FileError(operation: operation, path: path, errno: errno) }

    func byteCount() throws(FileError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("fstat") }
        return Int(status.st_size)
    }

    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        var done = 0
        while done < buffer.count {
            let count = pread(descriptor, buffer.baseAddress! + done, buffer.count - done, offset + done)
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("pread")
            }
            done += count
        }
        return done
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, bytes.baseAddress! + done, bytes.count - done, offset + done)
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("pwrite")
            }
            done += count
        }
    }

    func sync() throws(FileError) {
        guard fdatasync(descriptor) == 0 else { throw failure("fdatasync") }
    }

    func allocate(_ byteCount: Int) throws(FileError) {
        var result = posix_fallocate(descriptor, 0, byteCount)
        while result == EINTR { result = posix_fallocate(descriptor, 0, byteCount) }
        guard result == 0 else { throw FileError(operation: "fallocate", path: path, errno: result) }
    }

    func truncate(to byteCount: Int) throws(FileError) {
        guard ftruncate(descriptor, byteCount) == 0 else { throw failure("ftruncate") }
    }
}

/// An advisory `flock`: released by the kernel however the process ends. The file holds the owner's process id for the message.
private final class RealFileLock: FileLock {
    private let descriptor: Int32

    init(path: String) throws(FileError) {
        descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        try RealFileLock.take(descriptor, path)
        let owner = Array("\(getpid())\n".utf8)
        guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, owner, owner.count, 0) == owner.count else {
            throw FileError(operation: "write", path: path, errno: errno)
        }
    }

    /// Leaves the name of the last owner in the file.
    init(unchanged path: String) throws(FileError) {
        descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        try RealFileLock.take(descriptor, path)
    }

    /// A process that is about to end may hold it for a moment still, as may a child between fork and exec.
    private static let patience = (attempts: 50, pauseMicroseconds: useconds_t(20_000))

    /// The descriptor is closed by `deinit`, which runs after a throw as well.
    private static func take(_ descriptor: Int32, _ path: String) throws(FileError) {
        guard descriptor >= 0 else { throw FileError(operation: "open", path: path, errno: errno) }
        var reason: Int32 = 0
        for attempt in 1...patience.attempts {
            guard flock(descriptor, LOCK_EX | LOCK_NB) != 0 else { return }
            reason = errno
            guard reason == EWOULDBLOCK, attempt < patience.attempts else { break }
            usleep(patience.pauseMicroseconds)
        }
        let holder = RealFileLock.content(of: descriptor)
        throw FileError(operation: "flock", path: path, errno: reason, holder: holder)
    }

    deinit { close(descriptor) }

    private static func content(of descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(count, 0)).prefix { $0 != 10 }, as: UTF8.self)
    }
}

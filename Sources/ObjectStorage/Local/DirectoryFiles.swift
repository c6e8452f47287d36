import Glibc

/// File operations of a directory destination, with `ObjectError`s.
enum DirectoryFiles {
    /// Creates the directory and missing parents.
    static func create(_ path: String) throws(ObjectError) {
        if mkdir(path, 0o755) == 0 { return }
        let reason = errno
        if reason == EEXIST {
            guard access(path + "/.", F_OK) == 0 else { throw ObjectError("open", path) }
            return
        }
        guard reason == ENOENT, let parent = parent(of: path) else { throw ObjectError("mkdir", path, errno: reason) }
        try create(parent)
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw ObjectError("mkdir", path) }
    }

    static func parent(of path: String) -> String? {
        guard path != "/", let slash = path.lastIndex(of: "/") else { return nil }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Makes names created in the directory durable.
    static func sync(_ directory: String) throws(ObjectError) {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ObjectError("open", directory) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw ObjectError("fsync", directory) }
    }

    /// Writes a file whole, syncs it, and gives it the name `path`. Its folder is not synced.
    static func replace(_ path: String, with bytes: [UInt8], temporaryPath: String) throws(ObjectError) {
        let descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw ObjectError("create", temporaryPath) }
        do throws(ObjectError) {
            defer { close(descriptor) }
            try write(bytes.span.bytes, to: descriptor, temporaryPath)
            guard fsync(descriptor) == 0 else { throw ObjectError("fsync", temporaryPath) }
            guard rename(temporaryPath, path) == 0 else { throw ObjectError("rename", path) }
        } catch {
            unlink(temporaryPath)
            throw error
        }
    }

    /// - Parameter path: for errors.
    static func write(_ bytes: RawSpan, to descriptor: Int32, _ path: String) throws(ObjectError) {
        var done = 0
        while done < bytes.byteCount {
            let count = bytes.extracting(droppingFirst: done).withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw ObjectError("write", path) }
            done += count
        }
    }

    static func names(in directory: String) throws(ObjectError) -> [String] {
        guard let stream = opendir(directory) else {
            if errno == ENOENT { return [] }
            throw ObjectError("opendir", directory)
        }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            names.append(withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        guard errno == 0 else { throw ObjectError("readdir", directory) }
        return names
    }
}

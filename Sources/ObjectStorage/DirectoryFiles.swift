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

import Glibc

extension FileError: CustomStringConvertible {
    package var description: String {
        let reason = strerror(errno).map { String(cString: $0) } ?? "error \(errno)"
        return "\(operation) \(path): \(reason)"
    }

    /// Who has the lock that was asked for, in words; nil for other errors.
    var lockHolder: String? {
        guard operation == "flock", errno == EWOULDBLOCK else { return nil }
        return holder.isEmpty ? "another process" : "process \(holder)"
    }

    var isNoSpace: Bool { errno == ENOSPC || errno == EDQUOT }

    /// The store's view: no space can be waited for, permissions and what is in the way are the operator's, all else leaves the disk
    /// unknown.
    var storeError: StoreError {
        if isNoSpace { return StoreError(.diskFull, description) }
        switch errno {
        case EACCES, EPERM, EROFS, ENOTDIR, EISDIR, ENOTEMPTY, EBUSY, ELOOP, ENAMETOOLONG: return StoreError(.unusable, description)
        default: return StoreError(.fatal, description)
        }
    }
}

/// Runs file operations and turns their errors into the store's.
@inline(__always)
func storing<R>(_ body: () throws(FileError) -> R) throws(StoreError) -> R {
    do { return try body() } catch { throw error.storeError }
}

extension FileSystem {
    /// Reads a file whole; nil when there is none.
    func contents(of path: String) throws(FileError) -> Bytes? {
        guard try exists(path) else { return nil }
        let file = try open(path, .read)
        return try file.bytes(at: 0, count: try file.byteCount())
    }

    /// Size of a file; nil when there is none.
    func byteCount(of path: String) throws(FileError) -> Int? { try exists(path) ? try open(path, .read).byteCount() : nil }

    /// Replaces a file atomically. A crash leaves the old content or the new:
    /// 1. temp file written and synced (a crash leaves a temp file, removed at the next start), 2. renamed, 3. directory synced.
    /// A failure before 2 leaves no temp file, unless it cannot be removed: then the next call does.
    package func replace(_ path: String, with bytes: UnsafeRawBufferPointer) throws(FileError) {
        let temporary = path + temporarySuffix
        if try exists(temporary) { try unlink(temporary) }
        let file = try open(temporary, .create)
        do throws(FileError) {
            try file.write(bytes, at: 0)
            try file.sync()
            try rename(temporary, to: path)
        } catch {
            try? unlink(temporary)
            throw error
        }
        try syncDirectory(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
    }
}

/// Marks files that are being written. Whatever bears it at start is left over from a crash.
let temporarySuffix = ".tmp"

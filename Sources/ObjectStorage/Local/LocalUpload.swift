import Glibc

/// A temp file that becomes an object by a second name; see `LocalDirectoryDestination` for the steps.
final class LocalUpload: ObjectUpload {
    private let path: String
    private let temporaryPath: String
    private let foldersToSync: [String]
    private let descriptor: Int32

    /// - Parameter temporaryPath: in the folder of `path`; must not exist.
    init(path: String, temporaryPath: String, foldersToSync: [String]) throws(ObjectError) {
        self.path = path
        self.temporaryPath = temporaryPath
        self.foldersToSync = foldersToSync
        // A number of an earlier process may still lie there: nobody else writes it.
        unlink(temporaryPath)
        descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw ObjectError("create", temporaryPath) }
    }

    /// The temp name goes in every case; after a commit the object keeps its own.
    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        unlink(temporaryPath)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(ObjectError) {
        try DirectoryFiles.write(RawSpan(_unsafeBytes: bytes), to: descriptor, temporaryPath)
    }

    func commit() throws(ObjectError) {
        guard fsync(descriptor) == 0 else { throw ObjectError("fsync", temporaryPath) }
        guard link(temporaryPath, path) == 0 else { throw linkError(errno) }
        guard unlink(temporaryPath) == 0 else { throw ObjectError("unlink", temporaryPath) }
        for folder in foldersToSync { try DirectoryFiles.sync(folder) }
    }

    /// `link` refuses an existing name in one step with giving the new one; `rename` would replace it.
    private func linkError(_ number: Int32) -> ObjectError {
        switch number {
        case EPERM, EOPNOTSUPP, ENOSYS: ObjectError(.invalidDestination, "the file system of \(path) has no hard links")
        default: ObjectError("link", path, errno: number)
        }
    }
}

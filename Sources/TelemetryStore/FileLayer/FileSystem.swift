/// The one door to the disk: everything the store reads or writes goes through here, so that tests can lose, tear and fail it.
package protocol FileSystem: Sendable {
    /// Creates the directory and missing parents; an existing one is fine.
    func createDirectory(_ path: String) throws(FileError)
    /// Names in the directory, in no order; `.` and `..` left out.
    func list(_ directory: String) throws(FileError) -> [String]
    func exists(_ path: String) throws(FileError) -> Bool
    func open(_ path: String, _ mode: FileMode) throws(FileError) -> any File
    /// Replaces what stands under `to`.
    func rename(_ from: String, to: String) throws(FileError)
    func unlink(_ path: String) throws(FileError)
    /// Removes a directory and all that is in it. What cannot be removed does not keep the rest.
    func removeDirectory(_ path: String) throws(FileError)
    /// Makes creations, renames and removals in the directory durable.
    func syncDirectory(_ path: String) throws(FileError)
    /// What may still be written to the file system that holds `path`.
    func freeByteCount(at path: String) throws(FileError) -> Int
    /// Takes the store's lock file for this process; it goes with the returned object.
    /// - Throws: `EWOULDBLOCK` when another process holds it; `holder` in the detail when known.
    func lock(_ path: String) throws(FileError) -> any FileLock
    /// As `lock`, but changes no byte; for reading a store while nobody may write it.
    /// - Returns: nil when there is no lock file.
    func lockUnchanged(_ path: String) throws(FileError) -> (any FileLock)?
}

extension FileSystem {
    package func freeByteCount(at path: String) throws(FileError) -> Int { .max }

    package func lockUnchanged(_ path: String) throws(FileError) -> (any FileLock)? { try exists(path) ? try lock(path) : nil }
}

package enum FileMode: Sendable {
    case read
    /// Fails when the file exists.
    case create
    case readWrite
}

/// An open file. Positions are explicit, so any thread may use it; closed with the last reference.
package protocol File: AnyObject, Sendable {
    func byteCount() throws(FileError) -> Int
    /// Fills the buffer from `offset`.
    /// - Returns: bytes read; fewer than asked for only at the end of the file.
    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int
    /// Writes everything or throws; on a throw any part may be written.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError)
    /// `fdatasync`: after a throw the file's content is unknown; never retry.
    func sync() throws(FileError)
    /// Reserves space, so that later writes inside it neither grow the file nor run out of space.
    func allocate(_ byteCount: Int) throws(FileError)
    func truncate(to byteCount: Int) throws(FileError)
}

package protocol FileLock: AnyObject, Sendable {}

package struct FileError: Error, Sendable {
    package var operation: String
    package var path: String
    package var errno: Int32
    package var holder: String = ""

    package init(operation: String, path: String, errno: Int32, holder: String = "") {
        self.operation = operation
        self.path = path
        self.errno = errno
        self.holder = holder
    }
}

@testable import TelemetryStore

/// A simulated disk with a hand in it: a test sees, fails or delays single operations.
///
/// `@unchecked Sendable`: hooks are set before the store runs.
final class HookedFileSystem: FileSystem, @unchecked Sendable {
    let disk: SimulatedFileSystem
    /// Path, bytes, offset, the file itself; an error number fails the operation.
    var beforeWrite: ((String, UnsafeRawBufferPointer, Int, any File) -> Int32?)?
    var beforeSync: ((String) -> Int32?)?
    var beforeSyncDirectory: ((String) -> Int32?)?
    var beforeRemoveDirectory: ((String) -> Int32?)?
    var afterRename: ((String) -> Void)?
    var freeByteCount: (() -> Int)?

    init(_ disk: SimulatedFileSystem) { self.disk = disk }

    /// For a test whose hook holds the store: else each keeps the other.
    func removeHooks() {
        (beforeWrite, beforeSync, beforeSyncDirectory, beforeRemoveDirectory, afterRename) = (nil, nil, nil, nil, nil)
        freeByteCount = nil
    }

    func freeByteCount(at path: String) throws(FileError) -> Int { freeByteCount?() ?? .max }
    func createDirectory(_ path: String) throws(FileError) { try disk.createDirectory(path) }
    func list(_ directory: String) throws(FileError) -> [String] { try disk.list(directory) }
    func exists(_ path: String) throws(FileError) -> Bool { try disk.exists(path) }
    func open(_ path: String, _ mode: FileMode) throws(FileError) -> any File { HookedFile(self, path, try disk.open(path, mode)) }
    func rename(_ from: String, to: String) throws(FileError) {
        try disk.rename(from, to: to)
        afterRename?(to)
    }
    func unlink(_ path: String) throws(FileError) { try disk.unlink(path) }
    func removeDirectory(_ path: String) throws(FileError) {
        if let errno = beforeRemoveDirectory?(path) { throw FileError(operation: "rmdir", path: path, errno: errno) }
        try disk.removeDirectory(path)
    }
    func syncDirectory(_ path: String) throws(FileError) {
        if let errno = beforeSyncDirectory?(path) { throw FileError(operation: "fsync", path: path, errno: errno) }
        try disk.syncDirectory(path)
    }
    func lock(_ path: String) throws(FileError) -> any FileLock { try disk.lock(path) }
}

private final class HookedFile: File, @unchecked Sendable {
    private let fileSystem: HookedFileSystem
    private let path: String
    private let file: any File

    init(_ fileSystem: HookedFileSystem, _ path: String, _ file: any File) {
        (self.fileSystem, self.path, self.file) = (fileSystem, path, file)
    }

    func byteCount() throws(FileError) -> Int { try file.byteCount() }
    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        try file.read(at: offset, into: buffer)
    }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
        if let errno = fileSystem.beforeWrite?(path, bytes, offset, file) { throw FileError(operation: "pwrite", path: path, errno: errno) }
        try file.write(bytes, at: offset)
    }
    func sync() throws(FileError) {
        if let errno = fileSystem.beforeSync?(path) { throw FileError(operation: "fdatasync", path: path, errno: errno) }
        try file.sync()
    }
    func allocate(_ byteCount: Int) throws(FileError) { try file.allocate(byteCount) }
    func truncate(to byteCount: Int) throws(FileError) { try file.truncate(to: byteCount) }
}

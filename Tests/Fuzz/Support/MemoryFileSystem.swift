import Glibc
import TelemetryStore

/// Files in memory, as few as a fuzzer's input makes, without anything that a crash test needs. One thread at a time.
package final class MemoryFileSystem: FileSystem, @unchecked Sendable {
    fileprivate final class Content {
        var bytes: [UInt8]
        init(_ bytes: [UInt8]) { self.bytes = bytes }
    }

    private var files: [String: Content] = [:]
    private var directories: Set<String> = ["/"]

    package init() {}

    /// Puts a file where it was or was not, with its directories.
    package func put(_ path: String, _ bytes: [UInt8]) {
        makeDirectory(parent(of: path))
        files[path] = Content(bytes)
    }

    package func bytes(_ path: String) -> [UInt8]? { files[path]?.bytes }

    private func parent(of path: String) -> String {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private func makeDirectory(_ path: String) {
        if path != "/" { makeDirectory(parent(of: path)) }
        directories.insert(path)
    }

    package func createDirectory(_ path: String) throws(FileError) { makeDirectory(path) }

    package func list(_ directory: String) throws(FileError) -> [String] {
        guard directories.contains(directory) else { throw FileError(operation: "opendir", path: directory, errno: ENOENT) }
        return (Array(files.keys) + Array(directories)).filter { $0 != "/" && parent(of: $0) == directory }
            .map { String($0.split(separator: "/").last ?? "") }
    }

    package func exists(_ path: String) throws(FileError) -> Bool { files[path] != nil || directories.contains(path) }

    package func open(_ path: String, _ mode: FileMode) throws(FileError) -> any File {
        if let content = files[path] {
            if case .create = mode { throw FileError(operation: "open", path: path, errno: EEXIST) }
            return MemoryFile(content)
        }
        guard case .create = mode else { throw FileError(operation: "open", path: path, errno: ENOENT) }
        let content = Content([])
        files[path] = content
        return MemoryFile(content)
    }

    package func rename(_ from: String, to: String) throws(FileError) { files[to] = files.removeValue(forKey: from) }
    package func unlink(_ path: String) throws(FileError) { files[path] = nil }
    package func removeDirectory(_ path: String) throws(FileError) {
        for name in try list(path) { files[path + "/" + name] = nil }
        directories.remove(path)
    }
    package func syncDirectory(_ path: String) throws(FileError) {}
    package func lock(_ path: String) throws(FileError) -> any FileLock { MemoryLock() }
}

private final class MemoryLock: FileLock {}

private final class MemoryFile: File, @unchecked Sendable {
    private let content: MemoryFileSystem.Content

    init(_ content: MemoryFileSystem.Content) { self.content = content }

    func byteCount() throws(FileError) -> Int { content.bytes.count }

    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        let count = max(0, min(buffer.count, content.bytes.count - offset))
        if count > 0 { content.bytes[offset..<(offset + count)].withUnsafeBytes { buffer.copyMemory(from: $0) } }
        return count
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
        let end = offset + bytes.count
        if end > content.bytes.count { content.bytes.append(contentsOf: repeatElement(0, count: end - content.bytes.count)) }
        content.bytes.replaceSubrange(offset..<end, with: bytes)
    }

    func sync() throws(FileError) {}
    func allocate(_ byteCount: Int) throws(FileError) { try truncate(to: byteCount) }
    func truncate(to byteCount: Int) throws(FileError) {
        if byteCount < content.bytes.count {
            content.bytes.removeLast(content.bytes.count - byteCount)
        } else {
            content.bytes.append(contentsOf: repeatElement(0, count: byteCount - content.bytes.count))
        }
    }
}

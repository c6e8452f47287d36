import Glibc
import Synchronization

@testable import TelemetryStore

/// A disk in memory that keeps only what was synced: after `crashed`, unsynced writes and directory changes are there or not, each by
/// itself, and a write may be torn at any byte. Also fails the n-th operation on request.
final class SimulatedFileSystem: FileSystem {
    fileprivate enum Change {
        case write(Int, [UInt8])
        case resize(Int)
    }

    fileprivate final class Inode {
        var durable: [UInt8]
        var current: [UInt8]
        var pending: [Change] = []
        init(_ bytes: [UInt8] = []) { (durable, current) = (bytes, bytes) }
    }

    fileprivate struct Rename {
        var directory: String
        var removed: [String]
        var added: (path: String, node: Inode?)?
    }

    fileprivate struct State {
        /// Nil: a directory.
        var names: [String: Inode?] = [:]
        var durableNames: [String: Inode?] = [:]
        var pending: [Rename] = []
        var operationCount = 0
        var failure: (at: Int, errno: Int32, isLasting: Bool)?
    }

    private let monitor = Monitor()
    nonisolated(unsafe) private var state = State()

    init() {
        state.names["/"] = .some(nil)
        state.durableNames["/"] = .some(nil)
    }

    var operationCount: Int { monitor.locked { state.operationCount } }

    /// Lets the `count`-th operation from now fail; with `isLasting`, every later one too, as after a power cut.
    func fail(after count: Int, errno: Int32, isLasting: Bool) {
        monitor.locked { state.failure = (state.operationCount + count, errno, isLasting) }
    }

    func heal() { monitor.locked { state.failure = nil } }

    /// The disk after a power cut.
    func crashed(using random: inout some RandomNumberGenerator) -> SimulatedFileSystem {
        let result = SimulatedFileSystem()
        monitor.locked {
            var names = state.durableNames
            for change in state.pending where Bool.random(using: &random) {
                for path in change.removed { names[path] = nil }
                if let added = change.added { names[added.path] = .some(added.node) }
            }
            var copies: [ObjectIdentifier: Inode] = [:]
            for (path, node) in names where SimulatedFileSystem.hasParents(path, names) {
                guard let node else {
                    result.state.names[path] = .some(nil)
                    continue
                }
                let copy = copies[ObjectIdentifier(node)] ?? Inode(SimulatedFileSystem.survivors(of: node, using: &random))
                copies[ObjectIdentifier(node)] = copy
                result.state.names[path] = .some(copy)
            }
            result.state.durableNames = result.state.names
        }
        return result
    }

    private static func hasParents(_ path: String, _ names: [String: Inode?]) -> Bool {
        var parent = parent(of: path)
        while parent != "/" {
            guard let node = names[parent], node == nil else { return false }
            parent = SimulatedFileSystem.parent(of: parent)
        }
        return true
    }

    private static func survivors(of node: Inode, using random: inout some RandomNumberGenerator) -> [UInt8] {
        var bytes = node.durable
        for change in node.pending where Int.random(in: 0..<3, using: &random) > 0 {
            switch change {
            case .write(let offset, let data):
                let kept = Bool.random(using: &random) ? data.count : Int.random(in: 0...data.count, using: &random)
                apply(.write(offset, Array(data.prefix(kept))), to: &bytes)
            case .resize: apply(change, to: &bytes)
            }
        }
        return bytes
    }

    fileprivate static func apply(_ change: Change, to bytes: inout [UInt8]) {
        switch change {
        case .write(let offset, let data):
            if bytes.count < offset + data.count { bytes.append(contentsOf: repeatElement(0, count: offset + data.count - bytes.count)) }
            bytes.replaceSubrange(offset..<(offset + data.count), with: data)
        case .resize(let count):
            if count < bytes.count {
                bytes.removeLast(bytes.count - count)
            } else {
                bytes.append(contentsOf: repeatElement(0, count: count - bytes.count))
            }
        }
    }

    fileprivate static func parent(of path: String) -> String {
        let slash = path.lastIndex(of: "/")!
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Counts, fails when it is time, runs.
    fileprivate func operation<R>(_ name: String, _ path: String, _ body: (inout State) throws(FileError) -> R) throws(FileError) -> R {
        try monitor.locked { () throws(FileError) in
            state.operationCount += 1
            if let failure = state.failure, state.operationCount == failure.at || (failure.isLasting && state.operationCount > failure.at) {
                throw FileError(operation: name, path: path, errno: failure.errno)
            }
            return try body(&state)
        }
    }

    // MARK: - For tests

    var files: [String] { monitor.locked { state.names.compactMap { $1 == nil ? nil : $0 }.sorted() } }
    func contents(_ path: String) -> [UInt8] { monitor.locked { state.names[path]??.current ?? [] } }
    func flip(_ path: String, at offset: Int) { monitor.locked { state.names[path]??.current[offset] ^= 0x10 } }
    func write(_ path: String, _ bytes: [UInt8], at offset: Int) {
        monitor.locked { if let node = state.names[path], let node { SimulatedFileSystem.apply(.write(offset, bytes), to: &node.current) } }
    }

    /// Everything as it is now, synced or not, on a disk of its own.
    func copy() -> SimulatedFileSystem {
        let result = SimulatedFileSystem()
        monitor.locked {
            result.state.names = state.names.mapValues { $0.map { Inode($0.current) } }
            result.state.durableNames = result.state.names
        }
        return result
    }

    // MARK: - FileSystem

    func createDirectory(_ path: String) throws(FileError) {
        let parent = SimulatedFileSystem.parent(of: path)
        if parent != "/" { try createDirectory(parent) }
        try operation("mkdir", path) { state in
            guard state.names[path] == nil else { return }
            state.names[path] = .some(nil)
            state.pending.append(Rename(directory: parent, removed: [], added: (path, nil)))
        }
    }

    func list(_ directory: String) throws(FileError) -> [String] {
        try operation("list", directory) { (state) throws(FileError) in
            guard state.names[directory] != nil else { throw FileError(operation: "opendir", path: directory, errno: ENOENT) }
            return state.names.keys.filter { $0 != "/" && SimulatedFileSystem.parent(of: $0) == directory }
                .map { String($0.dropFirst(directory.count + 1)) }
        }
    }

    func exists(_ path: String) throws(FileError) -> Bool { try operation("access", path) { $0.names[path] != nil } }

    func open(_ path: String, _ mode: FileMode) throws(FileError) -> any File {
        let node = try operation("open", path) { (state) throws(FileError) -> Inode in
            if let entry = state.names[path], let node = entry {
                if case .create = mode { throw FileError(operation: "open", path: path, errno: EEXIST) }
                return node
            }
            guard case .create = mode, state.names[SimulatedFileSystem.parent(of: path)] != nil else {
                throw FileError(operation: "open", path: path, errno: ENOENT)
            }
            let node = Inode()
            state.names[path] = .some(node)
            state.pending.append(Rename(directory: SimulatedFileSystem.parent(of: path), removed: [], added: (path, node)))
            return node
        }
        return SimulatedFile(self, path, node)
    }

    func rename(_ from: String, to: String) throws(FileError) {
        try operation("rename", from) { (state) throws(FileError) in
            guard let entry = state.names[from], let node = entry else { throw FileError(operation: "rename", path: from, errno: ENOENT) }
            state.names[from] = nil
            state.names[to] = .some(node)
            state.pending.append(Rename(directory: SimulatedFileSystem.parent(of: to), removed: [from], added: (to, node)))
        }
    }

    func unlink(_ path: String) throws(FileError) {
        try operation("unlink", path) { (state) throws(FileError) in
            guard state.names.removeValue(forKey: path) != nil else { throw FileError(operation: "unlink", path: path, errno: ENOENT) }
            state.pending.append(Rename(directory: SimulatedFileSystem.parent(of: path), removed: [path], added: nil))
        }
    }

    func removeDirectory(_ path: String) throws(FileError) {
        for name in try list(path) { try unlink(path + "/" + name) }
        try operation("rmdir", path) { state in
            state.names[path] = nil
            state.pending.append(Rename(directory: SimulatedFileSystem.parent(of: path), removed: [path], added: nil))
        }
    }

    func syncDirectory(_ path: String) throws(FileError) {
        try operation("fsync", path) { state in
            for change in state.pending where change.directory == path {
                for removed in change.removed { state.durableNames[removed] = nil }
                if let added = change.added { state.durableNames[added.path] = .some(added.node) }
            }
            state.pending.removeAll { $0.directory == path }
        }
    }

    func lock(_ path: String) throws(FileError) -> any FileLock { SimulatedLock() }

    private final class SimulatedLock: FileLock {}
}

private final class SimulatedFile: File, @unchecked Sendable {
    private let disk: SimulatedFileSystem
    private let path: String
    private let node: SimulatedFileSystem.Inode

    init(_ disk: SimulatedFileSystem, _ path: String, _ node: SimulatedFileSystem.Inode) {
        (self.disk, self.path, self.node) = (disk, path, node)
    }

    func byteCount() throws(FileError) -> Int { try disk.operation("fstat", path) { _ in node.current.count } }

    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        try disk.operation("pread", path) { _ in
            let count = max(0, min(buffer.count, node.current.count - offset))
            if count > 0 { node.current[offset..<(offset + count)].withUnsafeBytes { buffer.copyMemory(from: $0) } }
            return count
        }
    }

    private func change(_ name: String, _ change: SimulatedFileSystem.Change) throws(FileError) {
        try disk.operation(name, path) { _ in
            SimulatedFileSystem.apply(change, to: &node.current)
            node.pending.append(change)
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) { try change("pwrite", .write(offset, Array(bytes))) }
    func truncate(to byteCount: Int) throws(FileError) { try change("ftruncate", .resize(byteCount)) }
    func allocate(_ byteCount: Int) throws(FileError) { try change("fallocate", .resize(byteCount)) }

    func sync() throws(FileError) {
        try disk.operation("fdatasync", path) { _ in
            node.durable = node.current
            node.pending.removeAll()
        }
    }
}

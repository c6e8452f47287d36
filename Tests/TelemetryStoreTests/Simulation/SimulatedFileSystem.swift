import Glibc

@testable import TelemetryStore

/// A disk in memory that keeps only what was synced: after `crashed`, unsynced writes and directory changes are there or not, each by
/// itself, and a write may be torn at any byte. Also fails operations on request, and tells a test of each before it happens.
final class SimulatedFileSystem: FileSystem {
    fileprivate final class Inode {
        var durable = FileContent()
        var current = FileContent()
        var pending: [FileContent.Change] = []
    }

    fileprivate struct NameChange {
        var directory: String
        var removed: [String]
        var added: (path: String, node: Inode?)?
    }

    fileprivate struct State {
        /// Nil: a directory.
        var names: [String: Inode?] = ["/": nil as Inode?]
        var durableNames: [String: Inode?] = ["/": nil as Inode?]
        var pending: [NameChange] = []
        var operationCount = 0
        var changeCount = 0
        var failureCount = 0
        var fault: Fault?
    }

    private let monitor = Monitor()
    nonisolated(unsafe) private var state = State()
    /// Runs before each operation that changes the disk, in the thread that does it. Set while the store is at rest.
    nonisolated(unsafe) var beforeChange: ((SimulatedFileSystem) -> Void)?

    var operationCount: Int { monitor.locked { state.operationCount } }
    /// Operations that changed something: the moments at which a crash can make a difference.
    var changeCount: Int { monitor.locked { state.changeCount } }

    // MARK: - Faults

    /// Lets the `count`-th operation from now fail; with `isLasting`, every later one too, as after a power cut.
    func fail(after count: Int, errno: Int32, isLasting: Bool) {
        fail(after: count, Fault.Kind(errno: errno, length: isLasting ? .max : 1))
    }

    func fail(after count: Int, _ kind: Fault.Kind) {
        monitor.locked { state.fault = Fault(first: state.operationCount + count, kind: kind) }
    }

    func heal() { monitor.locked { state.fault = nil } }

    /// Operations that were failed on request.
    var failureCount: Int { monitor.locked { state.failureCount } }

    // MARK: - Crashes

    /// The disk after a power cut: every unsynced change by itself is there or not.
    func crashed(using random: inout some RandomNumberGenerator) -> SimulatedFileSystem { crashed(.torn, using: &random) }

    /// The disk as the next process finds it.
    func crashed(_ cut: PowerCut, using random: inout some RandomNumberGenerator) -> SimulatedFileSystem {
        let result = SimulatedFileSystem()
        monitor.locked {
            if cut == .killed {
                result.state = SimulatedFileSystem.clone(state)
                return
            }
            var names = state.durableNames
            for change in state.pending where cut.keepsName(using: &random) {
                for path in change.removed { names[path] = nil }
                if let added = change.added { names[added.path] = .some(added.node) }
            }
            var copies: [ObjectIdentifier: Inode] = [:]
            // In a fixed order: what survives is drawn from the seed.
            for (path, node) in names.sorted(by: { $0.key < $1.key }) where SimulatedFileSystem.hasParents(path, names) {
                guard let node else {
                    result.state.names[path] = .some(nil)
                    continue
                }
                let copy = copies[ObjectIdentifier(node)] ?? SimulatedFileSystem.survivor(of: node, cut, using: &random)
                copies[ObjectIdentifier(node)] = copy
                result.state.names[path] = .some(copy)
            }
            result.state.durableNames = result.state.names
        }
        return result
    }

    /// What is not synced is still not synced: the machine may lose it after the process that wrote it is gone.
    private static func clone(_ state: State) -> State {
        var copies: [ObjectIdentifier: Inode] = [:]
        func copy(_ node: Inode?) -> Inode? {
            guard let node else { return nil }
            if let known = copies[ObjectIdentifier(node)] { return known }
            let copy = Inode()
            (copy.durable, copy.current, copy.pending) = (node.durable, node.current, node.pending)
            copies[ObjectIdentifier(node)] = copy
            return copy
        }
        var result = State()
        result.names = state.names.mapValues(copy)
        result.durableNames = state.durableNames.mapValues(copy)
        result.pending = state.pending.map { change in
            NameChange(directory: change.directory, removed: change.removed, added: change.added.map { ($0.path, copy($0.node)) })
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

    private static func survivor(of node: Inode, _ cut: PowerCut, using random: inout some RandomNumberGenerator) -> Inode {
        let copy = Inode()
        copy.durable = node.durable
        for change in node.pending { cut.apply(change, to: &copy.durable, using: &random) }
        copy.current = copy.durable
        return copy
    }

    // MARK: - For tests

    var files: [String] { monitor.locked { state.names.compactMap { $1 == nil ? nil : $0 }.sorted() } }
    func contents(_ path: String) -> [UInt8] { monitor.locked { state.names[path]??.current.whole ?? [] } }
    func flip(_ path: String, at offset: Int) { write(path, [contents(path)[offset] ^ 0x10], at: offset) }

    /// Changes a file behind the store's back, synced.
    func write(_ path: String, _ bytes: [UInt8], at offset: Int) { damage(path) { $0.write(bytes, at: offset) } }
    func truncate(_ path: String, to count: Int) { damage(path) { $0.truncate(to: count) } }

    func replace(_ path: String, with bytes: [UInt8]) {
        damage(path) { content in
            content.truncate(to: 0)
            content.write(bytes, at: 0)
        }
    }

    private func damage(_ path: String, _ change: (inout FileContent) -> Void) {
        monitor.locked {
            guard let entry = state.names[path], let node = entry else { return }
            change(&node.current)
            change(&node.durable)
        }
    }

    /// Everything as it is now, synced or not, on a disk of its own.
    func copy() -> SimulatedFileSystem {
        let result = SimulatedFileSystem()
        monitor.locked {
            result.state.names = state.names.mapValues { node in
                node.map {
                    let copy = Inode()
                    (copy.durable, copy.current) = ($0.current, $0.current)
                    return copy
                }
            }
            result.state.durableNames = result.state.names
        }
        return result
    }

    // MARK: - FileSystem

    fileprivate static func parent(of path: String) -> String {
        let slash = path.lastIndex(of: "/")!
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Counts, fails when it is time, runs.
    fileprivate func operation<R>(
        _ name: String, _ path: String, isChange: Bool = false, isGrowth: Bool = true, _ body: (inout State) throws(FileError) -> R
    ) throws(FileError) -> R {
        if isChange { beforeChange?(self) }
        return try monitor.locked { () throws(FileError) in
            state.operationCount += 1
            if isChange { state.changeCount += 1 }
            if let errno = state.fault?.errno(at: state.operationCount, takesSpace: isChange && isGrowth) {
                state.failureCount += 1
                throw FileError(operation: name, path: path, errno: errno)
            }
            return try body(&state)
        }
    }

    /// What a failing operation does to the file before it fails, when it is due to fail.
    fileprivate func failing(_ body: (Fault.Kind) -> Void) {
        monitor.locked {
            if let fault = state.fault, fault.errno(at: state.operationCount + 1, takesSpace: true) != nil { body(fault.kind) }
        }
    }

    func createDirectory(_ path: String) throws(FileError) {
        let parent = SimulatedFileSystem.parent(of: path)
        if parent != "/" { try createDirectory(parent) }
        guard try !exists(path) else { return }
        try operation("mkdir", path, isChange: true) { state in
            state.names[path] = .some(nil)
            state.pending.append(NameChange(directory: parent, removed: [], added: (path, nil)))
        }
    }

    func list(_ directory: String) throws(FileError) -> [String] {
        try operation("list", directory) { (state) throws(FileError) in
            guard state.names[directory] != nil else { throw FileError(operation: "opendir", path: directory, errno: ENOENT) }
            let prefix = directory + "/"
            // As with a real directory, in no order that means anything; here one that a seed repeats.
            return state.names.keys.filter { $0.hasPrefix(prefix) && !$0.dropFirst(prefix.count).contains("/") }
                .map { String($0.dropFirst(prefix.count)) }.sorted()
        }
    }

    func exists(_ path: String) throws(FileError) -> Bool { try operation("access", path) { $0.names[path] != nil } }

    func open(_ path: String, _ mode: FileMode) throws(FileError) -> any File {
        let isCreation = if case .create = mode { true } else { false }
        let node = try operation("open", path, isChange: isCreation) { (state) throws(FileError) -> Inode in
            if let entry = state.names[path], let node = entry {
                if isCreation { throw FileError(operation: "open", path: path, errno: EEXIST) }
                return node
            }
            guard isCreation, state.names[SimulatedFileSystem.parent(of: path)] != nil else {
                throw FileError(operation: "open", path: path, errno: ENOENT)
            }
            let node = Inode()
            state.names[path] = .some(node)
            state.pending.append(NameChange(directory: SimulatedFileSystem.parent(of: path), removed: [], added: (path, node)))
            return node
        }
        return SimulatedFile(self, path, node)
    }

    func rename(_ from: String, to: String) throws(FileError) {
        try operation("rename", from, isChange: true) { (state) throws(FileError) in
            guard let entry = state.names[from], let node = entry else { throw FileError(operation: "rename", path: from, errno: ENOENT) }
            state.names[from] = nil
            state.names[to] = .some(node)
            state.pending.append(NameChange(directory: SimulatedFileSystem.parent(of: to), removed: [from], added: (to, node)))
        }
    }

    func unlink(_ path: String) throws(FileError) {
        try operation("unlink", path, isChange: true, isGrowth: false) { (state) throws(FileError) in
            guard state.names.removeValue(forKey: path) != nil else { throw FileError(operation: "unlink", path: path, errno: ENOENT) }
            state.pending.append(NameChange(directory: SimulatedFileSystem.parent(of: path), removed: [path], added: nil))
        }
    }

    func removeDirectory(_ path: String) throws(FileError) {
        for name in try list(path) { try unlink(path + "/" + name) }
        try operation("rmdir", path, isChange: true, isGrowth: false) { state in
            state.names[path] = nil
            state.pending.append(NameChange(directory: SimulatedFileSystem.parent(of: path), removed: [path], added: nil))
        }
    }

    func syncDirectory(_ path: String) throws(FileError) {
        try operation("fsync", path, isChange: true, isGrowth: false) { (state) throws(FileError) in
            guard state.names[path] != nil else { throw FileError(operation: "open", path: path, errno: ENOENT) }
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
        try disk.operation("pread", path) { _ in node.current.read(at: offset, into: buffer) }
    }

    private func change(_ name: String, _ change: FileContent.Change) throws(FileError) {
        try disk.operation(name, path, isChange: true) { _ in
            node.current.apply(change)
            node.pending.append(change)
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
        disk.failing { kind in
            guard kind.keepsHalfOfWrite else { return }
            let half = FileContent.Change.write(offset, Array(bytes.prefix(bytes.count / 2)))
            node.current.apply(half)
            node.pending.append(half)
        }
        try change("pwrite", .write(offset, Array(bytes)))
    }

    func truncate(to byteCount: Int) throws(FileError) { try change("ftruncate", .truncate(byteCount)) }
    func allocate(_ byteCount: Int) throws(FileError) { try change("fallocate", .allocate(byteCount)) }

    func sync() throws(FileError) {
        disk.failing { kind in
            // As Linux does: the pages count as clean, reads show them, and no later sync writes them.
            if kind.losesUnsynced { node.pending.removeAll() }
        }
        try disk.operation("fdatasync", path, isChange: true) { _ in
            for change in node.pending { node.durable.apply(change) }
            node.pending.removeAll()
        }
    }
}

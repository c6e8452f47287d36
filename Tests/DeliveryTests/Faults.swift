import Foundation
import Glibc
import ObjectStorage
import Synchronization
import TelemetryStore

/// Decides which of a task's calls to the disk and the destination fails. From then on all fail, as if the process had died.
final class Faults: Sendable {
    enum Moment: CaseIterable {
        /// Nothing of the call happens, or half of a write.
        case before
        /// The call does its work, but its caller never learns.
        case after
    }

    private struct State {
        var callsLeft = Int.max
        var moment = Moment.before
        var error = ObjectError.Code.unreachable
        var isDown = false
    }

    private let state = Mutex(State())

    /// The `call`-th call from now (1 is the next) fails.
    func arm(call: Int, _ moment: Moment, error: ObjectError.Code = .unreachable) {
        state.withLock { $0 = State(callsLeft: call, moment: moment, error: error) }
    }

    func disarm() { state.withLock { $0 = State() } }

    var hasFired: Bool { state.withLock { $0.isDown } }

    fileprivate func isDue(_ moment: Moment) -> Bool {
        state.withLock { state in
            if moment == .before, !state.isDown { state.callsLeft -= 1 }
            guard !state.isDown, state.callsLeft > 0 || state.moment != moment else {
                state.isDown = true
                return true
            }
            return false
        }
    }

    fileprivate var objectError: ObjectError { ObjectError(state.withLock { $0.error }, "injected") }

    fileprivate func object<R>(_ body: () throws(ObjectError) -> R) throws(ObjectError) -> R {
        if isDue(.before) { throw objectError }
        let result = try body()
        if isDue(.after) { throw objectError }
        return result
    }

    fileprivate func file<R>(_ body: () throws(FileError) -> R) throws(FileError) -> R {
        if isDue(.before) { throw FileError(operation: "injected", path: "", errno: EIO) }
        let result = try body()
        if isDue(.after) { throw FileError(operation: "injected", path: "", errno: EIO) }
        return result
    }
}

struct FaultyDestination: ObjectDestination {
    private let inner: any ObjectDestination
    private let faults: Faults

    init(_ inner: any ObjectDestination, _ faults: Faults) {
        self.inner = inner
        self.faults = faults
    }

    var description: String { inner.description }
    var engineLocation: String { inner.engineLocation }

    func prepare() throws(ObjectError) { try faults.object { () throws(ObjectError) in try inner.prepare() } }

    func upload(_ key: ObjectKey, owner: String) throws(ObjectError) -> any ObjectUpload {
        let upload = try faults.object { () throws(ObjectError) in try inner.upload(key, owner: owner) }
        return FaultyUpload(upload, faults)
    }

    func stat(_ key: ObjectKey) throws(ObjectError) -> ObjectStat? {
        try faults.object { () throws(ObjectError) in try inner.stat(key) }
    }

    func read(_ key: ObjectKey, offset: Int, count: Int) throws(ObjectError) -> [UInt8] {
        try faults.object { () throws(ObjectError) in try inner.read(key, offset: offset, count: count) }
    }

    func replace(_ key: ObjectKey, with bytes: [UInt8]) throws(ObjectError) {
        try faults.object { () throws(ObjectError) in try inner.replace(key, with: bytes) }
    }

    func discardUnfinished(in folder: String, owner: String) throws(ObjectError) {
        try faults.object { () throws(ObjectError) in try inner.discardUnfinished(in: folder, owner: owner) }
    }
}

private final class FaultyUpload: ObjectUpload {
    private let inner: any ObjectUpload
    private let faults: Faults

    init(_ inner: any ObjectUpload, _ faults: Faults) {
        self.inner = inner
        self.faults = faults
    }

    /// Not a point of failure of its own: nothing differs between them.
    func write(_ bytes: UnsafeRawBufferPointer) throws(ObjectError) { try inner.write(bytes) }

    func commit() throws(ObjectError) { try faults.object { () throws(ObjectError) in try inner.commit() } }
}

/// The ledger's disk: writes are torn in the middle.
struct FaultyFileSystem: FileSystem {
    private let inner = RealFileSystem()
    private let faults: Faults

    init(_ faults: Faults) { self.faults = faults }

    func createDirectory(_ path: String) throws(FileError) { try inner.createDirectory(path) }
    func list(_ directory: String) throws(FileError) -> [String] { try inner.list(directory) }
    func exists(_ path: String) throws(FileError) -> Bool { try inner.exists(path) }
    func unlink(_ path: String) throws(FileError) { try inner.unlink(path) }
    func removeDirectory(_ path: String) throws(FileError) { try inner.removeDirectory(path) }
    func lock(_ path: String) throws(FileError) -> any FileLock { try inner.lock(path) }

    func open(_ path: String, _ mode: FileMode) throws(FileError) -> any File { FaultyFile(try inner.open(path, mode), faults) }

    func rename(_ from: String, to: String) throws(FileError) {
        try faults.file { () throws(FileError) in try inner.rename(from, to: to) }
    }

    func syncDirectory(_ path: String) throws(FileError) {
        try faults.file { () throws(FileError) in try inner.syncDirectory(path) }
    }
}

private final class FaultyFile: File {
    private let inner: any File
    private let faults: Faults

    init(_ inner: any File, _ faults: Faults) {
        self.inner = inner
        self.faults = faults
    }

    func byteCount() throws(FileError) -> Int { try inner.byteCount() }
    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        try inner.read(at: offset, into: buffer)
    }
    func allocate(_ byteCount: Int) throws(FileError) { try inner.allocate(byteCount) }
    func truncate(to byteCount: Int) throws(FileError) { try inner.truncate(to: byteCount) }
    func sync() throws(FileError) { try faults.file { () throws(FileError) in try inner.sync() } }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
        do throws(FileError) {
            try faults.file { () throws(FileError) in try inner.write(bytes, at: offset) }
        } catch {
            try inner.write(UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)]), at: offset)
            throw error
        }
    }
}

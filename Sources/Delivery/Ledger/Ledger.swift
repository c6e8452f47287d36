import TelemetryCodec
import TelemetryStore

/// The durable account of one delivery task: an append-only file of checksummed records. Format: docs/format/delivery-ledger.md.
///
/// Opening writes a fresh copy of what is valid. A crash leaves:
/// 1. `<path>.tmp` is written and synced: the old file, and a temp file that the next start removes;
/// 2. it is renamed over the old file: the old file or the new one, which say the same;
/// 3. the directory is synced: the new one.
/// So a torn tail is gone for good, and what an earlier process could not sync is now on disk or known to be missing.
///
/// Appending writes one record behind the last and syncs. A crash leaves all of it, or a torn tail, which the next start cuts. After an
/// error the file's end is unknown: the ledger must be opened anew.
final class Ledger {
    private(set) var state: LedgerState
    private let file: any File
    private var end: Int
    private var isBroken = false

    /// - Throws: `LedgerError`; for damage it names file and offset.
    init(path: String, task: String, fileSystem: any FileSystem) throws(LedgerError) {
        let directory = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        let old = try ledgering { () throws(FileError) in
            if !directory.isEmpty { try fileSystem.createDirectory(directory) }
            return try Self.content(of: path, fileSystem)
        }
        let content = try LedgerContent(old, path: path, task: task)
        state = content.state
        end = content.bytes.count
        file = try ledgering { () throws(FileError) in
            let file = try Self.replace(path, with: content.bytes, fileSystem)
            if !directory.isEmpty { try fileSystem.syncDirectory(directory) }
            return file
        }
    }

    /// Makes the step durable. Nothing that follows from it may happen before this returns.
    func append(_ record: LedgerRecord) throws(LedgerError) {
        guard !isBroken else { throw LedgerError("the ledger failed before: it must be opened anew") }
        // A record that may not follow must not be written; if the write fails, the state goes with the ledger.
        try state.apply(record)
        isBroken = true
        var frame = RawBuffer()
        frame.append(framed: record)
        let (file, end) = (file, end)
        try ledgering { () throws(FileError) in
            try frame.withBytes { (bytes) throws(FileError) in try file.write(bytes, at: end) }
            try file.sync()
        }
        self.end += frame.count
        isBroken = false
    }

    /// Empty when there is no file.
    private static func content(of path: String, _ fileSystem: any FileSystem) throws(FileError) -> [UInt8] {
        guard try fileSystem.exists(path) else { return [] }
        let file = try fileSystem.open(path, .read)
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: try file.byteCount(), alignment: 8)
        defer { bytes.deallocate() }
        let count = try file.read(at: 0, into: bytes)
        return Array(bytes[..<count])
    }

    private static func replace(_ path: String, with bytes: [UInt8], _ fileSystem: any FileSystem) throws(FileError) -> any File {
        let temporary = path + ".tmp"
        if try fileSystem.exists(temporary) { try fileSystem.unlink(temporary) }
        let file = try fileSystem.open(temporary, .create)
        var buffer = RawBuffer(capacity: bytes.count)
        bytes.withUnsafeBytes { buffer.append($0) }
        try buffer.withBytes { (bytes) throws(FileError) in try file.write(bytes, at: 0) }
        try file.sync()
        try fileSystem.rename(temporary, to: path)
        return file
    }
}

private func ledgering<R>(_ body: () throws(FileError) -> R) throws(LedgerError) -> R {
    do { return try body() } catch { throw LedgerError(error) }
}

import Telemetry
import TelemetryCodec

/// Appends records to the log's files. One thread at a time.
///
/// Crash states:
/// 1. a new file is written under a temporary name, preallocated and synced, renamed, its directory synced: it is there with a
///    valid header, or not at all;
/// 2. a record is one write, followed by one sync, before the next record is written: at most the last one is torn, and nothing
///    valid follows it;
/// 3. a write that failed half-way is cleared before anything else is written, and the file is left for a new one.
struct LogWriter: ~Copyable {
    private let fileSystem: any FileSystem
    private let directory: String
    private let storeID: StoreID
    private let fileByteCount: Int
    private let durability: Durability
    private var file: (any File)?
    private var fileHeader: LogFileHeader?
    private var capacity = 0
    private var offset = 0
    /// What a failed write may have left behind: zeros go there first.
    private var torn: (file: any File, offset: Int, byteCount: Int)?
    private(set) var epoch: UInt32
    /// First sequence number of each file, oldest first.
    private(set) var files: [LogFile]

    init(
        fileSystem: any FileSystem, directory: String, storeID: StoreID, fileByteCount: Int, durability: Durability, files: [LogFile]
    ) {
        self.fileSystem = fileSystem
        self.directory = directory
        self.storeID = storeID
        self.fileByteCount = fileByteCount
        self.durability = durability
        self.files = files
        epoch = files.last?.epoch ?? 0
    }

    /// Completes and writes one record; with `durability = fsync` it is on disk when this returns.
    /// - Parameter record: begun by `LogRecordHeader.begin`, then the payload.
    /// - Throws: `.diskFull`: nothing is written that counts, try again; `.fatal`: the disk's content is unknown.
    mutating func append(_ header: LogRecordHeader, _ record: inout RawBuffer) throws(StoreError) {
        let needed = LogFormat.aligned(record.count)
        try clearTorn()
        if file == nil || offset + needed > capacity { try rotate(firstSequence: header.firstSequence, needed: needed) }
        header.complete(&record, in: fileHeader!)
        try record.withBytes { (bytes) throws(StoreError) in
            do throws(FileError) { try file!.write(bytes, at: offset) } catch {
                (torn, file) = ((file!, offset, bytes.count), nil)
                throw error.storeError
            }
        }
        if durability == .fsync { try sync() }
        offset += needed
    }

    /// A sync that fails leaves the disk's content unknown: always fatal, never retried (product.md, semantics 13).
    func sync() throws(StoreError) {
        do throws(FileError) { try file?.sync() } catch { throw StoreError(.fatal, error.description) }
    }

    /// The zeros lie in preallocated space; on a file system where even that can fail, writing goes on failing.
    private mutating func clearTorn() throws(StoreError) {
        guard let torn else { return }
        let zeros = [UInt8](repeating: 0, count: torn.byteCount)
        try storing { () throws(FileError) in
            try zeros.withRawBytes { (zeros) throws(FileError) in try torn.file.write(zeros, at: torn.offset) }
        }
        do throws(FileError) { try torn.file.sync() } catch { throw StoreError(.fatal, error.description) }
        self.torn = nil
    }

    /// Once begun, the old file is never written again: the new one may be there already, under the same sequence number.
    private mutating func rotate(firstSequence: UInt64, needed: Int) throws(StoreError) {
        if durability != .fsync { try sync() }
        file = nil
        let next = LogFile(epoch: epoch + 1, firstSequence: firstSequence)
        let size = max(fileByteCount, LogFormat.fileHeaderByteCount + needed)
        let path = directory + "/" + next.name
        let header = LogFileHeader(
            epoch: next.epoch, storeID: storeID, firstSequence: firstSequence, isRelaxed: durability != .fsync, fileByteCount: size)
        let encoded = header.encoded
        let opened = try storing { () throws(FileError) in try create(path, size: size, header: encoded) }
        (file, fileHeader) = (opened, header)
        (capacity, offset, epoch) = (size, LogFormat.fileHeaderByteCount, next.epoch)
        files.append(next)
    }

    private func create(_ path: String, size: Int, header: borrowing RawBuffer) throws(FileError) -> any File {
        let temporary = path + temporarySuffix
        if try fileSystem.exists(temporary) { try fileSystem.unlink(temporary) }
        let file = try fileSystem.open(temporary, .create)
        do throws(FileError) {
            try file.allocate(size)
            try header.withBytes { (bytes) throws(FileError) in try file.write(bytes, at: 0) }
            try file.sync()
        } catch {
            // The disk may be full: give the space back before saying so. A leftover is removed at the next start in any case.
            do throws(FileError) { try fileSystem.unlink(temporary) } catch _ { throw error }
            throw error
        }
        try fileSystem.rename(temporary, to: path)
        try fileSystem.syncDirectory(directory)
        return file
    }

    /// Forgets files that end before reading `sequence`, and those that hold nothing but notes that a checkpoint has; the newest always
    /// stays. The file of that reading is kept for the notes behind it: a record without readings has the sequence number of the next one.
    ///
    /// A file without readings leaves no gap, so that a crash may keep any of them.
    /// - Parameter epoch: of the file that was written when the checkpoint took the notes.
    /// - Returns: their paths, for the caller to unlink.
    mutating func trim(through sequence: UInt64, notesBefore epoch: UInt32) -> [String] {
        var paths: [String] = []
        while files.count > 1, files[1].firstSequence <= sequence { paths.append(directory + "/" + files.removeFirst().name) }
        let noted = files.indices.filter { holdsNotesOnly($0, before: epoch) }
        paths += noted.map { directory + "/" + files[$0].name }
        for index in noted.reversed() { files.remove(at: index) }
        return paths
    }

    /// Whether `trim` would forget a file.
    func canTrim(through sequence: UInt64, notesBefore epoch: UInt32) -> Bool {
        guard files.count > 1 else { return false }
        return files[1].firstSequence <= sequence || files.indices.contains { holdsNotesOnly($0, before: epoch) }
    }

    /// Whether the file holds no reading, and was full when that of `epoch` was written.
    private func holdsNotesOnly(_ index: Int, before epoch: UInt32) -> Bool {
        guard index + 1 < files.count else { return false }
        return files[index].firstSequence == files[index + 1].firstSequence && files[index + 1].epoch <= epoch
    }

    var byteCount: Int { max(0, files.count - 1) * fileByteCount + offset }
}

/// One file of the log, by name: `<epoch>-<first sequence>.log`.
struct LogFile: Equatable, Sendable {
    var epoch: UInt32
    var firstSequence: UInt64

    init(epoch: UInt32, firstSequence: UInt64) {
        self.epoch = epoch
        self.firstSequence = firstSequence
    }

    init?(name: String) {
        guard name.hasSuffix(".log") else { return nil }
        let parts = name.dropLast(4).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let epoch = UInt32(parts[0]), let sequence = Int(parts[1]), sequence >= 0 else { return nil }
        self.init(epoch: epoch, firstSequence: UInt64(sequence))
        guard self.name == name else { return nil }
    }

    var name: String { "\(padded(Int(epoch), 10))-\(padded(Int(firstSequence), 20)).log" }
}

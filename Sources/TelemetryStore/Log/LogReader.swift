import Telemetry
import TelemetryCodec

/// Reads the log back at start, front to back, and tells a torn end from damage.
///
/// A record whose checksum fails is a torn end when it is in the newest file and nothing valid stands behind it: it was never acked,
/// and is cut. Anywhere else it is damage: readings behind it would be lost silently, so opening stops with file and offset.
struct LogReader {
    let fileSystem: any FileSystem
    let directory: String
    let storeID: StoreID

    /// The files to replay, oldest first, from that of reading `flushed` on. Those before are removed: a crash may have kept some of the
    /// files that were trimmed and lost others.
    func files(after flushed: SequenceNumber) throws(StoreError) -> [LogFile] {
        var files: [LogFile] = []
        for name in try storing({ () throws(FileError) in try fileSystem.list(directory) }) {
            if name.hasSuffix(temporarySuffix) {
                try storing { () throws(FileError) in try fileSystem.unlink(directory + "/" + name) }
            } else if let file = LogFile(name: name) {
                files.append(file)
            }
        }
        files.sort { $0.epoch < $1.epoch }
        while files.count > 1, files[1].firstSequence <= flushed {
            try storing { () throws(FileError) in try fileSystem.unlink(directory + "/" + files[0].name) }
            files.removeFirst()
        }
        return files
    }

    /// Hands every record there is to `body`, in order; then makes it durable and clears a torn end.
    ///
    /// What lies before `checkpoint` is handed over too: heads that were not flushed need it. From the first file on none may be missing.
    /// - Returns: sequence number of the last reading in the log; `checkpoint` when the log is empty.
    func replay(
        _ files: [LogFile], flushed: SequenceNumber, checkpoint: SequenceNumber,
        _ body: (LogRecordHeader, UnsafeRawBufferPointer) throws(StoreError) -> Void
    ) throws(StoreError) -> SequenceNumber {
        guard let first = files.first else { return checkpoint }
        if first.firstSequence > flushed + 1 {
            throw damage(first, 0, "readings \(flushed + 1) to \(first.firstSequence - 1) are missing before it")
        }
        var next = first.firstSequence
        var buffer = FileBuffer()
        for (index, file) in files.enumerated() {
            guard file.firstSequence == next else {
                throw damage(file, 0, "it should begin with reading \(next): readings before it are missing")
            }
            next = try replay(file, isNewest: index == files.count - 1, &buffer, body)
        }
        if next - 1 < checkpoint {
            throw damage(files[files.count - 1], 0, "the log ends at reading \(next - 1), but the checkpoint covers \(checkpoint)")
        }
        return next - 1
    }

    /// - Returns: sequence number that follows the file's last reading.
    private func replay(
        _ logFile: LogFile, isNewest: Bool, _ buffer: inout FileBuffer,
        _ body: (LogRecordHeader, UnsafeRawBufferPointer) throws(StoreError) -> Void
    ) throws(StoreError) -> SequenceNumber {
        let path = directory + "/" + logFile.name
        let file = try storing { () throws(FileError) in try fileSystem.open(path, isNewest ? .readWrite : .read) }
        guard let bytes = try storing({ () throws(FileError) in try buffer.read(file, count: try file.byteCount()) }) else {
            throw damage(logFile, 0, "the file shrank while it was read")
        }
        let header = try header(of: logFile, bytes)
        guard header.storeID == storeID else { throw damage(logFile, 0, "the file belongs to another store") }
        guard header.fileByteCount == bytes.count else {
            throw damage(logFile, bytes.count, "the file has \(bytes.count) bytes, but was made with \(header.fileByteCount)")
        }
        var offset = LogFormat.fileHeaderByteCount
        var expected = logFile.firstSequence
        while let record = LogRecordHeader(bytes, at: offset, of: header) {
            guard record.firstSequence == expected else {
                throw damage(logFile, offset, "expected reading \(expected), found \(record.firstSequence)")
            }
            expected += UInt64(record.readingCount)
            let start = offset + LogFormat.recordHeaderByteCount
            try body(record, UnsafeRawBufferPointer(rebasing: bytes[start..<(start + record.payloadByteCount)]))
            offset += record.byteCount
        }
        if !(isNewest && header.isRelaxed) {
            try checkEnd(logFile, bytes, at: offset, of: header, isNewest: isNewest)
        }
        if isNewest { try persist(file, bytes, through: offset) }
        return expected
    }

    private func header(of logFile: LogFile, _ bytes: UnsafeRawBufferPointer) throws(StoreError) -> LogFileHeader {
        let header: LogFileHeader
        do throws(CodecError) { header = try LogFileHeader(bytes) } catch {
            throw error.storeError("\(directory)/\(logFile.name)", at: 0, "the file header is damaged")
        }
        guard header.epoch == logFile.epoch, header.firstSequence == logFile.firstSequence else {
            throw damage(logFile, 0, "the file header belongs to another file")
        }
        return header
    }

    /// Nothing valid may stand behind the first record that does not parse, and in older files nothing but zeros.
    private func checkEnd(
        _ logFile: LogFile, _ bytes: UnsafeRawBufferPointer, at offset: Int, of header: LogFileHeader, isNewest: Bool
    ) throws(StoreError) {
        if isZero(bytes, from: offset) { return }
        var position = offset + LogFormat.alignment
        while position + LogFormat.recordHeaderByteCount <= bytes.count {
            if LogRecordHeader(bytes, at: position, of: header) != nil {
                throw damage(logFile, offset, "the record is damaged, and a valid one follows at offset \(position)")
            }
            position += LogFormat.alignment
        }
        if !isNewest, !isZero(bytes, from: offset) {
            throw damage(logFile, offset, "the record is damaged, and newer log files follow")
        }
    }

    /// Word by word: most of a preallocated file is its unused rest. `offset` is a multiple of 8.
    private func isZero(_ bytes: UnsafeRawBufferPointer, from offset: Int) -> Bool {
        var position = offset
        while position + 8 <= bytes.count {
            if bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self) != 0 { return false }
            position += 8
        }
        while position < bytes.count {
            if bytes[position] != 0 { return false }
            position += 1
        }
        return true
    }

    /// Writes what is valid once more, zeros over what is torn, and syncs.
    ///
    /// What was just read may stand in the page cache only: the process may have died between a write and its sync, or its sync may have
    /// failed and left pages that count as clean. Nothing may be built on a record before it is on disk.
    private func persist(_ file: any File, _ bytes: UnsafeRawBufferPointer, through offset: Int) throws(StoreError) {
        let end = isZero(bytes, from: offset) ? offset : bytes.lastIndex { $0 != 0 }! + 1
        let zeros = [UInt8](repeating: 0, count: end - offset)
        try storing { () throws(FileError) in
            try file.write(UnsafeRawBufferPointer(rebasing: bytes[..<offset]), at: 0)
            try zeros.withRawBytes { (zeros) throws(FileError) in try file.write(zeros, at: offset) }
            try file.sync()
        }
    }

    private func damage(_ file: LogFile, _ offset: Int, _ what: String) -> StoreError {
        .damage("\(directory)/\(file.name)", at: offset, what)
    }
}

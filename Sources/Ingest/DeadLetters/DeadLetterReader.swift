import Glibc
import Telemetry

/// A letter as it was found.
package struct StoredLetter: Sendable {
    package var letter: DeadLetterLine
    package var isReplayed: Bool
    /// The file's name, and where the line begins in it.
    package var file: String
    package var offset: Int
    /// The line, without its end.
    package var line: [UInt8]
    /// Position of the file in its reader.
    var fileIndex: Int
}

/// Reads dead letters, the oldest first, also while a gateway writes them: those that were there when the reader was made, even if their
/// file is rotated away meanwhile. One thread at a time.
package final class DeadLetterReader {
    private let selection: DeadLetterSelection
    private var files: [DeadLetterFileLines] = []
    private var current = 0
    /// Lines that are no letters: cut by a crash, or damaged.
    package private(set) var unreadableCount = 0

    /// - Throws: also when there is no such directory, or no file of letters in it: `DeadLetterFailure.isMissing`.
    package init(path: String, selection: DeadLetterSelection) throws(DeadLetterFailure) {
        self.selection = selection
        for file in try DeadLetterFolder.files(in: path) {
            do throws(DeadLetterFailure) {
                files.append(try DeadLetterFileLines(file, in: path))
            } catch {
                // Rotated away this moment.
                guard error.isMissing else { throw error }
            }
        }
        guard !files.isEmpty else { throw DeadLetterFailure("look for letters in", path, ENOENT) }
    }

    /// The next of the selected letters.
    package func next() throws(DeadLetterFailure) -> StoredLetter? {
        while current < files.count {
            guard let (offset, line) = try files[current].next() else {
                current += 1
                continue
            }
            guard !line.isEmpty else { continue }
            guard let letter = DeadLetterLine(line) else {
                unreadableCount += 1
                continue
            }
            guard selection.contains(letter) else { continue }
            return StoredLetter(
                letter: letter, isReplayed: files[current].marks.contains(offset, line: line), file: files[current].name, offset: offset,
                line: Array(line), fileIndex: current)
        }
        return nil
    }

    /// Sees to it that a letter can be marked, before it is sent.
    func promiseMark(_ letter: StoredLetter) throws(DeadLetterFailure) { try files[letter.fileIndex].promiseMark() }

    /// Notes that a letter was replayed. A mark for it was promised.
    func mark(_ letter: StoredLetter) { files[letter.fileIndex].marks.add(letter.offset, line: letter.line) }

    /// Makes all marks durable.
    func saveMarks() throws(DeadLetterFailure) {
        for file in files { try file.marks.save() }
    }
}

/// The lines of one file, up to the size it had at first.
private final class DeadLetterFileLines {
    /// Far beyond the longest line that is ever written.
    private static let lineLimit = 4 << 20
    private static let chunkByteCount = 256 << 10

    let name: String
    var marks: ReplayMarks
    private let path: String
    private let descriptor: Int32
    private let byteCount: Int
    /// Bytes of the file from `bufferOffset` on; lines before `start` were handed out.
    private var buffer: [UInt8] = []
    private var bufferOffset = 0
    private var start = 0
    /// The lines are on disk for good.
    private var isSynced = false

    init(_ file: DeadLetterFolder.File, in folder: String) throws(DeadLetterFailure) {
        path = DeadLetterFolder.letters(file.number, in: folder)
        name = String(path.dropFirst(folder.count + 1))
        byteCount = file.byteCount
        marks = try ReplayMarks(file: file.number, in: folder)
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DeadLetterFailure("open", path) }
    }

    deinit { close(descriptor) }

    func promiseMark() throws(DeadLetterFailure) {
        if !isSynced {
            // Marks must not outlive their letters.
            guard fdatasync(descriptor) == 0 else { throw DeadLetterFailure("sync", path) }
            isSynced = true
        }
        try marks.promise()
    }

    /// The next line, without its end, and its offset; nil behind the last that has an end.
    func next() throws(DeadLetterFailure) -> (offset: Int, line: ArraySlice<UInt8>)? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return (bufferOffset + start, buffer[start..<end])
            }
            // What has no end by now is no letter: let it go, so that it does not fill memory.
            if buffer.count - start > Self.lineLimit { start = buffer.count }
            buffer.removeFirst(start)
            bufferOffset += start
            start = 0
            searched = buffer.count
            guard try readMore() else { return nil }
        }
    }

    private func readMore() throws(DeadLetterFailure) -> Bool {
        let offset = bufferOffset + buffer.count
        let wanted = min(Self.chunkByteCount, byteCount - offset)
        guard wanted > 0 else { return false }
        var chunk = [UInt8](repeating: 0, count: wanted)
        let count = pread(descriptor, &chunk, wanted, off_t(offset))
        guard count >= 0 else { throw DeadLetterFailure("read", path) }
        buffer.append(contentsOf: chunk.prefix(count))
        return count > 0
    }
}

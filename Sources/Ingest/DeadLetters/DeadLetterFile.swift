import Dialects
import Glibc
import Synchronization
import Telemetry

/// A message that was refused, for the dead letters. Pointers are valid during the append only.
struct DeadLetter {
    var rejection: Rejection
    /// HOST:PORT
    var broker: String
    var topic: UnsafeRawBufferPointer
    /// The first `MessageIntake.keptPayloadByteCount` bytes at least.
    var payload: UnsafeRawBufferPointer
    var payloadByteCount: Int
}

/// Where refused messages are kept: JSON lines in a few files of one directory (`DeadLetterFolder`), bounded in number and in bytes; the
/// oldest go.
///
/// Lines are those of `DeadLetterLine`. They are written before the messages are acked. They are not synced one by one: what was written
/// outlives the process, but a power cut may take the last half minute of them, which only the dead letters can lose. A line that a crash
/// or a full disk has cut in two is closed before the next one is written, so it spoils none but itself.
package final class DeadLetterFile: Sendable {
    private struct State {
        var descriptor: Int32 = -1
        /// Number and bytes of the file being written; 0: not looked yet.
        var number = 0
        var byteCount = 0
        /// Lower ones were used for files that somebody has removed.
        var leastNumber = 1
        /// The file does not end with a line's end.
        var isTorn = false
        /// Finished files, the oldest first.
        var finished: [DeadLetterFolder.File] = []
        var line: [UInt8] = []
    }

    private let path: String
    private let byteLimit: Int
    private let fileLimit: Int
    private let clock: any WallClock
    private let state = Mutex(State())

    /// - Parameters:
    ///   - path: a directory; made when missing, in one that is there.
    ///   - byteLimit: of all files together; at least a megabyte, so that the longest line fits.
    ///   - fileLimit: files, the one being written included; each takes its share of the bytes.
    package init(path: String, byteLimit: Int = 64 << 20, fileLimit: Int = 4, clock: any WallClock = SystemClock()) {
        self.path = path
        self.byteLimit = byteLimit
        self.fileLimit = max(1, fileLimit)
        self.clock = clock
    }

    deinit { state.withLock { if $0.descriptor >= 0 { close($0.descriptor) } } }

    /// Appends the letters, each a whole line or not at all.
    /// - Parameter letters: what was written is taken from its front, also when it throws. A full disk leaves none of them written, unless
    ///   a file was finished in between: the messages will come again, from the caller or from the broker, and must not stand twice.
    func append(_ letters: inout ArraySlice<DeadLetter>) throws(DeadLetterFailure) {
        let time = clock.now().rfc3339
        try state.withLock { state throws(DeadLetterFailure) in
            leaveRemovedFile(&state)
            if state.descriptor < 0 { try open(&state) }
            // Where the first of the letters in this file begins, and how many are in files before it.
            var (number, start, finishedCount, count) = (state.number, state.byteCount, 0, 0)
            defer { letters.removeFirst(count) }
            for letter in letters {
                state.line.removeAll(keepingCapacity: true)
                DeadLetterLine.encode(letter, time: time, into: &state.line)
                do throws(DeadLetterFailure) {
                    try write(&state)
                } catch {
                    if error.isOutOfSpace, state.number == number, cut(state, to: start) { count = finishedCount }
                    closeFile(&state)
                    throw error
                }
                if state.number != number { (number, start, finishedCount) = (state.number, 0, count) }
                count += 1
            }
        }
    }

    private func write(_ state: inout State) throws(DeadLetterFailure) {
        if state.isTorn { state.line.insert(UInt8(ascii: "\n"), at: 0) }
        if state.byteCount > 0, state.byteCount + state.line.count > byteLimit / fileLimit { try beginFile(&state) }
        try makeRoom(&state)
        let written = state.line.withUnsafeBytes { Glibc.write(state.descriptor, $0.baseAddress, $0.count) }
        guard written == state.line.count else {
            let error = written < 0 ? errno : ENOSPC
            // Half a line would spoil the next one. If it stays all the same, the next opening sees it.
            if written > 0 { _ = cut(state, to: state.byteCount) }
            throw DeadLetterFailure("write", DeadLetterFolder.letters(state.number, in: path), error)
        }
        state.byteCount += written
        state.isTorn = false
    }

    private func cut(_ state: State, to byteCount: Int) -> Bool { ftruncate(state.descriptor, off_t(byteCount)) == 0 }

    /// Letters written to a file that somebody has removed or moved would be gone.
    private func leaveRemovedFile(_ state: inout State) {
        guard state.descriptor >= 0 else { return }
        var (open, named) = (stat(), stat())
        let isThere = fstat(state.descriptor, &open) == 0 && stat(DeadLetterFolder.letters(state.number, in: path), &named) == 0
        guard !isThere || open.st_ino != named.st_ino || open.st_dev != named.st_dev else { return }
        closeFile(&state)
        state.leastNumber = state.number + 1
    }

    private func beginFile(_ state: inout State) throws(DeadLetterFailure) {
        if state.isTorn { state.line.removeFirst() }
        closeFile(&state)
        state.finished.append(.init(number: state.number, byteCount: state.byteCount))
        state.number += 1
        try openFile(&state)
    }

    /// Removes the oldest files until the line fits.
    private func makeRoom(_ state: inout State) throws(DeadLetterFailure) {
        var total = state.finished.reduce(0) { $0 + $1.byteCount } + state.byteCount + state.line.count
        while let oldest = state.finished.first, state.finished.count >= fileLimit || total > byteLimit {
            for file in [DeadLetterFolder.letters(oldest.number, in: path), DeadLetterFolder.marks(oldest.number, in: path)] {
                guard unlink(file) == 0 || errno == ENOENT else { throw DeadLetterFailure("remove", file) }
            }
            total -= oldest.byteCount
            state.finished.removeFirst()
        }
    }

    /// Goes on behind what an earlier process, or this one before an error, has left.
    private func open(_ state: inout State) throws(DeadLetterFailure) {
        guard mkdir(path, 0o750) == 0 || errno == EEXIST else { throw DeadLetterFailure("create", path) }
        state.finished = try DeadLetterFolder.files(in: path)
        let last = state.finished.last?.number ?? 0
        state.number = max(last, state.leastNumber, try removeOrphans(of: state.finished) + 1)
        if state.number == last { state.finished.removeLast() }
        try openFile(&state)
    }

    /// Removes marks whose letters somebody has removed: they would pass for those of later letters.
    /// - Returns: the highest of their numbers, or 0.
    private func removeOrphans(of files: [DeadLetterFolder.File]) throws(DeadLetterFailure) -> Int {
        let numbers = Set(files.map(\.number))
        let orphans = try DeadLetterFolder.marks(in: path).filter { !numbers.contains($0) }
        for number in orphans {
            let file = DeadLetterFolder.marks(number, in: path)
            guard unlink(file) == 0 || errno == ENOENT else { throw DeadLetterFailure("remove", file) }
        }
        return orphans.max() ?? 0
    }

    private func openFile(_ state: inout State) throws(DeadLetterFailure) {
        let file = DeadLetterFolder.letters(state.number, in: path)
        let descriptor = Glibc.open(file, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw DeadLetterFailure("open", file) }
        var status = stat()
        var last = UInt8(ascii: "\n")
        guard fstat(descriptor, &status) == 0, status.st_size == 0 || pread(descriptor, &last, 1, status.st_size - 1) == 1 else {
            let error = errno
            close(descriptor)
            throw DeadLetterFailure("read", file, error)
        }
        state.descriptor = descriptor
        state.byteCount = Int(status.st_size)
        state.isTorn = last != UInt8(ascii: "\n")
    }

    private func closeFile(_ state: inout State) {
        guard state.descriptor >= 0 else { return }
        close(state.descriptor)
        state.descriptor = -1
    }
}

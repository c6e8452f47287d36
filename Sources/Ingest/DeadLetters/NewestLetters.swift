import Glibc
import Telemetry

/// The newest dead letters, found from the end: a look that costs the same however many there are.
package enum NewestLetters {
    /// Bytes that one look reads at most, over all files; letters further back are listed by `gaugehouse dead-letters list`.
    static let byteLimit = 4 << 20

    /// Newest first, also while a gateway writes.
    ///
    /// - Returns: at most `limit` letters; none when there is no such directory yet.
    /// - Throws: when a file cannot be read. Blocking.
    package static func find(
        in path: String, selection: DeadLetterSelection, limit: Int
    ) throws(DeadLetterFailure) -> [DeadLetterLine] {
        var letters: [DeadLetterLine] = []
        var bytesLeft = byteLimit
        for file in try files(in: path).reversed() {
            guard letters.count < limit, bytesLeft > 0 else { break }
            let wanted = min(file.byteCount, bytesLeft)
            let tail = try read(DeadLetterFolder.letters(file.number, in: path), from: file.byteCount - wanted, count: wanted)
            bytesLeft -= wanted
            take(tail, isWhole: wanted == file.byteCount, selection, limit: limit, into: &letters)
        }
        return letters
    }

    private static func files(in path: String) throws(DeadLetterFailure) -> [DeadLetterFolder.File] {
        do throws(DeadLetterFailure) {
            return try DeadLetterFolder.files(in: path)
        } catch {
            guard error.isMissing else { throw error }
            return []
        }
    }

    /// - Returns: fewer bytes than asked for when the file has been removed or cut meanwhile.
    private static func read(_ file: String, from offset: Int, count: Int) throws(DeadLetterFailure) -> [UInt8] {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        if descriptor < 0, errno == ENOENT { return [] }
        guard descriptor >= 0 else { throw DeadLetterFailure("open", file) }
        defer { close(descriptor) }
        var failure: Int32?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { space, filled in
            while filled < count {
                let got = pread(descriptor, space.baseAddress! + filled, count - filled, off_t(offset + filled))
                if got < 0, errno == EINTR { continue }
                if got < 0 { failure = errno }
                guard got > 0 else { return }
                filled += got
            }
        }
        if let failure { throw DeadLetterFailure("read", file, failure) }
        return bytes
    }

    /// - Parameter isWhole: the bytes are the whole file; otherwise they begin within a line.
    private static func take(
        _ bytes: [UInt8], isWhole: Bool, _ selection: DeadLetterSelection, limit: Int, into letters: inout [DeadLetterLine]
    ) {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if !isWhole, !lines.isEmpty { lines.removeFirst() }
        for line in lines.reversed() where !line.isEmpty {
            guard letters.count < limit else { return }
            // What is no letter was cut by a crash, or is being written this moment.
            guard let letter = DeadLetterLine(line), selection.contains(letter) else { continue }
            letters.append(letter)
        }
    }
}

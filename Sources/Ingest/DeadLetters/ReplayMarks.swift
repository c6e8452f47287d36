import Glibc

/// Which letters of one file were replayed: their offsets, each as 12 hexadecimal digits and a line's end, in a file beside it. A mark is
/// synced before the next letters are sent; an entry that a crash has cut is not one.
struct ReplayMarks: ~Copyable {
    private static let entryByteCount = 13

    private let path: String
    private let letters: String
    private var offsets: Set<Int> = []
    private var added: [UInt8] = []

    init(file number: Int, in folder: String) throws(DeadLetterFailure) {
        path = DeadLetterFolder.marks(number, in: folder)
        letters = DeadLetterFolder.letters(number, in: folder)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return }
            throw DeadLetterFailure("open", path)
        }
        defer { close(descriptor) }
        var entry = [UInt8](repeating: 0, count: Self.entryByteCount)
        var position = 0
        while pread(descriptor, &entry, entry.count, off_t(position)) == entry.count {
            if let offset = Int(String(decoding: entry.dropLast(), as: UTF8.self), radix: 16) { offsets.insert(offset) }
            position += entry.count
        }
    }

    func contains(_ offset: Int) -> Bool { offsets.contains(offset) }

    mutating func add(_ offset: Int) {
        offsets.insert(offset)
        let digits = String(offset, radix: 16)
        added.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: max(0, Self.entryByteCount - 1 - digits.utf8.count)))
        added.append(contentsOf: digits.utf8)
        added.append(UInt8(ascii: "\n"))
    }

    /// Makes what was added durable.
    mutating func save() throws(DeadLetterFailure) {
        guard !added.isEmpty else { return }
        defer { added.removeAll(keepingCapacity: true) }
        // A file of letters that was rotated away has taken its marks along.
        guard access(letters, F_OK) == 0 else { return }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw DeadLetterFailure("open", path) }
        defer { close(descriptor) }
        // Over an entry that was cut.
        let end = lseek(descriptor, 0, SEEK_END) / off_t(Self.entryByteCount) * off_t(Self.entryByteCount)
        let written = added.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, end) }
        guard written == added.count else { throw DeadLetterFailure("write", path, written < 0 ? errno : ENOSPC) }
        guard fdatasync(descriptor) == 0 else { throw DeadLetterFailure("sync", path) }
    }
}

import Glibc

/// Which letters of one file were replayed: for each its offset as 12 hexadecimal digits, a space, the hash of its line as 16 hexadecimal
/// digits and a line's end, in a file beside it. A mark is synced before the next letters are sent; an entry that a crash has cut is not
/// one, nor is an entry whose hash is not that of the line at its offset.
struct ReplayMarks: ~Copyable {
    private static let (offsetDigits, hashDigits) = (12, 16)
    private static let entryByteCount = offsetDigits + 1 + hashDigits + 1
    /// Bytes that are reserved at once: more than a window of entries.
    private static let reservation = 8_192

    private let path: String
    private let letters: String
    /// By offset.
    private var hashes: [Int: UInt64] = [:]
    private var added: [UInt8] = []
    /// Open for writing from the first promise on.
    private var descriptor: Int32 = -1
    /// Behind the last whole entry.
    private var end = 0
    private var promisedByteCount = 0
    private var reservedByteCount = 0

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
        // Zeros are room that was reserved.
        while pread(descriptor, &entry, entry.count, off_t(end)) == entry.count, entry[0] != 0 {
            let offset = Int(String(decoding: entry.prefix(Self.offsetDigits), as: UTF8.self), radix: 16)
            let hash = UInt64(String(decoding: entry.dropFirst(Self.offsetDigits + 1).dropLast(), as: UTF8.self), radix: 16)
            if let offset, let hash { hashes[offset] = hash }
            end += entry.count
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func contains(_ offset: Int, line: ArraySlice<UInt8>) -> Bool { hashes[offset].map { $0 == Self.hash(line) } ?? false }

    /// Sees to it that one mark more can be written, before its letter is sent.
    mutating func promise() throws(DeadLetterFailure) {
        if descriptor < 0 {
            // A file of letters that was rotated away has taken its marks along.
            guard access(letters, F_OK) == 0 else { return }
            descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o640)
            guard descriptor >= 0 else { throw DeadLetterFailure("open", path) }
        }
        promisedByteCount += Self.entryByteCount
        guard promisedByteCount > reservedByteCount else { return }
        let count = reservedByteCount + Self.reservation
        let error = posix_fallocate(descriptor, off_t(end), off_t(count))
        guard error == 0 else { throw DeadLetterFailure("write", path, error) }
        reservedByteCount = count
    }

    mutating func add(_ offset: Int, line: [UInt8]) {
        let hash = Self.hash(line[...])
        hashes[offset] = hash
        append(UInt64(offset), Self.offsetDigits, UInt8(ascii: " "))
        append(hash, Self.hashDigits, UInt8(ascii: "\n"))
    }

    private mutating func append(_ value: UInt64, _ digitCount: Int, _ separator: UInt8) {
        let digits = String(value, radix: 16)
        added.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: max(0, digitCount - digits.utf8.count)))
        added.append(contentsOf: digits.utf8)
        added.append(separator)
    }

    /// Makes what was added durable.
    mutating func save() throws(DeadLetterFailure) {
        guard !added.isEmpty else { return }
        defer { added.removeAll(keepingCapacity: true) }
        guard descriptor >= 0 else { return }
        // Over an entry that was cut.
        let written = added.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(end)) }
        guard written == added.count else { throw DeadLetterFailure("write", path, written < 0 ? errno : ENOSPC) }
        end += written
        promisedByteCount = max(0, promisedByteCount - written)
        reservedByteCount = max(0, reservedByteCount - written)
        guard fdatasync(descriptor) == 0 else { throw DeadLetterFailure("sync", path) }
    }

    /// FNV-1a, 64 bits: tells lines apart; no defence against forgery.
    private static func hash(_ line: ArraySlice<UInt8>) -> UInt64 {
        line.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }
}

import Telemetry

/// Remembers the receive times given to messages that carry none, until their acks have surely arrived.
///
/// A broker that missed an ack delivers the message again, with the same packet id and in the same order as before. With a time of its
/// own it would be a duplicate that changes nothing; with a new receive time it would be a second reading. So every commit keeps a note
/// of its timeless messages, and the redelivered ones get the time they had. Lists are kept encoded, as in the note:
/// docs/format/commit-note.md.
///
/// Why two commits: the acks of a commit are written before the next one begins, but may be lost with the connection after it.
struct RedeliveryMemory {
    private static let version: UInt8 = 1
    private static let headerByteCount = 8
    private static let entryHeaderByteCount = 12

    /// What a new session's first messages are compared with, from `cursor` on. Entries before `committedCursor` are done with; those
    /// between belong to the commit under way, which may fail.
    private var expected: [UInt8] = []
    private var cursor = 0
    private var committedCursor = 0
    /// Entries of the commit before the last one, of the last one, and of the one under way.
    private var older: [UInt8] = []
    private var newer: [UInt8] = []
    private var current: [UInt8] = []
    private var isStoredNoteEmpty = true

    init() {}

    /// - Returns: nil when the bytes are no note.
    init?(note: [UInt8]) {
        guard note.count >= Self.headerByteCount, note[0] == Self.version, note[1...3].allSatisfy({ $0 == 0 }) else { return nil }
        newer = Array(note[Self.headerByteCount...])
        var (offset, count) = (0, 0)
        while offset < newer.count {
            guard newer.count - offset >= Self.entryHeaderByteCount else { return nil }
            let entryByteCount = Self.entryHeaderByteCount + 8 * Int(integer(UInt16.self, in: newer, at: offset + 2))
            guard newer.count - offset >= entryByteCount else { return nil }
            offset += entryByteCount
            count += 1
        }
        isStoredNoteEmpty = newer.isEmpty
        guard count == Int(integer(UInt32.self, in: note, at: 4)) else { return nil }
    }

    /// A session begins. Without the broker's memory of the last one nothing is redelivered.
    mutating func connected(isSessionPresent: Bool) {
        expected = isSessionPresent ? Array(expected[committedCursor...]) + older + newer : []
        (cursor, committedCursor) = (0, 0)
        older = []
        newer = []
        current = []
    }

    /// The times given to this message before, if it is the next of the redelivered ones.
    ///
    /// Messages whose acks did arrive are skipped. The first message that is not found ends the redelivery: from there on the broker
    /// sends what it never sent before, or what was never committed.
    mutating func times(packetID: UInt16, hash: UInt64, count: Int) -> [Timestamp]? {
        var offset = cursor
        while offset < expected.count {
            let times = offset + Self.entryHeaderByteCount
            let end = times + 8 * Int(integer(UInt16.self, in: expected, at: offset + 2))
            if integer(UInt16.self, in: expected, at: offset) == packetID, integer(UInt64.self, in: expected, at: offset + 4) == hash,
                end - times == 8 * count
            {
                cursor = end
                return stride(from: times, to: end, by: 8).map {
                    Timestamp(microseconds: Int64(bitPattern: integer(UInt64.self, in: expected, at: $0)))
                }
            }
            offset = end
        }
        cursor = expected.count
        return nil
    }

    /// Adds a timeless message to the commit under way: its header, then `append(time:)` for each of its timeless readings.
    mutating func append(packetID: UInt16, hash: UInt64, timeCount: Int) {
        append(packetID)
        append(UInt16(timeCount))
        append(hash)
    }

    mutating func append(time: Timestamp) { append(UInt64(bitPattern: time.microseconds)) }

    /// The note to commit; nil when there is nothing to remember and the store's note says so already.
    func note() -> [UInt8]? {
        let entries = Array(expected[cursor...]) + newer + current
        guard !entries.isEmpty || !isStoredNoteEmpty else { return nil }
        var note: [UInt8] = [Self.version, 0, 0, 0]
        withUnsafeBytes(of: UInt32(Self.entryCount(entries)).littleEndian) { note.append(contentsOf: $0) }
        return note + entries
    }

    /// The commit under way is on disk, with this note.
    mutating func committed(_ note: [UInt8]?) {
        if let note { isStoredNoteEmpty = note.count == Self.headerByteCount }
        committedCursor = cursor
        swap(&older, &newer)
        swap(&newer, &current)
        current.removeAll(keepingCapacity: true)
    }

    /// The commit under way begins again.
    mutating func restart() { current.removeAll(keepingCapacity: true) }

    private mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { current.append(contentsOf: $0) }
    }

    private static func entryCount(_ entries: [UInt8]) -> Int {
        var (offset, count) = (0, 0)
        while offset < entries.count {
            offset += entryHeaderByteCount + 8 * Int(integer(UInt16.self, in: entries, at: offset + 2))
            count += 1
        }
        return count
    }
}

/// A little-endian integer.
private func integer<T: FixedWidthInteger>(_: T.Type, in bytes: [UInt8], at offset: Int) -> T {
    bytes.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: T.self)) }
}

/// FNV-1a, 64 bits, over the topic, a zero byte and the payload. Tells messages with one packet id apart; no defence against forgery.
func messageHash(topic: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer) -> UInt64 {
    let prime: UInt64 = 0x0000_0100_0000_01b3
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in topic { hash = (hash ^ UInt64(byte)) &* prime }
    hash = hash &* prime
    for byte in payload { hash = (hash ^ UInt64(byte)) &* prime }
    return hash
}

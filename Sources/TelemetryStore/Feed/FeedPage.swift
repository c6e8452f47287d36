import Telemetry
import TelemetryCodec

/// A piece of the feed's memory: rows sections as the log has them, one behind the other, each behind an `Entry`.
///
/// `@unchecked Sendable`: written under the feed's lock, always behind the bytes that readers were told of; those never change.
final class FeedPage: @unchecked Sendable {
    /// What stands before a rows section.
    struct Entry {
        static let byteCount = 48

        var firstSequence: SequenceNumber
        /// Of the rows' times.
        var base: Int64
        /// Shown readings of its table before it, counted from the feed's beginning.
        var shownBefore: Int
        var rowCount: Int
        /// Rows that are no news (`TableCore.silentRows`): their indexes, 4 bytes each, stand before the rows.
        var silentCount: Int
        var rowsByteCount: Int
        var table: TableNumber

        var rowsOffset: Int { Entry.byteCount + silentCount * 4 }
        var wholeByteCount: Int { rowsOffset + rowsByteCount }
        var shownCount: Int { rowCount - silentCount }
        var lastSequence: SequenceNumber { firstSequence + UInt64(rowCount) - 1 }
    }

    /// Rising by one from page to page.
    let number: UInt64
    /// Of its first entry.
    let firstSequence: SequenceNumber
    /// By table: shown readings before this page.
    let shownBefore: [Int]
    let capacity: Int
    private let base: UnsafeMutableRawPointer
    /// Bytes written. Under the feed's lock.
    private(set) var count = 0

    init(number: UInt64, firstSequence: SequenceNumber, shownBefore: [Int], capacity: Int) {
        (self.number, self.firstSequence, self.shownBefore, self.capacity) = (number, firstSequence, shownBefore, capacity)
        base = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { base.deallocate() }

    /// Caller holds the feed's lock and has looked for room.
    func append(_ entry: Entry, silent: [UInt32], rows: UnsafeRawBufferPointer) {
        precondition(count + entry.wholeByteCount <= capacity)
        let start = base + count
        start.storeBytes(of: entry.firstSequence, as: UInt64.self)
        start.storeBytes(of: entry.base, toByteOffset: 8, as: Int64.self)
        start.storeBytes(of: entry.shownBefore, toByteOffset: 16, as: Int.self)
        start.storeBytes(of: UInt32(entry.rowCount), toByteOffset: 24, as: UInt32.self)
        start.storeBytes(of: UInt32(entry.silentCount), toByteOffset: 28, as: UInt32.self)
        start.storeBytes(of: UInt32(entry.rowsByteCount), toByteOffset: 32, as: UInt32.self)
        start.storeBytes(of: entry.table, toByteOffset: 36, as: TableNumber.self)
        silent.withUnsafeBytes { indexes in
            if let source = indexes.baseAddress { (start + Entry.byteCount).copyMemory(from: source, byteCount: indexes.count) }
        }
        if let source = rows.baseAddress { (start + entry.rowsOffset).copyMemory(from: source, byteCount: rows.count) }
        // The next entry's numbers stand at multiples of eight.
        count = min(capacity, count + (entry.wholeByteCount + 7) / 8 * 8)
    }

    /// - Precondition: an entry begins at `offset`, below a count that the lock gave.
    func entry(at offset: Int) -> Entry {
        let start = UnsafeRawPointer(base + offset)
        return Entry(
            firstSequence: start.load(as: UInt64.self), base: start.load(fromByteOffset: 8, as: Int64.self),
            shownBefore: start.load(fromByteOffset: 16, as: Int.self), rowCount: Int(start.load(fromByteOffset: 24, as: UInt32.self)),
            silentCount: Int(start.load(fromByteOffset: 28, as: UInt32.self)),
            rowsByteCount: Int(start.load(fromByteOffset: 32, as: UInt32.self)),
            table: start.load(fromByteOffset: 36, as: TableNumber.self))
    }

    /// The entry that begins behind this one, or the end of what is written.
    func offset(behind entry: Entry, at offset: Int) -> Int { min(capacity, offset + (entry.wholeByteCount + 7) / 8 * 8) }

    /// Index of a silent row of the entry, ascending.
    func silentRow(_ index: Int, ofEntryAt offset: Int) -> Int {
        Int(UnsafeRawPointer(base + offset).load(fromByteOffset: Entry.byteCount + index * 4, as: UInt32.self))
    }

    /// The rows section of an entry. Valid while the page is held.
    func rows(of entry: Entry, at offset: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + offset + entry.rowsOffset, count: entry.rowsByteCount)
    }
}

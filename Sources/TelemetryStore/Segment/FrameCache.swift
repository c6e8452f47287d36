import TelemetryCodec

/// Decompressed parts of segments, bounded in bytes; the least recently used go first.
///
/// `@unchecked Sendable`: everything is touched under `lock` only; reading and decompressing happen outside it.
final class FrameCache: @unchecked Sendable {
    private struct Key: Hashable {
        var segment: UInt64
        var offset: Int
    }

    /// A node of the list in order of use.
    private struct Entry {
        var key: Key
        var bytes: Bytes?
        var newer: Int
        var older: Int
    }

    private let lock = Monitor()
    private let byteBudget: Int
    private var positions: [Key: Int] = [:]
    /// Entry 0 closes the ring: its `older` is the newest, its `newer` the oldest.
    private var entries = [Entry(key: Key(segment: 0, offset: 0), bytes: nil, newer: 0, older: 0)]
    private var free: [Int] = []
    private var byteCount = 0
    private var nextSegment: UInt64 = 0

    /// What an entry costs beside its bytes: dictionary slot, node, allocation.
    private static let entryByteCount = 128

    init(byteBudget: Int) { self.byteBudget = byteBudget }

    /// A number for a segment that opens.
    func register() -> UInt64 {
        lock.locked {
            nextSegment += 1
            return nextSegment
        }
    }

    func find(segment: UInt64, offset: Int) -> Bytes? {
        lock.locked {
            guard let position = positions[Key(segment: segment, offset: offset)] else { return nil }
            unlink(position)
            linkAsNewest(position)
            return entries[position].bytes
        }
    }

    func insert(_ bytes: Bytes, segment: UInt64, offset: Int) {
        let key = Key(segment: segment, offset: offset)
        lock.locked {
            guard positions[key] == nil else { return }
            let entry = Entry(key: key, bytes: bytes, newer: 0, older: 0)
            let position = free.popLast() ?? entries.count
            if position == entries.count { entries.append(entry) } else { entries[position] = entry }
            positions[key] = position
            linkAsNewest(position)
            byteCount += bytes.count + FrameCache.entryByteCount
            while byteCount > byteBudget, entries[0].newer != position { remove(entries[0].newer) }
        }
    }

    private func remove(_ position: Int) {
        unlink(position)
        positions[entries[position].key] = nil
        byteCount -= entries[position].bytes!.count + FrameCache.entryByteCount
        entries[position].bytes = nil
        free.append(position)
    }

    private func unlink(_ position: Int) {
        let (newer, older) = (entries[position].newer, entries[position].older)
        entries[newer].older = older
        entries[older].newer = newer
    }

    private func linkAsNewest(_ position: Int) {
        let newest = entries[0].older
        entries[position].older = newest
        entries[position].newer = 0
        entries[newest].newer = position
        entries[0].older = position
    }
}

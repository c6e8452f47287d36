import TelemetryCodec

/// Decompressed frames of segments, bounded in bytes; the least recently used go first.
///
/// `@unchecked Sendable`: everything is touched under `lock` only; decompression runs outside it.
final class FrameCache: @unchecked Sendable {
    private struct Key: Hashable {
        var segment: UInt64
        var offset: Int
    }

    private struct Entry {
        var bytes: Bytes
        var lastUse: UInt64
    }

    private let lock = Monitor()
    private let byteBudget: Int
    private var entries: [Key: Entry] = [:]
    private var byteCount = 0
    private var clock: UInt64 = 0
    private var nextSegment: UInt64 = 0

    init(byteBudget: Int) { self.byteBudget = byteBudget }

    /// A number for a segment that opens.
    func register() -> UInt64 {
        lock.locked {
            nextSegment += 1
            return nextSegment
        }
    }

    /// The frame's raw bytes, read, checked and decompressed when they are not in memory.
    func bytes(
        _ frame: FrameReference, segment: UInt64, read: (FrameReference) throws(StoreError) -> Bytes
    ) throws(StoreError) -> Bytes {
        let key = Key(segment: segment, offset: frame.offset)
        if let found = find(key) { return found }
        let bytes = try read(frame)
        insert(bytes, key)
        return bytes
    }

    private func find(_ key: Key) -> Bytes? {
        lock.locked {
            clock += 1
            entries[key]?.lastUse = clock
            return entries[key]?.bytes
        }
    }

    private func insert(_ bytes: Bytes, _ key: Key) {
        lock.locked {
            if entries.updateValue(Entry(bytes: bytes, lastUse: clock), forKey: key) == nil { byteCount += bytes.count }
            if byteCount > byteBudget { evictLocked() }
        }
    }

    /// Drops the oldest down to seven eighths of the budget, so that eviction is rare and cheap per entry.
    private func evictLocked() {
        for (key, entry) in entries.sorted(by: { $0.value.lastUse < $1.value.lastUse }) {
            guard byteCount > byteBudget / 8 * 7 else { return }
            entries[key] = nil
            byteCount -= entry.bytes.count
        }
    }
}

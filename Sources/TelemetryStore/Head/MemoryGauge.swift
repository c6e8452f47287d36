import Synchronization

/// Memory of all unflushed rows: what commits wait for when there is too much of it. Heads count themselves in and out.
final class MemoryGauge: Sendable {
    private let used = Atomic(0)
    private let freed = Monitor()

    var byteCount: Int { used.load(ordering: .relaxed) }

    func add(_ byteCount: Int) { used.add(byteCount, ordering: .relaxed) }

    func subtract(_ byteCount: Int) {
        used.subtract(byteCount, ordering: .relaxed)
        freed.locked { freed.wakeAll() }
    }

    /// Waits until at most `limit` bytes are in use.
    /// - Returns: false when the time is over.
    func wait(below limit: Int, until deadline: MonotonicTime) -> Bool {
        freed.locked {
            while byteCount > limit {
                guard freed.waitLocked(until: deadline) else { return byteCount <= limit }
            }
            return true
        }
    }
}

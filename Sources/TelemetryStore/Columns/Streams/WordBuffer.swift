/// Reused 64-bit words: working memory of the column encoder. One owner; contents are undefined after `resize`.
struct WordBuffer: ~Copyable {
    private(set) var base: UnsafeMutablePointer<UInt64>
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int = 4_096) {
        self.capacity = capacity
        base = .allocate(capacity: capacity)
    }

    deinit { base.deallocate() }

    mutating func resize(_ newCount: Int) {
        if newCount > capacity {
            base.deallocate()
            capacity = max(newCount, capacity * 2)
            base = .allocate(capacity: capacity)
        }
        count = newCount
    }
}

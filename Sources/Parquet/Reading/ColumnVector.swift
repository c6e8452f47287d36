import TelemetryCodec

/// Memory for one column of a batch, and the arena that its strings stand in; used over and over.
final class ColumnVector {
    let words: UnsafeMutablePointer<UInt64>
    /// 1 where the row has a value, 0 where it has none.
    let presence: UnsafeMutablePointer<UInt8>
    let capacity: Int
    var arena: ByteArena
    fileprivate(set) var nullCount = 0

    /// - Parameter capacity: rows.
    init(capacity: Int, arenaByteCountLimit: Int) {
        self.capacity = capacity
        words = .allocate(capacity: capacity)
        words.initialize(repeating: 0, count: capacity)
        presence = .allocate(capacity: capacity)
        presence.initialize(repeating: 0, count: capacity)
        arena = ByteArena(limit: arenaByteCountLimit)
    }

    deinit {
        words.deallocate()
        presence.deallocate()
    }

    /// Forgets the rows.
    func startBatch() {
        nullCount = 0
        arena.removeValues()
    }

    func addNulls(_ count: Int) { nullCount += count }

    /// `valueCount` words stand from row `start` on without gaps; moves them to the rows that have values.
    func spread(from start: Int, rowCount: Int, valueCount: Int) {
        var value = valueCount
        let words = words + start
        let presence = presence + start
        for row in stride(from: rowCount - 1, through: 0, by: -1) {
            // Once all that is left has values, it stands where it belongs.
            if value > row { break }
            if presence[row] == 1 {
                value -= 1
                words[row] = words[value]
            } else {
                words[row] = 0
            }
        }
    }
}

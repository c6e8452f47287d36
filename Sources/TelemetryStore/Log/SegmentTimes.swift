import Telemetry
import TelemetryCodec

/// The times of devices in segments that late rows asked for: a shuffled backfill decodes each device's times once, not once a row.
///
/// Holds no segment: one that was merged or dropped must give its space back.
struct SegmentTimes {
    private struct Key: Hashable {
        var segment: UInt64
        var device: UInt32
    }

    /// Times kept, 32 MiB: an hour of a thousand devices at 1 Hz.
    private static let limit = 4 << 20
    /// An entry takes as much memory as so many times, besides its own.
    private static let entryCost = 16

    /// Ascending.
    private var known: [Key: [Int64]] = [:]
    /// Oldest first, from `firstKey` on.
    private var keys: [Key] = []
    private var firstKey = 0
    private(set) var count = 0
    private let limit: Int

    init(limit: Int = SegmentTimes.limit) { self.limit = limit }

    /// True when the segment has a row of the device at `time`.
    mutating func contains(_ time: Int64, _ segment: Segment, device: UInt32, of table: TableCore) throws(StoreError) -> Bool {
        let key = Key(segment: segment.id, device: device)
        if let times = known[key] { return times.containsSorted(time) }
        let times = try segment.times(of: device, table).sorted()
        keep(times, for: key)
        return times.containsSorted(time)
    }

    /// The oldest go first.
    private mutating func keep(_ times: [Int64], for key: Key) {
        count += times.count + SegmentTimes.entryCost
        while count > limit, firstKey < keys.count {
            count -= known.removeValue(forKey: keys[firstKey])!.count + SegmentTimes.entryCost
            firstKey += 1
        }
        if firstKey > keys.count / 2 {
            keys.removeFirst(firstKey)
            firstKey = 0
        }
        keys.append(key)
        known[key] = times
    }
}

extension Segment {
    /// Times of all rows of the device, in no order; no other column is read.
    fileprivate func times(of device: UInt32, _ table: TableCore) throws(StoreError) -> [Int64] {
        try withKey(of: device, table) { (bucket, name) throws(StoreError) in
            guard let entry = try find(bucket: bucket, device: name) else { return [] }
            var reader = PieceReader(self, fields: try index().fields, wanted: FieldSet([]), access: .cached)
            var times: [Int64] = []
            for piece in entry.pieces { try reader.readTimes(of: piece, into: &times) }
            return times
        }
    }
}

extension [Int64] {
    /// - Precondition: ascending.
    fileprivate func containsSorted(_ value: Int64) -> Bool {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == value
    }
}

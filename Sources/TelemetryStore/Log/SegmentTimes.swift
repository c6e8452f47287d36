import Telemetry
import TelemetryCodec

/// The times of devices in segments that late rows asked for: a shuffled backfill decodes each device's times once, not once a row.
struct SegmentTimes {
    private struct Key: Hashable {
        var segment: ObjectIdentifier
        var device: UInt32
    }

    private struct Known {
        /// Keeps the identity from being used again.
        var segment: Segment
        /// Ascending.
        var times: [Int64]
    }

    /// Times kept: 32 MiB, an hour of a thousand devices at 1 Hz.
    private static let limit = 4 << 20

    private var known: [Key: Known] = [:]
    private var count = 0
    private var rows = RowBuffer()

    /// True when the segment has a row of the device at `time`.
    mutating func contains(_ time: Int64, _ segment: Segment, device: UInt32, of table: TableCore) throws(StoreError) -> Bool {
        let key = Key(segment: ObjectIdentifier(segment), device: device)
        if let times = known[key]?.times { return times.containsSorted(time) }
        rows.removeAll()
        try segment.readRows(of: device, at: .min ... .max, table, into: &rows)
        let times = rows.rows.map(\.time).sorted()
        // Everything goes at once: what a backfill is at is asked for again and again, so that it is soon back.
        if count + times.count > SegmentTimes.limit { removeAll() }
        known[key] = Known(segment: segment, times: times)
        // An empty list takes memory as well.
        count += times.count + 8
        return times.containsSorted(time)
    }

    mutating func removeAll() {
        known.removeAll()
        count = 0
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

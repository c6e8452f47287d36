import Telemetry

@testable import TelemetryStore

/// What the store should hold, as plain sorted maps: device → time → field → values, newest first.
struct Model {
    /// One write of a cell, and when it was committed.
    struct Version {
        var value: FieldValue
        var commitTime: Int64
    }

    struct Row {
        var time: Int64
        /// Newest first.
        var fields: [String: [Version]]
    }

    struct Device {
        /// By time.
        var rows: [Row] = []
        /// Readings ever stored, dropped ones included, duplicates not.
        var storedCount = 0
        var newest: [String: (time: Int64, value: FieldValue)] = [:]
        /// Commit times of the first and the newest reading, duplicates included.
        var firstSeen = Int64.max
        var lastSeen = Int64.min

        /// Position of the first row that is not before `time`.
        func position(of time: Int64) -> Int {
            if let last = rows.last, last.time < time { return rows.count }
            var (low, high) = (0, rows.count)
            while low < high {
                let middle = (low + high) / 2
                if rows[middle].time < time { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }

    private(set) var devices: [String: Device] = [:]
    /// Sequence number of the newest acked reading.
    private(set) var sequence: SequenceNumber = 0
    var note: [UInt8]?
    /// End of the newest window that was dropped, µs: what lies before is not there. Kept all the same, because a drop that was not
    /// yet durable is undone by a crash.
    var droppedThrough = Int64.min

    /// Applies an accepted reading.
    /// - Returns: false: it said nothing new.
    mutating func write(_ reading: Reading, commitTime: Int64) -> Bool {
        sequence += 1
        let time = reading.time!.microseconds
        // Taken out, so that the map holds no second reference to the rows while they change.
        var device = devices.removeValue(forKey: reading.device) ?? Device()
        defer { devices[reading.device] = device }
        device.firstSeen = min(device.firstSeen, commitTime)
        device.lastSeen = max(device.lastSeen, commitTime)
        for (field, value) in reading.fields where device.newest[field].map({ $0.time <= time }) ?? true {
            device.newest[field] = (time, value)
        }
        let position = device.position(of: time)
        if position == device.rows.count || device.rows[position].time != time {
            device.rows.insert(Row(time: time, fields: [:]), at: position)
            device.storedCount += 1
        } else if reading.fields.allSatisfy({ device.rows[position].fields[$0.key]?.first?.value.isSame(as: $0.value) ?? false }) {
            return false
        }
        for (field, value) in reading.fields {
            device.rows[position].fields[field, default: []].insert(Version(value: value, commitTime: commitTime), at: 0)
        }
        return true
    }

    /// Rows of a device by time, none older than `expiry`.
    func rows(_ device: String, expiry: Int64, in range: Range<Int64>) -> ArraySlice<Row> {
        guard let device = devices[device] else { return [] }
        let low = device.position(of: max(expiry, range.lowerBound, droppedThrough))
        return device.rows[low..<max(low, device.position(of: range.upperBound))]
    }

    var rowCount: Int { devices.values.reduce(0) { $0 + $1.rows.count - $1.position(of: droppedThrough) } }
}

extension FieldValue {
    /// Equal bit by bit: −0 is not 0.
    func isSame(as other: FieldValue?) -> Bool {
        if case .double(let a) = self, case .double(let b) = other { return a.bitPattern == b.bitPattern }
        return self == other
    }
}

/// A seeded generator: SplitMix64. The seed is printed with every failure.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

extension SeededGenerator {
    mutating func chance(_ numerator: Int, in denominator: Int) -> Bool { Int.random(in: 0..<denominator, using: &self) < numerator }
    mutating func pick<C: Collection>(_ choices: C) -> C.Element { choices.randomElement(using: &self)! }
}

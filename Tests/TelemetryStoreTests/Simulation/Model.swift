import Telemetry

@testable import TelemetryStore

/// What the store should hold, as a plain map: device → time → field → values, newest first.
struct Model {
    private(set) var devices: [String: [Int64: [String: [FieldValue]]]] = [:]
    private(set) var stored: [String: Int] = [:]
    private(set) var newest: [String: [String: (time: Int64, value: FieldValue)]] = [:]

    /// Applies an accepted reading.
    /// - Returns: false: it said nothing new.
    mutating func write(_ reading: Reading) -> Bool {
        let time = reading.time!.microseconds
        let known = devices[reading.device]?[time]
        for (field, value) in reading.fields where newest[reading.device]?[field].map({ $0.time <= time }) ?? true {
            newest[reading.device, default: [:]][field] = (time, value)
        }
        if let known, reading.fields.allSatisfy({ known[$0.key]?.first == $0.value }) { return false }
        if known == nil { stored[reading.device, default: 0] += 1 }
        for (field, value) in reading.fields {
            devices[reading.device, default: [:]][time, default: [:]][field, default: []].insert(value, at: 0)
        }
        return true
    }

    /// Logical rows of a device, newest first: newest value of each field, not older than `expiry`.
    func rows(_ device: String, expiry: Int64, in range: Range<Int64>) -> [(time: Int64, fields: [String: [FieldValue]])] {
        (devices[device] ?? [:]).filter { $0.key >= expiry && range.contains($0.key) }.sorted { $0.key > $1.key }.map { ($0.key, $0.value) }
    }

    mutating func drop(before time: Int64) {
        for device in devices.keys { devices[device] = devices[device]!.filter { $0.key >= time } }
    }

    var rowCount: Int { devices.values.reduce(0) { $0 + $1.count } }
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

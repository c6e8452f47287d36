/// What is needed to make any reading of a run again. Stands at the head of a ledger.
struct RunDescription: Codable, Equatable, Sendable {
    /// A name no other run has.
    var run: String
    /// What device names start with.
    var prefix: String
    var devices: Int
    var connections: Int
    var seed: UInt64
    /// See `ReadingGenerator.payloadByteCount`.
    var payloadSize: Int
    /// No reading of the run is older: µs since the epoch.
    var startTime: Int64

    enum CodingKeys: String, CodingKey {
        case run, prefix, devices, connections, seed
        case payloadSize = "payload_size"
        case startTime = "start_us"
    }

    var fleet: Fleet { Fleet(deviceCount: devices, connectionCount: connections) }
    var naming: DeviceNaming { DeviceNaming(prefix: prefix, deviceCount: devices) }
    var generator: ReadingGenerator { ReadingGenerator(seed: seed, payloadByteCount: payloadSize) }

    /// Base 36 of the start time in µs: short, and two runs of one machine never share it.
    static func runName(startTime: Int64) -> String { String(startTime, radix: 36) }
}

/// One reading the broker has acknowledged.
struct AcknowledgedReading: Equatable, Sendable {
    var device: UInt32
    var sequence: UInt32
    /// µs since the epoch.
    var time: Int64
}
